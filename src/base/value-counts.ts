/** How often each value occurs among numbers that have few different ones, as the returns of most games. */

/** More different values are not counted. */
const maxValues = 1024;
const slotBits = 11;

export interface CountedValue {
  readonly value: number;
  readonly count: number;
  /** index of the first number with this value */
  readonly first: number;
}

/** Numbers come in parts, in any order; none is NaN. */
export class ValueCounts {
  readonly #slots = new Int32Array(2 ** slotBits).fill(-1);
  readonly #values = new Float64Array(maxValues);
  readonly #counts = new Float64Array(maxValues);
  readonly #firsts = new Float64Array(maxValues).fill(Infinity);
  #size = 0;
  #seen = 0;
  #sorted: readonly CountedValue[] | null = null;

  /**
   * Counts more numbers; the first of them has the index `from`. false: now more than 1024 of them differ, and the counts are
   * of no use.
   */
  add(values: Float64Array, from: number): boolean {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    const [counts, firsts] = [this.#counts, this.#firsts];
    for (let i = 0; i < values.length; i++) {
      const at = this.#placeOf(values[i]!, words[2 * i]!, words[2 * i + 1]!);
      if (at < 0) return false;
      if (from + i < firsts[at]!) firsts[at] = from + i;
      counts[at]!++;
    }
    this.#seen += values.length;
    this.#sorted = null;
    return true;
  }

  /** Adds what was counted of other numbers, whose number 0 has the index `from` here; false: as `add`. */
  merge(others: readonly CountedValue[], from: number): boolean {
    const values = Float64Array.from(others, ({ value }) => value);
    const words = new Uint32Array(values.buffer);
    for (const [i, { value, count, first }] of others.entries()) {
      const at = this.#placeOf(value, words[2 * i]!, words[2 * i + 1]!);
      if (at < 0) return false;
      this.#firsts[at] = Math.min(this.#firsts[at]!, from + first);
      this.#counts[at]! += count;
      this.#seen += count;
    }
    this.#sorted = null;
    return true;
  }

  /** Where a value is counted, from its two words; -1: nowhere, there are too many. */
  #placeOf(value: number, low: number, high: number): number {
    const [slots, found] = [this.#slots, this.#values];
    const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    let slot = hash >>> (32 - slotBits);
    let at = slots[slot]!;
    while (at !== -1 && found[at] !== value) {
      slot = (slot + 1) & (slots.length - 1);
      at = slots[slot]!;
    }
    if (at !== -1) return at;
    if (this.#size === maxValues) return -1;
    at = this.#size++;
    slots[slot] = at;
    found[at] = value;
    return at;
  }

  /** The mean, correctly rounded; null: a value is no whole number or is -0, or their sum may not be exact. */
  wholeMean(): number | null {
    let [sum, size] = [0, 0];
    for (const { value, count } of this.ascending()) {
      if (!Number.isInteger(value) || Object.is(value, -0)) return null;
      sum += value * count;
      size += Math.abs(value) * count;
    }
    return size <= Number.MAX_SAFE_INTEGER ? sum / this.#seen : null;
  }

  /** The value at a 0-based rank of the sorted numbers. */
  at(rank: number): number {
    let before = 0;
    const found = this.ascending().find(({ count }) => {
      before += count;
      return rank < before;
    });
    if (!found) throw new Error(`expected a rank below ${before}, got ${rank}`);
    return found.value;
  }

  /** Index of the first number that is closest to a target. */
  nearest(target: number): number {
    let [distance, first] = [Infinity, 0];
    for (const one of this.ascending()) {
      const own = Math.abs(one.value - target);
      if (own < distance || (own === distance && one.first < first)) [distance, first] = [own, one.first];
    }
    return first;
  }

  /** Each value once, the lowest first. */
  ascending(): readonly CountedValue[] {
    this.#sorted ??= Array.from({ length: this.#size }, (_, at) => ({
      value: this.#values[at]!,
      count: this.#counts[at]!,
      first: this.#firsts[at]!,
    })).sort((a, b) => a.value - b.value || (Object.is(a.value, -0) ? -1 : 1));
    return this.#sorted;
  }
}
