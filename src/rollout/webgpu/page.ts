/** The WebGPU backend in a page: the page's own adapters, and the shaders of the bundle. */
import { AdapterError, R2poError } from '../../base/errors.ts';
import type { Backend } from '../backend.ts';
import { WebGpuBackend, type WebGpuOptions } from './backend.ts';
import { type GpuDevice, openGpuDevice } from './device.ts';
import { shaderTexts } from './program/shader-texts.ts';

/** `readShader` for the shaders of the bundle. */
export function bundledShader(path: string): string {
  const text = shaderTexts[path];
  if (text === undefined) {
    throw new R2poError('webgpu', `expected the shader "${path}" in the bundle, found none; run "npm run build"`);
  }
  return text;
}

async function pageAdapter(): Promise<GPUAdapter> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  const adapter = await navigator?.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return adapter;
  throw new AdapterError(
    'webgpu',
    'expected a WebGPU adapter of this page, found none; open it over https or from localhost in a browser with WebGPU, ' +
      'or use the float64 backend',
  );
}

/** Opens a device on the adapter that the page prefers. Throws `AdapterError` when there is none. */
export const openPageDevice = (): Promise<GpuDevice> => openGpuDevice(pageAdapter, 'largest');

/**
 * Opens the WebGPU backend on `options.gpu`, or on the adapter that `navigator.gpu` prefers. Throws `AdapterError` when
 * there is no adapter.
 */
export async function openWebGpuBackend(options: Partial<WebGpuOptions> = {}): Promise<Backend> {
  const gpu = options.gpu ?? (await openPageDevice());
  return new WebGpuBackend({ readShader: bundledShader, ...options, gpu });
}
