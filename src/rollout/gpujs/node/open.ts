/** Loading the optional package gpu.js. */
import { createRequire } from 'node:module';
import { UsageError } from '../../../base/errors.ts';
import type { Backend } from '../../backend.ts';
import { type GpuJs, GpujsBackend } from '../backend.ts';

export interface GpujsOptions {
  /** loads the package; for tests */
  readonly load?: () => Promise<unknown>;
}

/** @throws UsageError when the package gpu.js is not installed */
export async function openGpujsBackend(options: GpujsOptions = {}): Promise<Backend> {
  const loaded = await loadGpuJs(options.load ?? (() => import('gpu.js')));
  return new GpujsBackend(loaded, gpujsVersion());
}

/** Name and version of the installed package with the mode that it runs in, null when there is none. */
export function gpujsVersion(): string | null {
  try {
    const { version } = createRequire(import.meta.url)('gpu.js/package.json') as { version: string };
    return `GPU.js ${version} (WebAssembly, no GPU)`;
  } catch {
    return null;
  }
}

async function loadGpuJs(load: () => Promise<unknown>): Promise<GpuJs> {
  try {
    const module = (await load()) as GpuJs & { readonly default?: GpuJs };
    return module.default ?? module;
  } catch (cause) {
    const detail = 'the backend "gpujs" needs the package gpu.js, which is not installed; run "npm install gpu.js"';
    throw new UsageError('--backend', detail, cause);
  }
}
