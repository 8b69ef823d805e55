/** Cross-entropy method: a distribution refitted to the best of its samples. */
import { z } from 'zod';
import type { Draws } from '../base/rng/draws.ts';
import { between, choice, positive, whole } from '../base/schema-fields.ts';
import { type Algorithm, type Optimiser, type Problem, withOutside } from './optimiser.ts';
import { descending } from './ranking.ts';
import type { State, StateReader } from './saved-state.ts';
import {
  type ChoiceSpace,
  fittedVector,
  middleVector,
  normalVector,
  type RealSpace,
  starts,
  startVector,
} from './space.ts';

const settings = z.strictObject({
  population: whole(2, 1_000_000).default(20).describe('candidates per generation'),
  elite_share: between(0.001, 1)
    .default(0.2)
    .describe('share of the best candidates to which the distribution is fitted'),
  smoothing: between(0.001, 1)
    .default(0.7)
    .describe('weight of the newly fitted distribution; the rest is the one before'),
  sigma: positive(1e6, 'number').default(2).describe('standard deviation of the first candidates'),
  noise: between(0, 1e6)
    .default(0.5)
    .describe('standard deviation added to the fitted one in the first generation, against early convergence'),
  noise_generations: whole(1, 1_000_000).default(20).describe('generations in which that addition shrinks to 0'),
  start: choice(starts).default('centre').describe('first mean: the middle of the box, or drawn from it'),
});
type Settings = z.output<typeof settings>;

/** What is fitted: a normal distribution for each parameter, or probabilities for each entry of a table. */
interface Distribution {
  draw(rng: Draws): Float64Array;
  fit(elite: readonly Float64Array[], generation: number): void;
  centre(): Float64Array;
  save(): State;
}

class NormalDistribution implements Distribution {
  readonly #space: RealSpace;
  readonly #settings: Settings;
  #mean: Float64Array | null = null;
  readonly #std: Float64Array;

  constructor(space: RealSpace, given: Settings, saved: StateReader | null) {
    this.#space = space;
    this.#settings = given;
    this.#mean = saved?.vectorOrNull('mean', space.dimension) ?? null;
    this.#std = saved?.vector('std', space.dimension) ?? new Float64Array(space.dimension).fill(given.sigma);
  }

  draw(rng: Draws): Float64Array {
    this.#mean ??= startVector(this.#space, this.#settings.start, rng);
    const mean = this.#mean;
    const noise = normalVector(this.#space.dimension, rng);
    return fittedVector(
      mean.map((value, i) => value + this.#std[i]! * noise[i]!),
      this.#space,
    );
  }

  fit(elite: readonly Float64Array[], generation: number): void {
    const { smoothing, noise, noise_generations } = this.#settings;
    const mean = this.#mean!;
    const added = noise * Math.max(0, 1 - generation / noise_generations);
    for (let i = 0; i < mean.length; i++) {
      let sum = 0;
      for (const member of elite) sum += member[i]!;
      const fitted = sum / elite.length;
      let squares = 0;
      for (const member of elite) squares += (member[i]! - fitted) ** 2;
      mean[i] = smoothing * fitted + (1 - smoothing) * mean[i]!;
      const std = smoothing * Math.sqrt(squares / elite.length) + (1 - smoothing) * this.#std[i]!;
      this.#std[i] = Math.hypot(std, added);
    }
  }

  centre(): Float64Array {
    return fittedVector(this.#mean ?? middleVector(this.#space), this.#space);
  }

  save(): State {
    return { mean: this.#mean, std: this.#std };
  }
}

class CategoricalDistribution implements Distribution {
  readonly #space: ChoiceSpace;
  readonly #smoothing: number;
  /** `[entries x values]` row by row */
  readonly #probabilities: Float64Array;

  constructor(space: ChoiceSpace, { smoothing }: Settings, saved: StateReader | null) {
    const { dimension, values } = space;
    this.#space = space;
    this.#smoothing = smoothing;
    const cells = dimension * values.length;
    this.#probabilities = saved?.vector('probabilities', cells) ?? new Float64Array(cells).fill(1 / values.length);
  }

  draw(rng: Draws): Float64Array {
    const { dimension, values } = this.#space;
    return Float64Array.from({ length: dimension }, (_, entry) => {
      let left = rng.random();
      for (let v = 0; v < values.length - 1; v++) {
        left -= this.#probabilities[entry * values.length + v]!;
        if (left < 0) return values[v]!;
      }
      return values.at(-1)!;
    });
  }

  fit(elite: readonly Float64Array[]): void {
    const { dimension, values } = this.#space;
    for (let entry = 0; entry < dimension; entry++) {
      for (const [v, value] of values.entries()) {
        const share = elite.filter((member) => member[entry] === value).length / elite.length;
        const at = entry * values.length + v;
        this.#probabilities[at] = this.#smoothing * share + (1 - this.#smoothing) * this.#probabilities[at]!;
      }
    }
  }

  /** the most likely table */
  centre(): Float64Array {
    const { dimension, values } = this.#space;
    return Float64Array.from({ length: dimension }, (_, entry) => {
      const row = this.#probabilities.subarray(entry * values.length, (entry + 1) * values.length);
      return values[row.indexOf(Math.max(...row))]!;
    });
  }

  save(): State {
    return { probabilities: this.#probabilities };
  }
}

class Cem implements Algorithm {
  readonly #settings: Settings;
  readonly #distribution: Distribution;
  #generation: number;
  #asked: Float64Array[] = [];

  constructor({ space }: Problem, given: Settings, saved: StateReader | null) {
    this.#settings = given;
    const inner = saved?.inner('distribution') ?? null;
    this.#distribution =
      space.kind === 'real'
        ? new NormalDistribution(space, given, inner)
        : new CategoricalDistribution(space, given, inner);
    this.#generation = saved?.number('generation') ?? 0;
    this.#asked = saved?.vectors('asked', space.dimension) ?? [];
  }

  get population(): number {
    return this.#settings.population;
  }

  ask(...[rng, outside]: Parameters<Algorithm['ask']>): Float64Array[] {
    const own = Array.from({ length: this.population }, () => this.#distribution.draw(rng));
    this.#asked = withOutside(own, outside);
    return this.#asked;
  }

  tell(returns: Float64Array): void {
    const count = Math.max(1, Math.round(this.#settings.elite_share * returns.length));
    // A candidate that ties with the last one chosen is chosen too: which of them came first says nothing.
    const order = descending(returns);
    const least = returns[order[count - 1]!]!;
    const elite = order.filter((index) => returns[index]! >= least).map((index) => this.#asked[index]!);
    this.#distribution.fit(elite, this.#generation);
    this.#generation += 1;
  }

  centre(): Float64Array {
    return this.#distribution.centre();
  }

  save() {
    return { distribution: this.#distribution.save(), generation: this.#generation, asked: this.#asked };
  }
}

export const cem: Optimiser<Settings> = {
  id: 'cem',
  title:
    'cross-entropy method: a normal distribution, or for tables one of the actions of each state, fitted to the best',
  about: 'Parameters are drawn independently of one another.',
  paper:
    'R. Y. Rubinstein, "The Cross-Entropy Method for Combinatorial and Continuous Optimization" (1999); smoothing: P.-T. de ' +
    'Boer et al., "A Tutorial on the Cross-Entropy Method" (2005); noise: I. Szita and A. Lőrincz, "Learning Tetris Using ' +
    'the Noisy Cross-Entropy Method" (2006)',
  settings,
  searches: ['real', 'choice'],
  takesOutside: true,
  needsObservations: () => false,
  open: (problem, given, saved) => new Cem(problem, given, saved),
};
