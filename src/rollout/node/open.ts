/** Opens a backend by name. */
import { AdapterError } from '../../base/errors.ts';
import type { Backend, BackendChoice } from '../backend.ts';
import { openCpuBackend } from '../cpu/node/backend.ts';

/**
 * Opens the backend. `auto` is webgpu when a hardware adapter answers, else cpu; `note` gets which one and why, so
 * that a fallback is never silent. A software adapter is used only when webgpu is asked for by name.
 * @throws AdapterError when webgpu is asked for and there is no adapter
 * @throws UsageError when gpujs is asked for and the package is not installed
 */
export async function openBackend(choice: BackendChoice, note: (text: string) => void = () => {}): Promise<Backend> {
  if (choice === 'cpu') return openCpuBackend();
  if (choice === 'gpujs') {
    const { openGpujsBackend } = await import('../gpujs/node/open.ts');
    const backend = await openGpujsBackend();
    note(`backend: gpujs, ${backend.adapter}`);
    return backend;
  }
  // Loaded here: the cpu backend also works on platforms without Dawn.
  const { openWebGpuBackend } = await import('../webgpu/node/backend.ts');
  const { openDevice } = await import('../webgpu/node/dawn.ts');
  try {
    const gpu = await openDevice();
    if (choice === 'webgpu' || !gpu.adapter.software) {
      note(`backend: webgpu on ${gpu.adapter.name}${gpu.adapter.software ? ' (software: right, but slow)' : ''}`);
      return await openWebGpuBackend({ gpu });
    }
    gpu.close();
    note(`backend: cpu (the only WebGPU adapter is a software one: ${gpu.adapter.name})`);
  } catch (error) {
    if (choice === 'webgpu' || !(error instanceof AdapterError)) throw error;
    note('backend: cpu (no WebGPU adapter)');
  }
  return openCpuBackend();
}
