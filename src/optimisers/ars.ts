/** Augmented random search: finite differences along random directions, scaled by the spread of their returns. */
import { z } from 'zod';
import { UsageError } from '../base/errors.ts';
import { choice, positive, whole } from '../base/schema-fields.ts';
import { mergeMoments, noMoments, type ObservationMoments } from './observation-moments.ts';
import { type Algorithm, type Optimiser, type Problem, requireReal } from './optimiser.ts';
import { allEqual, descending } from './ranking.ts';
import type { StateReader } from './saved-state.ts';
import { clamp, fittedVector, middleVector, normalVector, type RealSpace, starts, startVector } from './space.ts';

const settings = z.strictObject({
  version: choice(['v1', 'v2'])
    .default('v1')
    .describe('v2 normalizes observations with their running mean and standard deviation; v1 does not'),
  directions: whole(1, 100_000).default(8).describe('random directions per generation; each is played both ways'),
  top_directions: whole(1, 100_000)
    .nullable()
    .default(null)
    .describe('directions with the best returns that count in the step; null: all'),
  step_size: positive(1e6, 'number').default(0.02).describe('step size'),
  noise: positive(1e6, 'number').default(0.05).describe('standard deviation of the exploration noise'),
  start: choice(starts).default('centre').describe('first parameters: the middle of the box, or drawn from it'),
});
type Settings = z.output<typeof settings>;

/** As in the authors' program: an entry that hardly varies is not scaled up but left out. */
const smallestScale = 1e-7;

/** Mean and standard deviation of the observations; null: not normalized. */
class Filter {
  readonly #fold: NonNullable<Problem['foldFilter']>;
  moments: ObservationMoments;

  constructor(fold: NonNullable<Problem['foldFilter']>, moments: ObservationMoments) {
    this.#fold = fold;
    this.moments = moments;
  }

  /** Parameters for observations as they are, from parameters for normalized ones. */
  fold(params: Float64Array): Float64Array {
    const { count, mean, squares } = this.moments;
    if (count < 2) return params.slice();
    const scale = squares.map((sum) => Math.sqrt(sum / (count - 1)));
    return this.#fold(
      params,
      mean,
      scale.map((value) => (value < smallestScale ? Number.POSITIVE_INFINITY : value)),
    );
  }
}

class Ars implements Algorithm {
  readonly #space: RealSpace;
  readonly #settings: Settings;
  readonly #filter: Filter | null;
  #params: Float64Array | null;
  #directions: Float64Array[];

  constructor(problem: Problem, given: Settings, saved: StateReader | null) {
    this.#space = requireReal('ars', problem);
    this.#settings = given;
    this.#filter = given.version === 'v2' ? openFilter(problem, saved) : null;
    this.#params = saved?.vectorOrNull('params', this.#space.dimension) ?? null;
    this.#directions = saved?.vectors('directions', this.#space.dimension) ?? [];
    const { directions, top_directions: top } = given;
    if (top !== null && top > directions) {
      throw new UsageError('ars', `expected "top_directions" of at most "directions", ${directions}, got ${top}`);
    }
  }

  get population(): number {
    return 2 * this.#settings.directions;
  }

  ask(...[rng]: Parameters<Algorithm['ask']>): Float64Array[] {
    const space = this.#space;
    const { directions, noise, start } = this.#settings;
    this.#params ??= startVector(space, start, rng);
    const params = this.#params;
    this.#directions = Array.from({ length: directions }, () => normalVector(space.dimension, rng));
    return this.#directions.flatMap((direction) =>
      [1, -1].map((sign) => this.#played(params.map((value, i) => value + sign * noise * direction[i]!))),
    );
  }

  #played(params: Float64Array): Float64Array {
    const inside = fittedVector(params, this.#space);
    return this.#filter ? this.#filter.fold(inside) : inside;
  }

  tell(given: Float64Array, observed: ObservationMoments | null): void {
    if (this.#filter && observed) this.#filter.moments = mergeMoments(this.#filter.moments, observed);
    const { directions, top_directions: top, step_size } = this.#settings;
    const returns = squarable(given);
    const better = Float64Array.from({ length: directions }, (_, k) => Math.max(returns[2 * k]!, returns[2 * k + 1]!));
    const chosen = descending(better).slice(0, top ?? directions);
    const used = Float64Array.from(chosen.flatMap((k) => [returns[2 * k]!, returns[2 * k + 1]!]));
    // Equal returns have no spread to divide by, and no slope.
    if (allEqual(used)) return;
    const mean = used.reduce((sum, value) => sum + value, 0) / used.length;
    const spread = Math.sqrt(used.reduce((sum, value) => sum + (value - mean) ** 2, 0) / used.length);
    const factor = step_size / (chosen.length * spread);
    const params = this.#params!;
    this.#params = params.map((value, i) => {
      let slope = 0;
      for (const k of chosen) slope += (returns[2 * k]! - returns[2 * k + 1]!) * this.#directions[k]![i]!;
      return clamp(value + factor * slope, this.#space);
    });
  }

  centre(): Float64Array {
    return this.#played(this.#params ?? middleVector(this.#space));
  }

  save() {
    const moments = this.#filter?.moments;
    return {
      params: this.#params,
      directions: this.#directions,
      filter: moments
        ? {
            count: moments.count,
            mean: Float64Array.from(moments.mean),
            squares: Float64Array.from(moments.squares),
          }
        : null,
    };
  }
}

/** Sizes whose squares, summed over any population, are inside of the range of numbers. */
const squared = { min: 1e-100, max: 1e100 } as const;

/** The returns times a power of two, which a step does not depend on: their squares neither overflow nor vanish. */
function squarable(returns: Float64Array): Float64Array {
  const largest = returns.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
  const isOrdinary = largest > squared.min && largest < squared.max;
  if (largest === 0 || !Number.isFinite(largest) || isOrdinary) return returns;
  const scale = 2 ** Math.min(1000, -Math.floor(Math.log2(largest)));
  return returns.map((value) => value * scale);
}

function openFilter({ foldFilter, observationSize }: Problem, saved: StateReader | null): Filter {
  if (foldFilter === null || foldFilter === undefined) {
    throw new UsageError(
      'ars',
      'expected a policy with weights and biases of the observation for "version" v2, whose filter is folded into them, ' +
        'got one without; set policy.options.bias=true for a linear policy, or version v1',
    );
  }
  const filter = saved?.innerOrNull('filter') ?? null;
  const moments = filter && {
    count: filter.number('count'),
    mean: [...filter.vector('mean', observationSize)],
    squares: [...filter.vector('squares', observationSize)],
  };
  return new Filter(foldFilter, moments ?? noMoments(observationSize));
}

export const ars: Optimiser<Settings> = {
  id: 'ars',
  title: 'augmented random search (V1, V2): steps along random directions by their differences of returns',
  about: 'V2 normalizes the observations; the filter is folded into the weights and biases of the policy.',
  paper:
    'H. Mania, A. Guy and B. Recht, "Simple random search of static linear policies is competitive for reinforcement ' +
    'learning", NeurIPS 2018',
  settings,
  searches: ['real'],
  takesOutside: false,
  needsObservations: ({ version }) => version === 'v2',
  open: (problem, given, saved) => new Ars(problem, given, saved),
};
