/** The WebGPU backend in Node: a device of Dawn and the shipped shaders. */
import { readAsset } from '../../../base/node/assets.ts';
import type { Backend } from '../../backend.ts';
import { WebGpuBackend, type WebGpuOptions } from '../backend.ts';
import { openDevice } from './dawn.ts';

/** Opens the WebGPU backend. Throws `AdapterError` when there is no adapter. */
export async function openWebGpuBackend(options: Partial<WebGpuOptions> = {}): Promise<Backend> {
  return new WebGpuBackend({ readShader: readAsset, ...options, gpu: options.gpu ?? (await openDevice()) });
}
