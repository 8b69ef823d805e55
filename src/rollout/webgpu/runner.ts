/**
 * Runs compute programs on one device: compiles once per text, keeps its buffers between calls, and hands results out
 * while they are mapped. It knows bindings and bytes, not episodes.
 */
import { GrowingBuffer } from './buffers.ts';
import type { GpuDevice } from './device.ts';
import type { Program } from './link.ts';
import { compile } from './pipeline.ts';

const workgroupSize = 64;
/** WebGPU's guaranteed number of workgroups per dimension; more go into a second one. */
const maxGroupsPerDimension = 65535;
const timestampBytes = 16;

/** A compiled entry point; its bindings are the inputs (read-only), then the outputs, from 0 on. */
export interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly inputs: number;
  readonly outputs: number;
}

export interface Pass {
  readonly kernel: Kernel;
  readonly invocations: number;
  /** bytes to upload per input binding; null keeps what the binding held in the pass before */
  readonly inputs: readonly (Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | null)[];
  /** bytes to bring back per output binding; 0 for an output that this pass does not write */
  readonly outputBytes: readonly number[];
  readonly timing?: boolean;
}

/** Valid only inside `consume`: the memory is unmapped afterwards. */
export interface PassResult {
  f32(output: number): Float32Array;
  u32(output: number): Uint32Array;
  /** null when timing was not asked for or is not supported */
  readonly gpuSeconds: number | null;
}

export class Runner {
  readonly #gpu: GpuDevice;
  readonly #kernels = new Map<string, Promise<Kernel>>();
  readonly #inputs: GrowingBuffer[] = [];
  readonly #outputs: GrowingBuffer[] = [];
  readonly #readback: GrowingBuffer;
  #clock: { readonly queries: GPUQuerySet; readonly resolved: GPUBuffer } | null = null;

  constructor(gpu: GpuDevice) {
    this.#gpu = gpu;
    this.#readback = new GrowingBuffer(gpu.device, 'readback', GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** The compiled entry point of a program; compiled at most once per text. */
  kernel(program: Program, entryPoint: string, inputs: number, outputs: number): Promise<Kernel> {
    const key = `${entryPoint}\n${program.code}`;
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = this.#compile(program, entryPoint, inputs, outputs);
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  async #compile(program: Program, entryPoint: string, inputs: number, outputs: number): Promise<Kernel> {
    const { device } = this.#gpu;
    // An explicit layout: an entry point that ignores a binding would otherwise get a layout without it.
    const layout = device.createBindGroupLayout({
      entries: Array.from({ length: inputs + outputs }, (_, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: binding < inputs ? ('read-only-storage' as const) : ('storage' as const) },
      })),
    });
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const constants = { WORKGROUP_SIZE: workgroupSize };
    const pipeline = await compile(device, program, entryPoint, pipelineLayout, constants);
    return { pipeline, layout, inputs, outputs };
  }

  /**
   * Runs one compute pass and gives its outputs to `consume`.
   * @throws R2poError when the device is lost or reports an error
   */
  async run<T>(pass: Pass, consume: (result: PassResult) => T): Promise<T> {
    this.#gpu.check();
    const { device } = this.#gpu;
    const { kernel } = pass;
    const inputs = Array.from({ length: kernel.inputs }, (_, i) => {
      this.#inputs[i] ??= this.#growing(`input ${i}`, GPUBufferUsage.COPY_DST);
      const data = pass.inputs[i];
      const buffer = this.#inputs[i].atLeast(data?.byteLength ?? 0);
      if (data) device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    });
    const outputs = Array.from({ length: kernel.outputs }, (_, i) => {
      this.#outputs[i] ??= this.#growing(`output ${i}`, GPUBufferUsage.COPY_SRC);
      return this.#outputs[i].atLeast(pass.outputBytes[i]);
    });
    const clock = pass.timing ? this.#openClock() : null;
    const encoder = device.createCommandEncoder();
    const compute = encoder.beginComputePass(
      clock
        ? { timestampWrites: { querySet: clock.queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } }
        : {},
    );
    compute.setPipeline(kernel.pipeline);
    compute.setBindGroup(
      0,
      device.createBindGroup({
        layout: kernel.layout,
        entries: [...inputs, ...outputs].map((buffer, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    const groups = Math.ceil(pass.invocations / workgroupSize);
    const rows = Math.ceil(groups / maxGroupsPerDimension);
    compute.dispatchWorkgroups(Math.ceil(groups / rows), rows);
    compute.end();

    const offsets: number[] = [];
    let size = 0;
    for (const bytes of pass.outputBytes) {
      offsets.push(size);
      size += bytes;
    }
    const stampsAt = Math.ceil(size / 8) * 8;
    const readback = this.#readback.atLeast(stampsAt + timestampBytes);
    outputs.forEach((buffer, i) => {
      const bytes = pass.outputBytes[i];
      if (bytes > 0) encoder.copyBufferToBuffer(buffer, 0, readback, offsets[i], bytes);
    });
    if (clock) {
      encoder.resolveQuerySet(clock.queries, 0, 2, clock.resolved, 0);
      encoder.copyBufferToBuffer(clock.resolved, 0, readback, stampsAt, timestampBytes);
    }
    device.queue.submit([encoder.finish()]);

    await Promise.race([readback.mapAsync(GPUMapMode.READ, 0, stampsAt + timestampBytes), this.#gpu.lost]);
    try {
      this.#gpu.check();
      const memory = readback.getMappedRange(0, stampsAt + timestampBytes);
      const stamps = clock ? new BigUint64Array(memory, stampsAt, 2) : null;
      return consume({
        f32: (i) => new Float32Array(memory, offsets[i], pass.outputBytes[i] / 4),
        u32: (i) => new Uint32Array(memory, offsets[i], pass.outputBytes[i] / 4),
        gpuSeconds: stamps ? Number(stamps[1] - stamps[0]) / 1e9 : null,
      });
    } finally {
      readback.unmap();
    }
  }

  #growing(label: string, usage: GPUBufferUsageFlags): GrowingBuffer {
    return new GrowingBuffer(this.#gpu.device, label, GPUBufferUsage.STORAGE | usage);
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
