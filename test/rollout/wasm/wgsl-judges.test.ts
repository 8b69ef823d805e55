/** Which texts the compiler of wasm takes, refuses as wrong, and only does not read; and what a WebGPU adapter says of them. */
import { describe, expect, it } from 'vitest';
import { CompileError, UnsupportedError } from '../../../src/base/errors.ts';
import { compileProgram } from '../../../src/rollout/wasm/compile/program.ts';
import { openDevice } from '../../../src/rollout/webgpu/node/dawn.ts';
import { describeGpu } from '../../support/gpu.ts';
import { frame } from '../../support/wasm-kernel.ts';
import { right, unread, wrong } from '../../support/wgsl-cases.ts';

const linked = (code: string) => ({
  code: `${code}\n${frame(5)}`,
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
  it.each(right)('compiles %s', (_, code) => {
    expect(errorOf(code)).toBeNull();
  });

  it.each(wrong)('refuses %s', (_, code) => {
    const error = errorOf(code);
    expect(error).toBeInstanceOf(CompileError);
    expect(error).not.toBeInstanceOf(UnsupportedError);
    expect((error as Error).message).toMatch(/^\[wasm\] given:\d+:\d+: expected/);
  });

  it.each(unread)('does not read %s', (_, code) => {
    const error = errorOf(code);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as Error).message).toMatch(
      /^\[wasm\] given:\d+:\d+: expected .*; use the backend "webgpu" or "cpu"$/,
    );
  });
});

describeGpu('an adapter', () => {
  it('says the same of all of them', async () => {
    const gpu = await openDevice();
    const isWrong = async (code: string): Promise<boolean> => {
      gpu.device.pushErrorScope('validation');
      const module = gpu.device.createShaderModule({ code: linked(code).code });
      await gpu.device.popErrorScope();
      return (await module.getCompilationInfo()).messages.some(({ type }) => type === 'error');
    };
    const differing: string[] = [];
    for (const [list, wanted] of [
      [right, false],
      [wrong, true],
      [unread, false],
    ] as const) {
      for (const [name, code] of list) if ((await isWrong(code)) !== wanted) differing.push(name);
    }
    expect(differing).toEqual([]);
    gpu.close();
  });
});
