/** Runs the kernels of kernel.ts compiled to WebAssembly. */
import { readAsset } from '../../src/base/node/assets.ts';
import { ProgramInstance } from '../../src/rollout/wasm/instance.ts';
import { compiledModule } from '../../src/rollout/wasm/module-cache.ts';
import { checkByDawn } from '../../src/rollout/wasm/node/backend.ts';
import { link, type Program } from '../../src/rollout/webgpu/program/link.ts';
import type { Kernel } from './kernel.ts';

export const frame = (invocations: number): string => `
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
override invocations: u32 = ${invocations}u;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < invocations) {
    kernel(id.x);
  }
}
`;

export function linkKernel({ files, code, invocations }: Pick<Kernel, 'files' | 'code' | 'invocations'>): Program {
  return link([
    ...files.map((path) => ({ path: `shaders/${path}`, text: readAsset(`shaders/${path}`) })),
    { path: 'kernel', text: code, declares: ['kernel'], isForeign: true },
    { path: 'frame', text: frame(invocations) },
  ]);
}

/** Runs the kernel and returns what it wrote, `outputWords` 32-bit words. */
export async function runWasmKernel(kernel: Kernel): Promise<ArrayBuffer> {
  const instance = await ProgramInstance.open(await compiledModule(linkKernel(kernel), 'main', checkByDawn));
  const read = instance.place([kernel.input, { words: kernel.outputWords }]);
  // More invocations than the kernel has: the last ones do nothing.
  instance.run(kernel.invocations + 3);
  return read(1).slice().buffer as ArrayBuffer;
}
