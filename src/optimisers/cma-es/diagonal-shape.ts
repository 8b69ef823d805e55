/** A diagonal covariance matrix: one scale for each coordinate. */
import { extremes } from '../../base/extremes.ts';
import type { State, StateReader } from '../saved-state.ts';
import { diagonalRates, type Rates, type Weights } from './rates.ts';
import type { Shape } from './shape.ts';

export class DiagonalShape implements Shape {
  readonly weights: Weights;
  readonly rates: Rates;
  readonly scales: Float64Array;
  readonly #exponents: Float64Array;

  constructor(n: number, population: number, saved: StateReader | null) {
    const { weights, rates } = diagonalRates(n, population);
    this.weights = weights;
    this.rates = rates;
    this.scales = saved?.vector('scales', n) ?? new Float64Array(n).fill(1);
    this.#exponents = new Float64Array(n);
  }

  refresh(): void {}

  step(normal: Float64Array, out: Float64Array): void {
    for (let i = 0; i < out.length; i++) out[i] = this.scales[i]! * normal[i]!;
  }

  whiten(step: Float64Array, out: Float64Array): void {
    for (let i = 0; i < out.length; i++) out[i] = step[i]! / this.scales[i]!;
  }

  toPath(step: Float64Array, out: Float64Array): void {
    this.whiten(step, out);
  }

  /** The exponential update of pycma: a scale is multiplied by exp(sum of w (z^2 - 1) / 2), with w times ln 2. */
  learn(path: Float64Array, steps: readonly Float64Array[], weights: Float64Array): void {
    const exponents = this.#exponents;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < exponents.length; i++) exponents[i] = weights[0]! * path[i]! ** 2 - total;
    for (const [k, step] of steps.entries()) {
      const weight = weights[k + 1]!;
      for (let i = 0; i < exponents.length; i++) exponents[i]! += weight * (step[i]! / this.scales[i]!) ** 2;
    }
    for (let i = 0; i < exponents.length; i++) this.scales[i]! *= Math.exp((Math.LN2 * exponents[i]!) / 2);
  }

  variance(coordinate: number): number {
    return this.scales[coordinate]! ** 2;
  }

  scale(coordinate: number, factor: number): void {
    this.scales[coordinate]! *= factor;
  }

  condition(): number {
    const [least, greatest] = extremes(this.scales);
    return (greatest / least) ** 2;
  }

  axis(): boolean {
    return false;
  }

  save(): State {
    return { scales: this.scales };
  }
}
