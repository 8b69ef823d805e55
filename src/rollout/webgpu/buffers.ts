/** Buffers that live as long as the backend and grow when a call needs more. Whoever allocates, frees. */

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

  /** A buffer of at least `bytes`; the one from before when it is large enough. */
  atLeast(bytes: number): GPUBuffer {
    if (!this.#buffer || this.#buffer.size < bytes) {
      this.#buffer?.destroy();
      const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
      this.#buffer = this.#device.createBuffer({ label: this.#label, size, usage: this.#usage });
    }
    return this.#buffer;
  }
}
