/** Entry points whose lanes get another invocation when one is over: by one or two vectors, with variables in locals or in memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProgramInstance } from '../../../src/rollout/wasm/instance.ts';
import { compiledModule } from '../../../src/rollout/wasm/module-cache.ts';
import { checkByDawn } from '../../../src/rollout/wasm/node/backend.ts';

/** Steps of the Collatz sequence down to 1, at most 300; 1000 where an invocation does not begin. */
const expected = (start: number): number => {
  if (start === 0) return 1000;
  let [n, steps] = [start, 0];
  for (; n !== 1 && steps < 300; steps++) n = n % 2 === 1 ? 3 * n + 1 : n / 2;
  return steps;
};

const program = (declared: string, inside: string, steps: string): string => `
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  output[id.x] = 1000u;
  if (input[id.x] == 0u) {
    return;
  }
  var n = input[id.x];
  var steps = 0u;
  ${declared}
  while (n != 1u && steps < 300u) {
    ${inside}
    n = select(n / 2u, 3u * n + 1u, (n & 1u) == 1u);
    steps++;
  }
  output[id.x] = ${steps};
}
`;

const long = Array.from({ length: 80 }, (_, i) => `more = (more ^ ${i}u) * 3u + n;`).join('\n');
const programs = {
  'a short loop': program('', '', 'steps'),
  'a long loop': program('var more = 1u;', long, 'steps + (more & 0u)'),
  'a variable in memory': program('var seen: array<u32, 7>;', 'seen[n % 7u] = steps + 1u;', 'seen[2]'),
};

describe.each(Object.entries(programs))('%s', (_, code) => {
  it('runs each invocation once, however long the others take', async () => {
    const linked = { code, isShipped: false, locate: (line: number) => ({ path: 'given', line }) };
    const compiled = await compiledModule(linked, 'main', checkByDawn);
    const starts = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 27, 97), fc.nat(5000)), { minLength: 1, maxLength: 70 });
    await fc.assert(
      fc.asyncProperty(starts, async (given) => {
        const instance = await ProgramInstance.open(compiled);
        const read = instance.place([Uint32Array.from(given), { words: given.length }]);
        instance.run(given.length);
        expect(Array.from(read(1))).toEqual(given.map(expected));
      }),
      { numRuns: 100 },
    );
  });
});
