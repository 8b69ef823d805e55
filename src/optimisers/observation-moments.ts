/** Mean and variance of the observations of played episodes, updated and merged without a loss of digits. */

/** Sums over `count` observations `[entries]`: means, and sums of squared deviations from them. */
export interface ObservationMoments {
  readonly count: number;
  readonly mean: readonly number[];
  readonly squares: readonly number[];
}

/** Collects observations one after the other (Welford 1962). */
export class MomentCollector {
  #count = 0;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;

  constructor(entries: number) {
    this.#mean = new Float64Array(entries);
    this.#squares = new Float64Array(entries);
  }

  add(observation: ArrayLike<number>): void {
    this.#count += 1;
    for (let i = 0; i < this.#mean.length; i++) {
      const before = observation[i]! - this.#mean[i]!;
      this.#mean[i]! += before / this.#count;
      this.#squares[i]! += before * (observation[i]! - this.#mean[i]!);
    }
  }

  get moments(): ObservationMoments {
    return { count: this.#count, mean: [...this.#mean], squares: [...this.#squares] };
  }
}

export function noMoments(entries: number): ObservationMoments {
  return { count: 0, mean: new Array<number>(entries).fill(0), squares: new Array<number>(entries).fill(0) };
}

/** The moments of both sets of observations together (Chan, Golub and LeVeque 1983). */
export function mergeMoments(a: ObservationMoments, b: ObservationMoments): ObservationMoments {
  const count = a.count + b.count;
  if (count === 0) return a;
  const difference = a.mean.map((mean, i) => b.mean[i]! - mean);
  return {
    count,
    mean: a.mean.map((mean, i) => mean + (difference[i]! * b.count) / count),
    squares: a.squares.map((sum, i) => sum + b.squares[i]! + (difference[i]! ** 2 * a.count * b.count) / count),
  };
}
