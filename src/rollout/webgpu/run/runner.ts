/**
 * Runs compute programs on one device: compiles once per text, keeps its buffers between calls, and hands results out
 * while they are mapped. It knows bindings and bytes, not episodes.
 */

import type { GpuDevice } from '../device.ts';
import type { Program } from '../program/link.ts';
import { compile } from '../program/pipeline.ts';
import { BindGroups } from './bind-groups.ts';
import { GrowingBuffer, ReadbackPool } from './buffers.ts';

/** WebGPU's guaranteed number of workgroups per dimension; more go into a second one. */
const maxGroupsPerDimension = 65535;
const timestampBytes = 16;
/** Words up to which an upload is compared with the one before it; to compare more takes longer than it saves. */
const comparedWords = 256;

/** How to make a kernel of a program; see `Kernel`. */
export interface EntryPoint {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** the program's `override` constants */
  readonly constants: Readonly<Record<string, number>>;
}

/** A compiled entry point; its bindings are the inputs (read-only), then the outputs, from 0 on. */
export interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export interface Dispatch {
  readonly kernel: Kernel;
  /** inputs, then outputs */
  readonly bindings: readonly GPUBufferBinding[];
  readonly workgroups: number;
}

/** Bytes to bring back. */
export interface Copy {
  readonly from: GPUBuffer;
  readonly bytes: number;
}

/** One submission: dispatches in this order, each of which sees what those before it wrote. */
export interface Submission {
  /** set to zero before all */
  readonly clear?: readonly GPUBuffer[];
  readonly dispatches: readonly Dispatch[];
  readonly copies?: readonly Copy[];
  readonly timing?: boolean;
}

/** Valid only inside `consume`: the memory is unmapped afterwards. */
export interface Results {
  f32(copy: number): Float32Array;
  u32(copy: number): Uint32Array;
  /** null when timing was not asked for or is not supported */
  readonly gpuSeconds: number | null;
}

export class Runner {
  readonly #gpu: GpuDevice;
  readonly #kernels = new Map<string, Promise<Kernel>>();
  /** the same by program, whose text need not be looked at again */
  readonly #known = new WeakMap<Program, Map<string, Promise<Kernel>>>();
  /** by their numbers of inputs and outputs, so that programs can share bind groups */
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #groups: BindGroups;
  readonly #buffers = new Map<string, GrowingBuffer>();
  /** what a buffer holds that only uploads have written to */
  readonly #uploaded = new Map<string, { readonly buffer: GPUBuffer; readonly words: Uint32Array }>();
  readonly #readbacks: ReadbackPool;
  #clock: { readonly queries: GPUQuerySet; readonly resolved: GPUBuffer } | null = null;

  constructor(gpu: GpuDevice) {
    this.#gpu = gpu;
    this.#groups = new BindGroups(gpu.device);
    this.#readbacks = new ReadbackPool(gpu.device);
  }

  /** The compiled entry point of a program; compiled at most once per text and constants. */
  kernel(program: Program, entry: EntryPoint): Promise<Kernel> {
    const known = this.#known.get(program) ?? new Map<string, Promise<Kernel>>();
    this.#known.set(program, known);
    const name = `${entry.name} ${JSON.stringify(entry.constants)}`;
    let kernel = known.get(name);
    if (!kernel) {
      const key = `${name}\n${program.code}`;
      kernel = this.#kernels.get(key) ?? this.#compile(program, entry);
      this.#kernels.set(key, kernel);
      known.set(name, kernel);
    }
    return kernel;
  }

