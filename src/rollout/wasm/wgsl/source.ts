/**
 * The text of a linked program, and errors that name a place in the file that a piece of it came from. What is wrong in WGSL
 * was refused before (`ShaderCheck`); here is only what the compiler does not read.
 */
import { UnsupportedError } from '../../../base/errors.ts';

/** A linked program: src/rollout/webgpu/program/link.ts. */
export interface Linked {
  readonly code: string;
  locate(line: number): { readonly path: string; readonly line: number };
}

export class Source {
  readonly code: string;
  readonly #linked: Linked;

  constructor(linked: Linked) {
    this.code = linked.code;
    this.#linked = linked;
  }

  /** `path:line:column` of an offset. */
  place(at: number): string {
    const before = this.code.slice(0, Math.min(at, this.code.length)).split('\n');
    const { path, line } = this.#linked.locate(before.length);
    return `${path}:${line}:${before[before.length - 1]!.length + 1}`;
  }

  /** Refuses what WGSL has and this compiler does not read. */
  unsupported(at: number, message: string): never {
    throw new UnsupportedError('wasm', `${this.place(at)}: ${message}; use the backend "webgpu" or "cpu"`);
  }
}
