/** Random search: candidates without a memory, or around the best one so far. */
import { z } from 'zod';
import { choice, positive, whole } from '../base/schema-fields.ts';
import { type Algorithm, type Optimiser, type Problem, withOutside } from './optimiser.ts';
import { indexOfHighest } from './ranking.ts';
import type { StateReader } from './saved-state.ts';
import { fittedVector, middleVector, normalVector, type SearchSpace, uniformVector } from './space.ts';
import { mutatedTable } from './table-mutation.ts';

const settings = z.strictObject({
  population: whole(1, 1_000_000).default(10).describe('candidates per generation'),
  around: choice(['box', 'best'])
    .default('box')
    .describe('where candidates are drawn: uniformly in the box, or normally distributed around the best one so far'),
  sigma: positive(1e6, 'number').default(2).describe('standard deviation around the best candidate (around: best)'),
});
type Settings = z.output<typeof settings>;

interface Best {
  readonly params: Float64Array;
  readonly value: number;
}

class RandomSearch implements Algorithm {
  readonly #space: SearchSpace;
  readonly #settings: Settings;
  #best: Best | null = null;
  #asked: Float64Array[] = [];

  constructor({ space }: Problem, given: Settings, saved: StateReader | null) {
    this.#space = space;
    this.#settings = given;
    if (saved === null) return;
    const params = saved.vectorOrNull('best', space.dimension);
    this.#best = params && { params, value: saved.number('value') };
    this.#asked = saved.vectors('asked', space.dimension);
  }

  get population(): number {
    return this.#settings.population;
  }

  ask(...[rng, outside]: Parameters<Algorithm['ask']>): Float64Array[] {
    const own = Array.from({ length: this.population }, () => this.#draw(rng));
    this.#asked = withOutside(own, outside);
    return this.#asked;
  }

  #draw(rng: Parameters<Algorithm['ask']>[0]): Float64Array {
    const space = this.#space;
    const { around, sigma } = this.#settings;
    if (around === 'box') {
      const drawn = uniformVector(space, rng);
      return space.kind === 'real' ? fittedVector(drawn, space) : drawn;
    }
    if (space.kind === 'choice') {
      return this.#best ? mutatedTable(this.#best.params, space, 1 / space.dimension, rng) : uniformVector(space, rng);
    }
    const from = this.centre();
    const noise = normalVector(space.dimension, rng);
    return fittedVector(
      from.map((value, i) => value + sigma * noise[i]!),
      space,
    );
  }

  tell(returns: Float64Array): void {
    const index = indexOfHighest(returns);
    const value = returns[index]!;
    if (this.#best === null || value >= this.#best.value) this.#best = { params: this.#asked[index]!, value };
  }

  centre(): Float64Array {
    return this.#best?.params.slice() ?? middleVector(this.#space);
  }

  save() {
    return { best: this.#best?.params ?? null, value: this.#best?.value ?? 0, asked: this.#asked };
  }
}

export const randomSearch: Optimiser<Settings> = {
  id: 'random-search',
  title: 'random search: candidates uniformly in the box, or around the best one so far',
  about: 'It learns nothing, or only which candidate was best.',
  paper:
    'J. Bergstra and Y. Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13 (2012); around the best: ' +
    'J. Matyas, "Random optimization", Automation and Remote Control 26 (1965)',
  settings,
  searches: ['real', 'choice'],
  takesOutside: true,
  needsObservations: () => false,
  open: (problem, given, saved) => new RandomSearch(problem, given, saved),
};
