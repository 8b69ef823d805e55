/** The WGSL that the compiler reads, and right WGSL that it does not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../../src/base/errors.ts';
import { compileProgram } from '../../../src/rollout/wasm/compile/program.ts';
import { checkByDawn } from '../../../src/rollout/wasm/node/backend.ts';
import { frame } from '../../support/wasm-kernel.ts';
import { ofBody, read, readBodies, unread } from '../../support/wgsl-cases.ts';

const linked = (code: string) => ({
  code: `${code}\n${frame(5)}`,
  isShipped: false,
  locate: (line: number) => ({ path: 'given', line }),
});

/** The error of the compiler, null: none. */
function errorOf(code: string): unknown {
  try {
    compileProgram(linked(code), 'main');
    return null;
  } catch (error) {
    return error;
  }
}

describe('wasm', () => {
  it.each(read)('compiles %s', async (_, code) => {
    await checkByDawn(linked(code), 'main');
    expect(errorOf(code)).toBeNull();
  });

  it.each(unread)('does not read %s', async (_, code) => {
    await checkByDawn(linked(code), 'main');
    const error = errorOf(code);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as Error).message).toMatch(
      /^\[wasm\] given:\d+:\d+: expected .*; use the backend "webgpu" or "cpu"$/,
    );
  });

  it('compiles them in any order, inside of one another', () => {
    const bodies = fc.array(fc.constantFrom(...readBodies), { minLength: 2, maxLength: 4 });
    const frames = fc.constantFrom(
      '{ @ }',
      'if (i > 1u) { @ }',
      'for (var n = 0u; n < i; n++) { @ }',
      'while (i < 3u) { @ }',
    );
    fc.assert(
      fc.property(bodies, fc.array(frames, { minLength: 4, maxLength: 4 }), (chosen, around) => {
        const text = chosen.map((body, i) => around[i]!.replace('@', body)).join('\n');
        expect(errorOf(ofBody(text))).toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});
