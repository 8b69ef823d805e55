/**
 * The box of CMA-ES: a smooth map of all vectors onto it, the identity but for a margin at each end, where it is a
 * parabola; outside it is mirrored. The `BoundTransform` of pycma.
 */
import type { RealSpace } from '../space.ts';

export class Box {
  readonly #low: number;
  readonly #high: number;
  readonly #lowMargin: number;
  readonly #highMargin: number;
  /** what `inside` mirrors at, once it is back in the period that begins with `#start` */
  readonly #start: number;
  readonly #end: number;
  readonly #period: number;

  constructor({ low, high }: Pick<RealSpace, 'low' | 'high'>) {
    this.#low = low;
    this.#high = high;
    this.#lowMargin = Math.min((high - low) / 2, Math.max(1, Math.abs(low)) / 20);
    this.#highMargin = Math.min((high - low) / 2, Math.max(1, Math.abs(high)) / 20);
    this.#start = low - 2 * this.#lowMargin - (high - low) / 2;
    this.#end = high + 2 * this.#highMargin + (high - low) / 2;
    this.#period = 2 * (high - low + this.#lowMargin + this.#highMargin);
  }

  /** A number of the box for any number. */
  inside(value: number): number {
    const low = this.#low;
    const high = this.#high;
    const a = this.#lowMargin;
    const b = this.#highMargin;
    let x = value;
    if (x < this.#start || x > this.#end) x -= this.#period * Math.floor((x - this.#start) / this.#period);
    if (x > high + b) x -= 2 * (x - high - b);
    if (x < low - a) x += 2 * (low - a - x);
    if (x < low + a) return low + (x - (low - a)) ** 2 / 4 / a;
    if (x > high - b) return high - (x - (high + b)) ** 2 / 4 / b;
    return x;
  }

  /** A number that `inside` maps to a number of the box. */
  outside(value: number): number {
    const low = this.#low;
    const high = this.#high;
    const a = this.#lowMargin;
    const b = this.#highMargin;
    if (value < low + a) return low - a + 2 * Math.sqrt(a * Math.max(0, value - low));
    if (value > high - b) return high + b - 2 * Math.sqrt(b * Math.max(0, high - value));
    return value;
  }
}
