/** Bind groups, kept for the calls that bind the same buffers again: to make one takes longer than to dispatch. */
import { Numbering } from '../../../base/numbering.ts';

/** Maximum number of kept groups: those of several programs, and of a call whose outcomes take a few buffers. */
const kept = 64;

export class BindGroups {
  readonly #device: GPUDevice;
  /** by layout and bindings, the oldest first */
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #numbering = new Numbering();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The group that binds these, from binding 0 on. A buffer that replaced another one is another buffer. */
  of(layout: GPUBindGroupLayout, bindings: readonly GPUBufferBinding[]): GPUBindGroup {
    let key = `${this.#numbering.of(layout)}`;
    for (const { buffer, offset = 0, size = '' } of bindings) key += ` ${this.#numbering.of(buffer)}:${offset}:${size}`;
    const known = this.#groups.get(key);
    if (known) return known;
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const group = this.#device.createBindGroup({ layout, entries });
    const [oldest] = this.#groups.keys();
    if (oldest !== undefined && this.#groups.size >= kept) this.#groups.delete(oldest);
    this.#groups.set(key, group);
    return group;
  }
}
