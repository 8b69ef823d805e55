/** A compiled program with its memory: buffers go in, invocations run, buffers come out. */
import { R2poError } from '../../base/errors.ts';
import type { Layout } from './compile/program.ts';
import type { CompiledModule } from './module-cache.ts';

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}
/** Opaque: the engine's own. */
export type WasmModule = object;
/** What is used of the engine's `WebAssembly`, which the types of neither Node nor WebGPU declare. */
interface WasmEngine {
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule>;
  instantiate(module: WasmModule, imports: unknown): Promise<WasmInstance>;
}

const engine = (): WasmEngine | undefined =>
  (globalThis as unknown as { readonly WebAssembly?: WasmEngine }).WebAssembly;

/** Whether this engine runs WebAssembly at all; without it, Node has no working fetch either. */
export const hasWebAssembly = (): boolean => engine() !== undefined;

const pageBytes = 65536;

/** Whether this engine runs WebAssembly with SIMD. */
export function hasSimd(): boolean {
  // A function that returns i8x16.splat(0).
  const probe = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
  return engine()?.validate(Uint8Array.from(probe)) ?? false;
}

export const compileModule = (bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule> => engine()!.compile(bytes);

/** Tries to get memory. */
function orTooLittle<T>(pages: number, get: () => T): T {
  try {
    return get();
  } catch (cause) {
    throw new R2poError(
      'wasm',
      `expected ${Math.ceil((pages * pageBytes) / 2 ** 20)} MiB of memory, got less; use --backend cpu, or fewer threads`,
      { cause },
    );
  }
}

/** Makes a memory at least so large. */
function growTo(memory: WasmMemory, bytes: number): void {
  const pages = Math.ceil(bytes / pageBytes);
  const missing = pages - memory.buffer.byteLength / pageBytes;
  if (missing > 0) orTooLittle(pages, () => memory.grow(missing));
}

/** A new instance, with a memory of its own. */
async function instantiate(module: WasmModule, pages: number): Promise<{ memory: WasmMemory; instance: WasmInstance }> {
  const memory = orTooLittle(pages, () => new (engine()!.Memory)({ initial: pages }));
  return { memory, instance: await engine()!.instantiate(module, { env: { memory } }) };
}

const alignment = 16;

/** Data of a buffer, or the number of words that the program writes. */
export type BufferGiven = Uint32Array | Float32Array | { readonly words: number };

export class ProgramInstance {
  readonly #layout: Layout;
  readonly #memory: WasmMemory;
  readonly #run: (first: number, end: number) => void;

  private constructor(layout: Layout, memory: WasmMemory, instance: WasmInstance) {
    this.#layout = layout;
    this.#memory = memory;
    this.#run = instance.exports.run as (first: number, end: number) => void;
  }

  static async open(compiled: CompiledModule): Promise<ProgramInstance> {
    const { memory, instance } = await instantiate(compiled.module, Math.ceil(compiled.end / pageBytes));
    return new ProgramInstance(compiled, memory, instance);
  }

  /** Places buffers by binding; the result reads the words of one. Views end with the next call. */
  place(buffers: readonly BufferGiven[]): (binding: number) => Uint32Array {
    const { fixedBuffers, strides, end } = this.#layout;
    let free = Math.ceil(end / alignment) * alignment;
    const places = buffers.map((given, binding) => {
      const fixed = fixedBuffers.get(binding);
      const words = 'words' in given ? given.words : given.length;
      const at = fixed ?? free;
      if (fixed === undefined) free += Math.ceil(Math.max(4 * words, alignment) / alignment) * alignment;
      return { at, words };
    });
    growTo(this.#memory, free);
    const { buffer } = this.#memory;
    const table = new Uint32Array(buffer, 0, 2 * buffers.length);
    buffers.forEach((given, binding) => {
      const { at, words } = places[binding]!;
      const stride = strides.get(binding);
      if (stride !== undefined) {
        table[2 * binding] = at;
        table[2 * binding + 1] = Math.max(1, Math.floor((4 * words) / stride));
      }
      if (given instanceof Float32Array) new Float32Array(buffer, at, words).set(given);
      else if (given instanceof Uint32Array) new Uint32Array(buffer, at, words).set(given);
    });
    return (binding) => new Uint32Array(this.#memory.buffer, places[binding]!.at, places[binding]!.words);
  }

  /** Runs the invocations `0 ... count - 1`. */
  run(count: number): void {
    this.#run(0, count);
  }
}
