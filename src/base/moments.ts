/** Sums, means and variances whose accuracy does not depend on the order or the number of the values. */

/**
 * The mean of values that are added in parts, on which it does not depend. The sum is compensated (Neumaier 1974), so
 * whole numbers give the exactly rounded mean. The mean of equal values is that value, although their rounded sum divided
 * by their number may differ.
 */
export class RunningMean {
  #n = 0;
  #sum = 0;
  #lost = 0;
  #first = Number.NaN;
  #constant = true;

  add(values: ArrayLike<number>): void {
    const n = values.length;
    if (n === 0) return;
    if (this.#n === 0) this.#first = values[0]!;
    const first = this.#first;
    let constant = this.#constant;
    let sum = this.#sum;
    let lost = this.#lost;
    for (let i = 0; i < n; i++) {
      const value = values[i]!;
      if (value !== first) constant = false;
      const next = sum + value;
      lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sum = next;
    }
    this.#n += n;
    this.#sum = sum;
    this.#lost = lost;
    this.#constant = constant;
  }

  /** NaN for no value. */
  get mean(): number {
    return this.#constant ? this.#first : (this.#sum + this.#lost) / this.#n;
  }
}

/** The sum of squared distances from `centre` of values that are added in parts; compensated like the mean. */
export class RunningSquares {
  readonly #centre: number;
  #sum = 0;
  #lost = 0;

  constructor(centre: number) {
    this.#centre = centre;
  }

  add(values: ArrayLike<number>): void {
    const n = values.length;
    const centre = this.#centre;
    let sum = this.#sum;
    let lost = this.#lost;
    for (let i = 0; i < n; i++) {
      const distance = values[i]! - centre;
      const square = distance * distance;
      const next = sum + square;
      lost += sum >= square ? sum - next + square : square - next + sum;
      sum = next;
    }
    this.#sum = sum;
    this.#lost = lost;
  }

  /** As if each value were added as often as it was counted, of which the rounded sum is the same. */
  addCounted(counted: readonly { readonly value: number; readonly count: number }[]): void {
    for (const { value, count } of counted) {
      const distance = value - this.#centre;
      // Powers of two times a square have no rounding error, but the square times the count may.
      let square = distance * distance;
      for (let left = count; left > 0; left = Math.floor(left / 2)) {
        if (left % 2 === 1) this.#addSquare(square);
        square *= 2;
      }
    }
  }

  #addSquare(square: number): void {
    const next = this.#sum + square;
    this.#lost += this.#sum >= square ? this.#sum - next + square : square - next + this.#sum;
    this.#sum = next;
  }

  get sum(): number {
    return this.#sum + this.#lost;
  }
}

/**
 * Sample mean and sample variance (n - 1; NaN for a single value). The squares are taken around the mean, so large means
 * keep small spreads, and values that are all the same do not vary.
 */
export function moments(values: ArrayLike<number>): { readonly mean: number; readonly variance: number } {
  const n = values.length;
  const mean = meanOf(values);
  const squares = new RunningSquares(mean);
  squares.add(values);
  return { mean, variance: n > 1 ? squares.sum / (n - 1) : NaN };
}

export function meanOf(values: ArrayLike<number>): number {
  const running = new RunningMean();
  running.add(values);
  return running.mean;
}
