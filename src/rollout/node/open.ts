/** Opens a backend by name. */
import { AdapterError, UsageError } from '../../base/errors.ts';
import type { Backend, BackendChoice } from '../backend.ts';
import { openCpuBackend } from '../cpu/node/backend.ts';

/** Whether the backend may run on a WebGPU adapter. */
export function takesAdapter(choice: BackendChoice): boolean {
  return choice === 'webgpu' || choice === 'auto';
}

export interface BackendOptions {
  /** WebGPU adapter by name or number; null: the one that Dawn offers */
  readonly adapter?: string | null;
  /** gets which backend was chosen, and why */
  readonly note?: (text: string) => void;
}

/**
 * Opens the backend. `auto` is webgpu when a hardware adapter answers, or any that is named, else cpu; `note` gets which
 * one and why, so that a fallback is never silent. A software adapter is used only when it or webgpu is asked for.
 * @throws AdapterError when webgpu or an adapter is asked for and there is none
 * @throws UsageError when gpujs is asked for and the package is not installed, or an adapter for another backend
 */
export async function openBackend(
  choice: BackendChoice,
  { adapter = null, note = () => {} }: BackendOptions = {},
): Promise<Backend> {
  if (adapter !== null && !takesAdapter(choice)) {
    throw new UsageError(
      '--adapter',
      `expected the backend webgpu or auto, got ${choice}; add --backend webgpu, or leave --adapter out`,
    );
  }
  if (choice === 'cpu') return openCpuBackend();
  if (choice === 'wasm') {
    const { openWasmBackend } = await import('../wasm/node/backend.ts');
    return openWasmBackend();
  }
  if (choice === 'gpujs') {
    const { openGpujsBackend } = await import('../gpujs/node/open.ts');
    const backend = await openGpujsBackend();
    note(`backend: gpujs, ${backend.adapter}`);
    return backend;
  }
  const isRequired = choice === 'webgpu' || adapter !== null;
  // Loaded here: the cpu backend also works on platforms without Dawn.
  const { openWebGpuBackend } = await import('../webgpu/node/backend.ts');
  const { openDevice } = await import('../webgpu/node/dawn.ts');
  try {
    const gpu = await openDevice({ adapter, explain: isRequired });
    if (isRequired || !gpu.adapter.software) {
      note(`backend: webgpu on ${gpu.adapter.name}${gpu.adapter.software ? ' (software: right, but slow)' : ''}`);
      return await openWebGpuBackend({ gpu });
    }
    gpu.close();
    note(`backend: cpu (the only WebGPU adapter is a software one: ${gpu.adapter.name})`);
  } catch (error) {
    if (isRequired || !(error instanceof AdapterError)) throw error;
    note('backend: cpu (no WebGPU adapter)');
  }
  return openCpuBackend();
}
