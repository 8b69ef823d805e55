/** When a run of CMA-ES should end: the criteria of pycma, with its tolerances. */
import { extremes } from '../../base/extremes.ts';
import { quantile } from '../../base/order-statistics.ts';
import type { State, StateReader } from '../saved-state.ts';
import type { Shape } from './shape.ts';

const tolerances = {
  cost: 1e-11,
  costHistory: 1e-12,
  deviation: 1e-11,
  growth: 1e3,
  condition: 1e14,
  flatGenerations: 1,
  mean: { distance: 1e-9, generations: 20, share: 0.1 },
} as const;

export type StopReason =
  | 'max-generations'
  | 'cost'
  | 'cost-history'
  | 'deviation'
  | 'growth'
  | 'flat'
  | 'stagnation'
  | 'mean-stagnation'
  | 'condition'
  | 'no-effect';

interface Limits {
  readonly dimension: number;
  readonly population: number;
  readonly sigma: number;
  readonly maxGenerations: number;
}

/** What the criteria read of a run. */
interface Run {
  readonly shape: Shape;
  readonly mean: Float64Array;
  readonly path: Float64Array;
  readonly sigma: number;
  readonly generation: number;
}

/** every how many generations the long history grows */
const historyStep = 5;
const longestHistory = 20_000;

function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return quantile(sorted.length, 0.5, (rank) => sorted[rank]!);
}

function range(values: readonly number[]): number {
  const [least, greatest] = extremes(values);
  return greatest - least;
}

export class Stopping {
  readonly #limits: Limits;
  /** lowest costs of the last generations, the newest last */
  #recent: number[];
  /** lowest and median costs of every fifth generation, the newest last */
  #lowest: number[];
  #medians: number[];
  #flat: number;
  #costRange: number;
  #bestCost: number;
  #bestGeneration: number;
  /** a mean from which the later ones have not moved away, and when it was the mean */
  #stillMean: Float64Array;
  #stillSince: number;

  constructor(limits: Limits, saved: StateReader | null) {
    this.#limits = limits;
    this.#recent = [...(saved?.vector('recent') ?? [])];
    this.#lowest = [...(saved?.vector('lowest') ?? [])];
    this.#medians = [...(saved?.vector('medians') ?? [])];
    this.#flat = saved?.number('flat') ?? 0;
    this.#costRange = saved?.number('costRange') ?? Number.POSITIVE_INFINITY;
    this.#bestCost = saved?.number('bestCost') ?? Number.POSITIVE_INFINITY;
    this.#bestGeneration = saved?.number('bestGeneration') ?? 0;
    this.#stillMean = saved?.vector('stillMean') ?? new Float64Array(limits.dimension).fill(Number.POSITIVE_INFINITY);
    this.#stillSince = saved?.number('stillSince') ?? 0;
  }

  /** `sorted`: the costs of a generation, ascending. */
  add(sorted: Float64Array, mean: Float64Array, generation: number): void {
    const { dimension: n, population } = this.#limits;
    const lowest = sorted[0]!;
    this.#recent.push(lowest);
    if (this.#recent.length > 10 + (30 * n) / population) this.#recent.shift();
    if (generation % historyStep === 0) {
      this.#lowest.push(lowest);
      this.#medians.push(median(sorted));
      if (this.#lowest.length > longestHistory) {
        this.#lowest.shift();
        this.#medians.shift();
      }
    }
    this.#flat = lowest < sorted[Math.floor(0.75 * sorted.length)]! ? 0 : this.#flat + 1;
    this.#costRange = sorted.at(-1)! - lowest;
    if (lowest < this.#bestCost) {
      this.#bestCost = lowest;
      this.#bestGeneration = generation;
    }
    this.#addMean(mean, generation);
  }

  #stillGenerations(generation: number): number {
    const { generations, share } = tolerances.mean;
    return generations + share * generation;
  }

  #addMean(mean: Float64Array, generation: number): void {
    const waited = (generation - this.#stillSince) / this.#stillGenerations(generation);
    const allowed = tolerances.mean.distance * Math.sqrt(Math.max(1, waited));
    let squares = 0;
    for (let i = 0; i < mean.length; i++) squares += (mean[i]! - this.#stillMean[i]!) ** 2;
    if (Math.sqrt(squares) <= allowed) return;
    this.#stillMean = mean.slice();
    this.#stillSince = generation;
  }

  /** The first criterion that is met; `deviation(i)`: standard deviation of coordinate i. */
  reason(run: Run, deviation: (coordinate: number) => number): StopReason | null {
    if (run.generation === 0) return null;
    const { maxGenerations, sigma } = this.#limits;
    const deviations = run.mean.map((_, i) => deviation(i));
    const history = range(this.#recent);
    const checks: readonly (readonly [StopReason, () => boolean])[] = [
      ['max-generations', () => run.generation >= maxGenerations],
      ['growth', () => deviations.some((value) => value > sigma * tolerances.growth)],
      [
        'deviation',
        () =>
          deviations.every((value) => value < tolerances.deviation) &&
          run.path.every((value) => run.sigma * value < tolerances.deviation),
      ],
      ['cost', () => this.#costRange < tolerances.cost && history < tolerances.cost],
      ['cost-history', () => this.#recent.length > 9 && history < tolerances.costHistory],
      ['stagnation', () => this.#stagnates(run.generation)],
      ['mean-stagnation', () => run.generation - this.#stillSince > this.#stillGenerations(run.generation)],
      ['no-effect', () => hasNoEffect(run, deviations)],
      ['condition', () => run.shape.condition() > tolerances.condition],
      ['flat', () => this.#flat > tolerances.flatGenerations],
    ];
    return checks.find(([, isMet]) => isMet())?.[0] ?? null;
  }

  /** Neither the lowest nor the median costs of the last part of the history are below those of the part before it. */
  #stagnates(generation: number): boolean {
    const { dimension: n, population } = this.#limits;
    const tolerance = Math.floor(100 + (100 * n ** 1.5) / population);
    const count = this.#lowest.length;
    const length = Math.floor(Math.max(tolerance / historyStep / 2, count / 10));
    if (count <= 100 || 2 * length >= count || generation <= n * (5 + 100 / population)) return false;
    if (generation - this.#bestGeneration <= tolerance / 2) return false;
    const [newest, before] = [
      (list: number[]) => list.slice(-length),
      (list: number[]) => list.slice(-2 * length, -length),
    ];
    return [this.#medians, this.#lowest].every((list) => median(newest(list)) >= median(before(list)));
  }

  save(): State {
    return {
      recent: Float64Array.from(this.#recent),
      lowest: Float64Array.from(this.#lowest),
      medians: Float64Array.from(this.#medians),
      flat: this.#flat,
      costRange: this.#costRange,
      bestCost: this.#bestCost,
      bestGeneration: this.#bestGeneration,
      stillMean: this.#stillMean,
      stillSince: this.#stillSince,
    };
  }
}

/** Whether a fifth of a deviation, or a tenth of an axis, no longer changes the mean. */
function hasNoEffect({ mean, shape, sigma, generation }: Run, deviations: Float64Array): boolean {
  if (deviations.some((value, i) => mean[i]! + 0.2 * value === mean[i])) return true;
  const axis = new Float64Array(mean.length);
  return (
    shape.axis(generation % mean.length, axis) && axis.every((value, i) => mean[i]! + 0.1 * sigma * value === mean[i])
  );
}
