/**
 * The check of shaders before they are compiled here. It is that of a WebGPU implementation, whose front end is the one that
 * drivers run behind: what is wrong in WGSL is refused with the same words on every backend, and the compiler reads right
 * texts only.
 */
import { AdapterError, UnsupportedError } from '../../base/errors.ts';
import type { GpuDevice } from '../webgpu/device.ts';
import type { Program } from '../webgpu/program/link.ts';
import { compile } from '../webgpu/program/pipeline.ts';

/**
 * Refuses a program that is wrong. Texts of this package need no check: its tests have made it.
 *
 * @throws CompileError that lists what is wrong as `file:line:column message`
 * @throws UnsupportedError where nothing checks
 */
export type ShaderCheck = (program: Program, entry: string) => Promise<void>;

/** A check by a device, which is opened for each program and runs nothing. */
export function checkOn(open: () => Promise<GpuDevice>): ShaderCheck {
  return async (program, entry) => {
    const gpu = await open().catch((cause) => {
      if (!(cause instanceof AdapterError)) throw cause;
      const wanted = 'expected a WebGPU implementation that checks the shader of a custom environment, found none';
      throw new UnsupportedError('wasm', `${wanted}: ${cause.detail}`, { cause });
    });
    try {
      await compile(gpu.device, program, entry, 'auto', {});
    } finally {
      gpu.close();
    }
  };
}

/** The same for programs that are not of this package. */
export function onlyForeign(check: ShaderCheck): ShaderCheck {
  return async (program, entry) => {
    if (!program.isShipped) await check(program, entry);
  };
}
