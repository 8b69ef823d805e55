/** A full covariance matrix with its eigenvectors. */
import { SymmetricEigen } from '../../base/symmetric-eigen.ts';
import type { State, StateReader } from '../saved-state.ts';
import { fullRates, type Rates, type Weights } from './rates.ts';
import type { Shape } from './shape.ts';

export class FullShape implements Shape {
  readonly weights: Weights;
  readonly rates: Rates;
  readonly #n: number;
  /** `[n x n]` row by row */
  readonly covariance: Float64Array;
  readonly #eigen: SymmetricEigen;
  /** lengths of the axes `[n]`, ascending */
  readonly #lengths: Float64Array;
  readonly #work: Float64Array;
  /** generations between two decompositions, which take n^3 operations */
  readonly #gap: number;
  #learned = 0;
  #refreshed = 0;

  constructor(n: number, population: number, saved: StateReader | null) {
    const { weights, rates } = fullRates(n, population);
    this.weights = weights;
    this.rates = rates;
    this.#n = n;
    this.#gap = 1 / (rates.c1 + rates.cmu) / n / 10;
    this.#eigen = new SymmetricEigen(n);
    this.#work = new Float64Array(n);
    this.#lengths = new Float64Array(n);
    this.covariance = saved?.vector('covariance', n * n) ?? new Float64Array(n * n);
    if (saved) {
      this.#eigen.vectors.set(saved.vector('axes', n * n));
      this.#lengths.set(saved.vector('lengths', n));
      this.#learned = saved.number('learned');
      this.#refreshed = saved.number('refreshed');
    } else {
      for (let i = 0; i < n; i++) {
        // As pycma: no two eigenvalues are equal.
        this.covariance[i * n + i] = Math.exp((1e-4 / n) * i);
        this.#eigen.vectors[i * n + i] = 1;
        this.#lengths[i] = Math.sqrt(this.covariance[i * n + i]!);
      }
    }
  }

  refresh(): void {
    if (this.#learned < this.#refreshed + this.#gap) return;
    this.#decompose();
  }

  #decompose(): void {
    const n = this.#n;
    const { values } = this.#eigen;
    const least = this.#lengths[0]! ** 2;
    this.#eigen.decompose(this.covariance);
    // A matrix that rounding made indefinite gets the smallest variance of before on its diagonal, as in pycma; where that
    // is lost in rounding, twice as much each time.
    let added = Math.max(least, Number.EPSILON * values[n - 1]!, Number.MIN_VALUE);
    for (; !(values[0]! > 0); added *= 2) {
      for (let i = 0; i < n; i++) this.covariance[i * n + i]! += added;
      this.#eigen.decompose(this.covariance);
    }
    for (let i = 0; i < n; i++) this.#lengths[i] = Math.sqrt(values[i]!);
    this.#refreshed = this.#learned;
  }

  step(normal: Float64Array, out: Float64Array): void {
    const n = this.#n;
    const { vectors } = this.#eigen;
    const work = this.#work;
    const lengths = this.#lengths;
    for (let k = 0; k < n; k++) work[k] = lengths[k]! * normal[k]!;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += vectors[i * n + k]! * work[k]!;
      out[i] = sum;
    }
  }

  /** Along the axes: `#work` = lengths^-1 B' step. */
  #alongAxes(step: Float64Array): Float64Array {
    const n = this.#n;
    const { vectors } = this.#eigen;
    const work = this.#work;
    const lengths = this.#lengths;
    for (let k = 0; k < n; k++) work[k] = 0;
    for (let i = 0; i < n; i++) {
      const entry = step[i]!;
      for (let k = 0; k < n; k++) work[k]! += vectors[i * n + k]! * entry;
    }
    for (let k = 0; k < n; k++) work[k]! /= lengths[k]!;
    return work;
  }

  whiten(step: Float64Array, out: Float64Array): void {
    const n = this.#n;
    const { vectors } = this.#eigen;
    const work = this.#alongAxes(step);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += vectors[i * n + k]! * work[k]!;
      out[i] = sum;
    }
  }

  toPath(step: Float64Array, out: Float64Array): void {
    out.set(step);
  }

  /** Equation 47 of the tutorial; steps with a negative weight are scaled to the length sqrt(n) first. */
  learn(path: Float64Array, steps: readonly Float64Array[], weights: Float64Array, stall: number): void {
    const n = this.#n;
    const { covariance } = this;
    const decay = 1 - weights.reduce((sum, weight) => sum + weight, 0);
    for (let at = 0; at < covariance.length; at++) covariance[at]! *= decay;
    this.#add(path, weights[0]! / (stall + 1e-23 / this.rates.c1));
    for (const [k, step] of steps.entries()) {
      const weight = weights[k + 1]!;
      this.#add(step, weight >= 0 ? weight : (weight * n) / (this.#length(step) + 1e-9) ** 2);
    }
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) covariance[j * n + i] = covariance[i * n + j]!;
    this.#learned += 1;
  }

  #length(step: Float64Array): number {
    let squares = 0;
    for (const entry of this.#alongAxes(step)) squares += entry * entry;
    return Math.sqrt(squares);
  }

  /** Adds weight * step step' to the lower triangle. */
  #add(step: Float64Array, weight: number): void {
    if (weight === 0) return;
    const n = this.#n;
    const { covariance } = this;
    for (let i = 0; i < n; i++) {
      const entry = weight * step[i]!;
      for (let j = 0; j <= i; j++) covariance[i * n + j]! += entry * step[j]!;
    }
  }

  variance(coordinate: number): number {
    return this.covariance[coordinate * this.#n + coordinate]!;
  }

  scale(coordinate: number, factor: number, path: Float64Array): void {
    const n = this.#n;
    for (let j = 0; j < n; j++) {
      this.covariance[coordinate * n + j]! *= factor;
      this.covariance[j * n + coordinate]! *= factor;
    }
    path[coordinate]! *= factor;
    this.#decompose();
  }

  condition(): number {
    return (this.#lengths[this.#n - 1]! / this.#lengths[0]!) ** 2;
  }

  axis(k: number, out: Float64Array): boolean {
    for (let i = 0; i < this.#n; i++) out[i] = this.#eigen.vectors[i * this.#n + k]! * this.#lengths[k]!;
    return true;
  }

  save(): State {
    return {
      covariance: this.covariance,
      axes: this.#eigen.vectors,
      lengths: this.#lengths,
      learned: this.#learned,
      refreshed: this.#refreshed,
    };
  }
}
