/** Buffers that live as long as the device and grow when a call needs more. Whoever allocates, frees. */

const smallest = 256;
/** Free readback buffers that are kept: one more than can be in use. */
const keptReadbacks = 3;

const roundUp = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(bytes, smallest)));

export class GrowingBuffer {
  readonly #device: GPUDevice;
  readonly #usage: GPUBufferUsageFlags;
  readonly #label: string;
  #buffer: GPUBuffer | null = null;

  constructor(device: GPUDevice, label: string, usage: GPUBufferUsageFlags) {
    this.#device = device;
    this.#label = label;
    this.#usage = usage;
  }

  /** A buffer of at least `bytes`; the one from before when it is large enough. Its contents do not survive growth. */
  atLeast(bytes: number): GPUBuffer {
    if (!this.#buffer || this.#buffer.size < bytes) {
      this.#buffer?.destroy();
      const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
      const size = Math.max(bytes, Math.min(roundUp(bytes), maxBufferSize, maxStorageBufferBindingSize));
      this.#buffer = this.#device.createBuffer({ label: this.#label, size, usage: this.#usage });
    }
    return this.#buffer;
  }
}

/** Buffers through which results come back, each lent to one submission at a time. */
export class ReadbackPool {
  readonly #device: GPUDevice;
  readonly #free: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  take(bytes: number): GPUBuffer {
    const at = this.#free.findIndex((buffer) => buffer.size >= bytes);
    if (at >= 0) return this.#free.splice(at, 1)[0]!;
    return this.#device.createBuffer({
      label: 'readback',
      size: roundUp(bytes),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** The buffer is unmapped. */
  give(buffer: GPUBuffer): void {
    this.#free.push(buffer);
    // The largest ones stay: they serve every need.
    this.#free.sort((a, b) => a.size - b.size);
    while (this.#free.length > keptReadbacks) this.#free.shift()?.destroy();
  }
}
