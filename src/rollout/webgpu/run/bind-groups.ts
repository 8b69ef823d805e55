/** Bind groups, kept for the calls that bind the same buffers again: to make one takes longer than to dispatch. */

/** Maximum number of kept groups: those of several programs, and of a call whose outcomes take a few buffers. */
const kept = 64;

export class BindGroups {
  readonly #device: GPUDevice;
  /** by layout and bindings, the oldest first */
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #numbers = new WeakMap<object, number>();
  #next = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The group that binds these, from binding 0 on. A buffer that replaced another one is another buffer. */
  of(layout: GPUBindGroupLayout, bindings: readonly GPUBufferBinding[]): GPUBindGroup {
    let key = `${this.#numberOf(layout)}`;
    for (const { buffer, offset = 0, size = '' } of bindings) key += ` ${this.#numberOf(buffer)}:${offset}:${size}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const group = this.#device.createBindGroup({ layout, entries });
    if (this.#groups.size >= kept) {
      for (const oldest of this.#groups.keys()) {
        this.#groups.delete(oldest);
        break;
      }
    }
    this.#groups.set(key, group);
    return group;
  }

  #numberOf(object: object): number {
    let number = this.#numbers.get(object);
    if (number === undefined) {
      number = this.#next++;
      this.#numbers.set(object, number);
    }
    return number;
  }
}
