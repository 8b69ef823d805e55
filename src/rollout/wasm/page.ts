/** The wasm backend in a page: the shaders of the bundle, on the calling thread. */
import type { Backend } from '../backend.ts';
import { bundledShader } from '../webgpu/page.ts';
import { WasmBackend } from './backend.ts';

/** Opens the wasm backend. Throws a usage error when the page has no WebAssembly with SIMD. */
export function openWasmBackend(): Backend {
  return new WasmBackend(bundledShader);
}
