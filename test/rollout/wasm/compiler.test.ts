/** Every program that we link compiles; what is outside of the subset is refused with its place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompileError, UnsupportedError } from '../../../src/base/errors.ts';
import { readAsset } from '../../../src/base/node/assets.ts';
import { envs } from '../../../src/envs/index.ts';
import { policyKinds } from '../../../src/policies/index.ts';
import { compileProgram } from '../../../src/rollout/wasm/compile/program.ts';
import { compiledModule } from '../../../src/rollout/wasm/module-cache.ts';
import { checkByDawn } from '../../../src/rollout/wasm/node/backend.ts';
import { probeProgram, rolloutProgram, statisticsProgram } from '../../../src/rollout/webgpu/program/programs.ts';
import { diceEnv, readDiceShader } from '../../support/dice-env.ts';
import { linkKernel } from '../../support/wasm-kernel.ts';

const sizes = { files: [], invocations: 5 };
const compileKernel = (code: string) => compileProgram(linkKernel({ ...sizes, code }), 'main');

describe.each(envs.map((env) => ({ env, id: env.id })))('the programs of $id', ({ env }) => {
  it('compile with every policy, for start states and for single transitions', () => {
    const programs = [
      ...policyKinds
        .filter((kind) => kind.accepts(env) === null)
        .map((kind) => ({ entry: 'play', program: rolloutProgram(env, kind.build(env, {}), readAsset) })),
      ...(['resets', 'transitions'] as const).map((entry) => ({ entry, program: probeProgram(env, entry, readAsset) })),
    ];
    for (const { entry, program } of programs) {
      const { bytes } = compileProgram(program, entry);
      const { WebAssembly } = globalThis as unknown as { WebAssembly: { validate(bytes: Uint8Array): boolean } };
      expect(WebAssembly.validate(bytes), entry).toBe(true);
      expect(bytes.length).toBeLessThan(100_000);
    }
  });
});

describe('what does not compile', () => {
  const place = (line: number) => ({ path: 'given', line });
  /** The error of the check, or of the compiler. */
  const errorOf = async (code: string, entry = 'main'): Promise<unknown> => {
    const program = { code, isShipped: false, locate: place };
    return compiledModule(program, entry, checkByDawn).then(
      () => null,
      (error) => error,
    );
  };

  it.each([
    [
      'var<workgroup> shared_sum: u32;',
      '1:1: expected a storage buffer, got "shared_sum" in the address space "workgroup"',
    ],
    ['fn f() { workgroupBarrier(); }', '1:10: expected a function that compiles here, got "workgroupBarrier"'],
    ['fn f() { let x = pack2x16float(vec2f()); }', '1:18: expected a function that compiles here, got "pack2x16float"'],
    [
      '@group(0) @binding(5) var<storage, read_write> n: array<atomic<u32>>;',
      '1:57: expected a type that compiles here, got "atomic"',
    ],
    ['requires packed_4x8_integer_dot_product;', '1:1: expected no extension of WGSL, got "requires"'],
    ['struct A { @size(16) x: f32 }', '1:12: expected a field without attributes, got "@"'],
    ['fn f(p: ptr<private, u32>) {}', '1:9: expected a pointer to a variable of a function, got one in "private"'],
    ['fn f(i: u32) { var m: array<u32, 10000>; m[i] = 1u; }', '1:16: expected at most 4096 numbers in a variable'],
    [`fn f(i: u32) -> u32 { return ${'('.repeat(120)}i${')'.repeat(120)}; }`, 'expected at most 100 levels of nesting'],
    ['const N = 1 << 62; fn f() -> f32 { return f32(N); }', 'expected constants of at most 53 bits, got one with more'],
  ])('names the place: %s', async (text, message) => {
    const error = await errorOf(`${text}\n${frame.replace('kernel(id.x)', uses(text))}`);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as Error).message).toMatch(
      /^\[wasm\] given:\d+:\d+: expected .*; use the backend "webgpu" or "cpu"$/,
    );
    expect((error as Error).message).toContain(message);
  });

  it('is an error with a place and never another one, whatever the text', async () => {
    const words = readAsset('shaders/lib/pcg64.wgsl').match(/\w+|[^\s\w]/g)!;
    const pieces = fc.oneof(
      fc.constantFrom(...words),
      fc.constantFrom('@', '0x', '1e', '<', '>>', '}', '{', ';', 'ptr', 'mat4x4f'),
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 30 }).map((list) => list.join(' ')),
      // A program with a part taken out or put in.
      fc.tuple(fc.nat(3000), fc.nat(40), fc.array(pieces, { maxLength: 3 })).map(([from, length, list]) => {
        const text = readAsset('shaders/lib/f64.wgsl');
        return text.slice(0, from) + list.join(' ') + text.slice(from + length);
      }),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const error = await errorOf(`${text}\nfn kernel(i: u32) { output[i] = i; }\n${frame}`);
        if (error === null) return;
        expect(error).toBeInstanceOf(CompileError);
        expect((error as Error).message).toMatch(/given:\d+:\d+/);
      }),
      { numRuns: 300 },
    );
  });

  it('is the program of the statistics, whose invocations wait for one another', () => {
    expect(() => compileProgram(statisticsProgram(readAsset), 'whole')).toThrow(
      /shaders\/statistics.wgsl:\d+:\d+: expected/,
    );
  });
});

/** A call of `f` where the text has it, since a function that nothing calls is not compiled. */
const uses = (text: string): string => {
  if (!text.includes('fn f(')) return '';
  if (text.includes('fn f(i')) return 'f(1u)';
  return text.includes('fn f()') ? 'f()' : '';
};

const frame = `
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { kernel(id.x); }
`;

describe('compiling', () => {
  it('gives the same bytes each time', () => {
    const code = 'fn kernel(i: u32) { var s = 0u; for (var k = 0u; k < i; k++) { s += input[k]; } output[i] = s; }';
    expect(compileKernel(code).bytes).toEqual(compileKernel(code).bytes);
  });

  it('takes an environment of its user', () => {
    expect(
      compileProgram(probeProgram(diceEnv(), 'transitions', readDiceShader), 'transitions').bytes.length,
    ).toBeGreaterThan(100);
  });
});
