/** The shape of a search distribution: what CMA-ES adapts beside its mean and its step size. */
import type { State } from '../saved-state.ts';
import type { Rates, Weights } from './rates.ts';

/** Steps are differences from the mean divided by the step size. */
export interface Shape {
  readonly weights: Weights;
  readonly rates: Rates;
  /** Brings the factors up to date from which steps are drawn. */
  refresh(): void;
  /** A step from standard normal numbers `[n]`, into `out [n]`. */
  step(normal: Float64Array, out: Float64Array): void;
  /** Standard normal numbers from a step. */
  whiten(step: Float64Array, out: Float64Array): void;
  /** The step as the evolution path adds it up. */
  toPath(step: Float64Array, out: Float64Array): void;
  /**
   * Learns from the path and from the steps of a population, best first. `weights`: one for the path, then one for each
   * step, with their learning rates; `stall`: share of the path's weight that is left in this generation.
   */
  learn(path: Float64Array, steps: readonly Float64Array[], weights: Float64Array, stall: number): void;
  /** variance of a step in each coordinate */
  variance(coordinate: number): number;
  /** Multiplies the steps of a coordinate. */
  scale(coordinate: number, factor: number, path: Float64Array): void;
  /** longest divided by shortest axis, squared */
  condition(): number;
  /** axis `k` with its length, into `out [n]`; false where the axes are those of the coordinates */
  axis(k: number, out: Float64Array): boolean;
  save(): State;
}
