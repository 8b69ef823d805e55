/** One run of CMA-ES, from a mean and a step size: it minimises costs over all real vectors. */
import type { Draws } from '../../base/rng/draws.ts';
import type { State, StateReader } from '../saved-state.ts';
import { meanNormalLength, type StepRates, stepRates } from './rates.ts';
import type { Shape } from './shape.ts';
import { Stopping, type StopReason } from './stopping.ts';

export interface StrategyOptions {
  readonly dimension: number;
  readonly population: number;
  /** first step size */
  readonly sigma: number;
  /** generations after which it stops */
  readonly maxGenerations: number;
  /** standard deviation of each coordinate: at least, at most */
  readonly deviations: { readonly least: number; readonly most: number };
  readonly openShape: (population: number, saved: StateReader | null) => Shape;
}

export class Strategy {
  readonly population: number;
  readonly shape: Shape;
  readonly mean: Float64Array;
  /** evolution path of the covariance matrix */
  readonly path: Float64Array;
  /** evolution path of the step size */
  readonly sigmaPath: Float64Array;
  sigma: number;
  generation: number;
  readonly #options: StrategyOptions;
  readonly #stepRates: StepRates;
  readonly #meanLength: number;
  readonly #stopping: Stopping;
  readonly #shift: Float64Array;
  readonly #work: Float64Array;
  readonly #weights: Float64Array;
  readonly #steps: Float64Array[];

  constructor(options: StrategyOptions, mean: Float64Array, saved: StateReader | null) {
    const { dimension: n, population, sigma, openShape } = options;
    this.#options = options;
    this.population = population;
    this.shape = openShape(population, saved?.inner('shape') ?? null);
    this.mean = saved?.vector('mean', n) ?? mean.slice();
    this.path = saved?.vector('path', n) ?? new Float64Array(n);
    this.sigmaPath = saved?.vector('sigmaPath', n) ?? new Float64Array(n);
    this.sigma = saved?.number('sigma') ?? sigma;
    this.generation = saved?.number('generation') ?? 0;
    this.#stepRates = stepRates(n, this.shape.weights.muEff);
    this.#meanLength = meanNormalLength(n);
    this.#stopping = new Stopping(options, saved?.inner('stopping') ?? null);
    this.#shift = new Float64Array(n);
    this.#work = new Float64Array(n);
    this.#weights = new Float64Array(population + 1);
    this.#steps = Array.from({ length: population }, () => new Float64Array(n));
    if (saved === null) this.#limitDeviations();
  }

  /** Fills vectors `[n]` with draws from the distribution. */
  sample(rng: Draws, vectors: readonly Float64Array[]): void {
    const { shape, mean, sigma } = this;
    const normal = this.#work;
    const n = mean.length;
    shape.refresh();
    for (const vector of vectors) {
      for (let i = 0; i < n; i++) normal[i] = rng.standardNormal();
      shape.step(normal, vector);
      for (let i = 0; i < n; i++) vector[i] = mean[i]! + sigma * vector[i]!;
    }
  }

