/** What is known of the returns that were played so far: mean with interval, successes, and their histogram. */
import { moments } from '../../../base/moments.ts';
import { meanInterval } from '../../../stats/intervals.ts';

export interface Bin {
  /** from `low` up to, without, `low + width` */
  readonly low: number;
  readonly count: number;
}

export interface TallyView {
  readonly episodes: number;
  readonly mean: number;
  /** null: a single episode */
  readonly ci95: readonly [number, number] | null;
  readonly min: number;
  readonly max: number;
  /** share of the episodes with at least the threshold */
  readonly success: number;
  readonly binWidth: number;
  readonly bins: readonly Bin[];
}

const mostBins = 60;

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function niceWidth(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((width) => width >= least * (1 - 1e-12)) ?? 10 * power;
}

/** Added in batches, whose order and size the result does not depend on but by rounding. */
export class Tally {
  readonly #threshold: number;
  readonly #batches: Float64Array[] = [];
  #episodes = 0;
  #mean = 0;
  #squares = 0;
  #successes = 0;
  #min = Infinity;
  #max = -Infinity;
  #width = 1;
  /** by their number: `floor(return / width)` */
  #bins = new Map<number, number>();
  #areWhole = true;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  get episodes(): number {
    return this.#episodes;
  }

  /** Throws nothing: a return that is not finite has been refused by what played it. */
  add(returns: Float64Array): void {
    const n = returns.length;
    if (n === 0) return;
    this.#batches.push(returns);
    const { mean, variance } = moments(returns);
    const total = this.#episodes + n;
    const distance = mean - this.#mean;
    // Chan, Golub and LeVeque (1979).
    this.#squares += (n > 1 ? variance * (n - 1) : 0) + (distance * distance * this.#episodes * n) / total;
    this.#mean += (distance * n) / total;
    this.#episodes = total;
    let [min, max] = [this.#min, this.#max];
    for (const value of returns) {
      if (value < min) min = value;
      if (value > max) max = value;
      if (value >= this.#threshold) this.#successes++;
      if (!Number.isInteger(value)) this.#areWhole = false;
    }
    [this.#min, this.#max] = [min, max];
    const fitting = this.#areWhole ? Math.max(1, niceWidth((max - min) / mostBins)) : niceWidth((max - min) / mostBins);
    if (fitting !== this.#width) {
      this.#width = fitting;
      this.#bins = new Map();
      for (const batch of this.#batches) this.#count(batch);
    } else this.#count(returns);
  }

  view(): TallyView {
    const n = this.#episodes;
    const stderr = n > 1 ? Math.sqrt(this.#squares / (n - 1) / n) : null;
    const bins = [...this.#bins].sort(([a], [b]) => a - b).map(([k, count]) => ({ low: k * this.#width, count }));
    return {
      episodes: n,
      mean: this.#mean,
      ci95: stderr === null ? null : meanInterval(this.#mean, stderr, n),
      min: this.#min,
      max: this.#max,
      success: this.#successes / n,
      binWidth: this.#width,
      bins,
    };
  }

  #count(returns: Float64Array): void {
    for (const value of returns) {
      const k = Math.floor(value / this.#width);
      this.#bins.set(k, (this.#bins.get(k) ?? 0) + 1);
    }
  }
}
