/** Random programs compiled to WebAssembly do what an interpreter does with each invocation alone. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { interpret, outputWords, programText, type RandomProgram, randomProgram } from '../../support/random-wgsl.ts';
import { runWasmKernel } from '../../support/wasm-kernel.ts';

const invocations = 6;
const given = fc.tuple(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.nat(40),
  fc.float({ noNaN: true, min: -1000, max: 1000 }).map((x) => x + 0),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
);

async function run(program: RandomProgram, rows: readonly (readonly [number, number, number, number])[]) {
  const input = new Uint32Array(1 + 4 * rows.length);
  const floats = new Float32Array(input.buffer);
  rows.forEach(([a, b, x, y], i) => {
    input.set([a, b], 1 + 4 * i);
    floats.set([x, y], 3 + 4 * i);
  });
  const kernel = { files: [], code: programText(program), input, outputWords: outputWords * rows.length };
  const words = new Uint32Array(await runWasmKernel({ ...kernel, invocations: rows.length }));
  const isNaN32 = (word: number): boolean => (word & 0x7fffffff) > 0x7f800000;
  return Array.from(words, (word, k) => (k % 4 > 1 && isNaN32(word) ? 0x7fc00000 : word));
}

it('random programs give what an interpreter gives', async () => {
  await fc.assert(
    fc.asyncProperty(
      randomProgram,
      fc.array(given, { minLength: invocations, maxLength: invocations }),
      async (program, rows) => {
        expect(await run(program, rows)).toEqual(rows.flatMap((row) => interpret(program, row)));
      },
    ),
    { numRuns: Number(process.env.R2PO_FUZZ_RUNS ?? 40) },
  );
});