  /**
   * Learns from a population `[population][n]` and its costs. `outside(k)`: whether member k comes from elsewhere: such
   * a step is cut to the length sqrt(n) + 2 n / (n + 2), and the distribution is not moved away from it (N. Hansen,
   * "Injecting External Solutions Into CMA-ES", arXiv 1110.4181, 2011).
   */
  tell(members: readonly Float64Array[], costs: Float64Array, outside: (k: number) => boolean): void {
    const { shape, mean, path } = this;
    const { weights, rates } = shape;
    const { cc, c1, cmu } = rates;
    this.generation += 1;
    const order = Array.from(costs.keys()).sort((a, b) => costs[a]! - costs[b]! || a - b);
    for (const [rank, k] of order.entries()) this.#setStep(this.#steps[rank]!, members[k]!, outside(k));
    this.#moveMean();
    const stalled = this.#moveSigmaPath();
    shape.toPath(this.#shift, this.#work);
    const gain = stalled ? 0 : Math.sqrt(cc * (2 - cc) * weights.muEff);
    for (let i = 0; i < path.length; i++) path[i] = (1 - cc) * path[i]! + gain * this.#work[i]!;
    // Without the path's share in this generation, the variance that it lacks stays with the matrix.
    const share = stalled ? 1 - cc * (2 - cc) : 1;
    this.#weights[0] = c1 * share;
    for (const [rank, k] of order.entries()) {
      const weight = cmu * weights.values[rank]!;
      this.#weights[rank + 1] = weight < 0 && outside(k) ? 0 : weight;
    }
    shape.learn(path, this.#steps, this.#weights, share);
    const { cs, damping } = this.#stepRates;
    const change = (Math.sqrt(squareSum(this.sigmaPath)) / this.#meanLength - 1) * (cs / damping);
    this.sigma *= Math.exp(Math.min(1, Math.max(-1, change)));
    this.#limitDeviations();
    const sorted = new Float64Array(order.length);
    for (let rank = 0; rank < order.length; rank++) sorted[rank] = costs[order[rank]!]!;
    this.#stopping.add(sorted, mean, this.generation);
  }

  #setStep(step: Float64Array, member: Float64Array, outside: boolean): void {
    const n = step.length;
    const { mean, sigma } = this;
    for (let i = 0; i < n; i++) step[i] = (member[i]! - mean[i]!) / sigma;
    if (!outside) return;
    this.shape.whiten(step, this.#work);
    const longer = Math.sqrt(squareSum(this.#work)) / (Math.sqrt(n) + (2 * n) / (n + 2));
    if (longer > 1) for (let i = 0; i < n; i++) step[i]! /= longer;
  }

  /** Moves the mean to the weighted mean of the better half; `#shift` is how far, in steps. */
  #moveMean(): void {
    const { values, mu } = this.shape.weights;
    const shift = this.#shift.fill(0);
    for (let rank = 0; rank < mu; rank++) {
      const step = this.#steps[rank]!;
      for (let i = 0; i < shift.length; i++) shift[i]! += values[rank]! * step[i]!;
    }
    for (let i = 0; i < shift.length; i++) this.mean[i]! += this.sigma * shift[i]!;
  }

  /** Returns whether the path is so long that the one of the covariance matrix has to wait. */
  #moveSigmaPath(): boolean {
    const n = this.mean.length;
    const { cs } = this.#stepRates;
    this.shape.whiten(this.#shift, this.#work);
    const gain = Math.sqrt(cs * (2 - cs) * this.shape.weights.muEff);
    for (let i = 0; i < n; i++) this.sigmaPath[i] = (1 - cs) * this.sigmaPath[i]! + gain * this.#work[i]!;
    const length = squareSum(this.sigmaPath) / (1 - (1 - cs) ** (2 * this.generation));
    return !(length / n - 1 < 1 + 4 / (n + 1));
  }

  #deviation(coordinate: number): number {
    return this.sigma * Math.sqrt(this.shape.variance(coordinate));
  }

  #limitDeviations(): void {
    const { least, most } = this.#options.deviations;
    for (let i = 0; i < this.mean.length; i++) {
      const deviation = this.#deviation(i);
      // As pycma: the differences between the first variances are no reason to change them.
      const allowed = this.generation <= 2 ? most * Math.exp(1e-4) : most;
      if (deviation < least) this.shape.scale(i, least / deviation, this.path);
      else if (deviation > allowed) this.shape.scale(i, most / deviation, this.path);
    }
  }

  /** Why the run should end; null: it should not. */
  get stop(): StopReason | null {
    return this.#stopping.reason(this, (i) => this.#deviation(i));
  }

  save(): State {
    return {
      mean: this.mean,
      sigma: this.sigma,
      path: this.path,
      sigmaPath: this.sigmaPath,
      generation: this.generation,
      shape: this.shape.save(),
      stopping: this.#stopping.save(),
    };
  }
}

function squareSum(vector: Float64Array): number {
  let sum = 0;
  for (const entry of vector) sum += entry * entry;
  return sum;
}