  async #compile(program: Program, { name, inputs, outputs, constants }: EntryPoint): Promise<Kernel> {
    const { device } = this.#gpu;
    const layout = this.#layoutOf(inputs, outputs);
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    return { pipeline: await compile(device, program, name, pipelineLayout, constants), layout };
  }

  #layoutOf(inputs: number, outputs: number): GPUBindGroupLayout {
    const key = `${inputs} ${outputs}`;
    let layout = this.#layouts.get(key);
    if (!layout) {
      // An explicit layout: an entry point that ignores a binding would otherwise get a layout without it.
      layout = this.#gpu.device.createBindGroupLayout({
        entries: Array.from({ length: inputs + outputs }, (_, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: binding < inputs ? ('read-only-storage' as const) : ('storage' as const) },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /** The buffer of this name, of at least `bytes`, to be written to; calls share it, so they take turns. */
  buffer(name: string, bytes: number): GPUBuffer {
    this.#uploaded.delete(name);
    return this.#bufferOf(name, bytes);
  }

  #bufferOf(name: string, bytes: number): GPUBuffer {
    let buffer = this.#buffers.get(name);
    if (!buffer) {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
      buffer = new GrowingBuffer(this.#gpu.device, name, usage);
      this.#buffers.set(name, buffer);
    }
    return buffer.atLeast(bytes);
  }

  /**
   * The buffer of this name with `data` in it, for everything that is submitted from now on. Programs only read it:
   * what it holds already is not written again.
   */
  upload(name: string, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.#bufferOf(name, data.byteLength);
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    const before = this.#uploaded.get(name);
    const same = before?.buffer === buffer && before.words.length === words.length;
    if (same && before.words.every((word, i) => word === words[i])) return buffer;
    this.#gpu.device.queue.writeBuffer(buffer, 0, data);
    if (words.length <= comparedWords) this.#uploaded.set(name, { buffer, words: words.slice() });
    else this.#uploaded.delete(name);
    return buffer;
  }

  /**
   * Submits the work and gives what it copies to `consume`. Submissions run one after the other; the next one may be
   * submitted before this one is done.
   * @throws R2poError when the device is lost or reports an error
   */
  async submit<T>(submission: Submission, consume: (results: Results) => T): Promise<T> {
    this.#gpu.check();
    const { device } = this.#gpu;
    const { dispatches, copies = [], clear = [] } = submission;
    const clock = submission.timing ? this.#openClock() : null;
    const encoder = device.createCommandEncoder();
    for (const buffer of clear) encoder.clearBuffer(buffer);
    const pass = encoder.beginComputePass(
      clock
        ? { timestampWrites: { querySet: clock.queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } }
        : {},
    );
    for (const { kernel, bindings, workgroups } of dispatches) {
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, this.#groups.of(kernel.layout, bindings));
      const rows = Math.ceil(workgroups / maxGroupsPerDimension);
      pass.dispatchWorkgroups(Math.ceil(workgroups / rows), rows);
    }
    pass.end();

    const offsets: number[] = [];
    let size = 0;
    for (const { bytes } of copies) {
      offsets.push(size);
      size += bytes;
    }
    const stampsAt = Math.ceil(size / 8) * 8;
    const all = stampsAt + timestampBytes;
    const readback = this.#readbacks.take(all);
    copies.forEach(({ from, bytes }, i) => {
      if (bytes > 0) encoder.copyBufferToBuffer(from, 0, readback, offsets[i]!, bytes);
    });
    if (clock) {
      encoder.resolveQuerySet(clock.queries, 0, 2, clock.resolved, 0);
      encoder.copyBufferToBuffer(clock.resolved, 0, readback, stampsAt, timestampBytes);
    }
    device.queue.submit([encoder.finish()]);

    try {
      await readback.mapAsync(GPUMapMode.READ, 0, all);
    } catch (error) {
      throw await this.#gpu.reasonOf(error);
    }
    try {
      this.#gpu.check();
      const memory = readback.getMappedRange(0, all);
      const stamps = clock ? new BigUint64Array(memory, stampsAt, 2) : null;
      return consume({
        f32: (i) => new Float32Array(memory, offsets[i], copies[i]!.bytes / 4),
        u32: (i) => new Uint32Array(memory, offsets[i], copies[i]!.bytes / 4),
        gpuSeconds: stamps ? Number(stamps[1]! - stamps[0]!) / 1e9 : null,
      });
    } finally {
      readback.unmap();
      this.#readbacks.give(readback);
    }
  }

  #openClock(): { readonly queries: GPUQuerySet; readonly resolved: GPUBuffer } | null {
    if (!this.#gpu.adapter.timestamps) return null;
    const { device } = this.#gpu;
    this.#clock ??= {
      queries: device.createQuerySet({ type: 'timestamp', count: 2 }),
      resolved: device.createBuffer({
        size: timestampBytes,
        usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
      }),
    };
    return this.#clock;
  }
}
