/**
 * Hill climbing: an evolution strategy with one parent, which is played again in each generation on the seeds of its
 * offspring. The step size follows the success rule.
 */
import { z } from 'zod';
import { between, choice, flag, positive, whole } from '../base/schema-fields.ts';
import { type Algorithm, type Optimiser, type Problem, withOutside } from './optimiser.ts';
import { indexOfHighest } from './ranking.ts';
import type { StateReader } from './saved-state.ts';
import {
  fittedVector,
  middleVector,
  normalVector,
  type SearchSpace,
  starts,
  startVector,
  uniformVector,
} from './space.ts';
import { mutatedTable } from './table-mutation.ts';

const settings = z.strictObject({
  population: whole(2, 1_000_000).default(10).describe('candidates per generation, the parent included'),
  sigma: positive(1e6, 'number').default(2).describe('standard deviation of the first mutations'),
  adapt_sigma: flag().default(true).describe('true: the step size follows the success rule; false: it stays'),
  target_success: between(0.01, 0.99)
    .default(0.2)
    .describe('share of mutations better than the parent above which the step size grows (adapt_sigma)'),
  start: choice(starts).default('centre').describe('first parent: the middle of the box, or drawn from it'),
  mutation_rate: between(0, 1)
    .nullable()
    .default(null)
    .describe('of a table: probability that an entry changes; null: one entry on average'),
});
type Settings = z.output<typeof settings>;

class HillClimbing implements Algorithm {
  readonly #space: SearchSpace;
  readonly #start: Float64Array | undefined;
  readonly #settings: Settings;
  #parent: Float64Array | null = null;
  #sigma: number;
  #asked: Float64Array[] = [];

  constructor({ space, start }: Problem, given: Settings, saved: StateReader | null) {
    this.#space = space;
    this.#start = start;
    this.#settings = given;
    this.#sigma = saved?.number('sigma') ?? given.sigma;
    if (saved === null) return;
    this.#parent = saved.vectorOrNull('parent', space.dimension);
    this.#asked = saved.vectors('asked', space.dimension);
  }

  get population(): number {
    return this.#settings.population;
  }

  ask(...[rng, outside]: Parameters<Algorithm['ask']>): Float64Array[] {
    const space = this.#space;
    const { start, mutation_rate: rate } = this.#settings;
    this.#parent ??=
      this.#start ??
      (space.kind === 'real' ? fittedVector(startVector(space, start, rng), space) : uniformVector(space, rng));
    const parent = this.#parent;
    const offspring = Array.from({ length: this.population - 1 }, () => {
      if (space.kind === 'choice') return mutatedTable(parent, space, rate ?? 1 / space.dimension, rng);
      const noise = normalVector(space.dimension, rng);
      return fittedVector(
        parent.map((value, i) => value + this.#sigma * noise[i]!),
        space,
      );
    });
    this.#asked = [parent, ...withOutside(offspring, outside)];
    return this.#asked;
  }

  tell(returns: Float64Array): void {
    const before = returns[0]!;
    const offspring = returns.subarray(1);
    const best = indexOfHighest(offspring);
    // A tie moves the parent: on a plateau a search that stays where it is sees nothing new.
    if (offspring[best]! >= before) this.#parent = this.#asked[best + 1]!;
    if (this.#settings.adapt_sigma) this.#adapt(offspring, before);
  }

  #adapt(offspring: Float64Array, before: number): void {
    const space = this.#space;
    if (space.kind === 'choice') return;
    const { target_success: target } = this.#settings;
    let successes = 0;
    // A tie counts half, so that the step size grows on a plateau.
    for (const value of offspring) successes += value > before ? 1 : value === before ? 0.5 : 0;
    const damping = 1 + space.dimension / (2 * offspring.length);
    const change = (successes / offspring.length - target) / (1 - target) / damping;
    this.#sigma = Math.min(this.#sigma * Math.exp(change), (space.high - space.low) / 2);
  }

  centre(): Float64Array {
    return this.#parent?.slice() ?? middleVector(this.#space);
  }

  save() {
    return { parent: this.#parent, sigma: this.#sigma, asked: this.#asked };
  }
}

/** The best mutation replaces its parent if it is not worse (Rechenberg 1973). */
export const hillClimbing: Optimiser<Settings> = {
  id: 'hill-climbing',
  title: 'hill climbing: the best mutation replaces its parent if it is not worse; the step size adapts',
  about: 'Tables of actions are mutated entry by entry.',
  paper:
    'I. Rechenberg, "Evolutionsstrategie" (1973); smoothed success rule: C. Igel, T. Suttorp and N. Hansen, "A ' +
    'computational efficient covariance matrix update and a (1+1)-CMA for evolution strategies", GECCO 2006',
  settings,
  searches: ['real', 'choice'],
  takesOutside: true,
  needsObservations: () => false,
  open: (problem, given, saved) => new HillClimbing(problem, given, saved),
};
