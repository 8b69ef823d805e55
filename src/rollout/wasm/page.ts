/** The wasm backend in a page: the shaders of the bundle, on the calling thread. */
import type { Backend } from '../backend.ts';
import { bundledShader, openPageDevice } from '../webgpu/page.ts';
import { WasmBackend } from './backend.ts';
import { checkOn, onlyForeign } from './shader-check.ts';

/**
 * Opens the wasm backend. The shader of a custom environment is checked by the WebGPU of the page, without which it is
 * refused. Throws a usage error when the page has no WebAssembly with SIMD.
 */
export function openWasmBackend(): Backend {
  return new WasmBackend(bundledShader, onlyForeign(checkOn(openPageDevice)));
}
