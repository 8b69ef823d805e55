/** Compiling linked programs, with the compiler's messages mapped back to file and line. */
import { CompileError } from '../../../base/errors.ts';
import { exactAdvice } from './declarations.ts';
import type { Program } from './link.ts';

/**
 * Compiles one entry point.
 * @throws CompileError that lists each compiler error as `file:line:column message`
 */
export async function compile(
  device: GPUDevice,
  program: Program,
  entryPoint: string,
  layout: GPUPipelineLayout | 'auto',
  constants: Readonly<Record<string, number>>,
): Promise<GPUComputePipeline> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code: program.code, label: entryPoint });
  // Closed before anything is waited for: scopes are a stack, and several programs may be compiled at once.
  const scope = device.popErrorScope();
  const info = await module.getCompilationInfo();
  const scopeError = await scope;
  const errors = info.messages.filter((m) => m.type === 'error');
  if (errors.length > 0) {
    const lines = errors.map((m) => {
      const at = program.locate(m.lineNum);
      const advice = /'F64', got '(?:f32|abstract-float)'/.test(m.message) ? `; ${exactAdvice}` : '';
      return `${at.path}:${at.line}:${m.linePos} ${m.message}${advice}`;
    });
    throw new CompileError('wgsl', `the shader does not compile:\n  ${lines.join('\n  ')}`);
  }
  if (scopeError) throw new CompileError('wgsl', `the shader does not compile: ${scopeError.message}`);
  try {
    return await device.createComputePipelineAsync({
      label: entryPoint,
      layout,
      compute: { module, entryPoint, constants },
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CompileError('wgsl', `the device refuses the program for "${entryPoint}": ${message}`, { cause });
  }
}
