/** An optimiser on a function of one's own: ask for candidates, tell their values. */
import { UsageError } from '../base/errors.ts';
import { Generator } from '../base/rng/generator.ts';
import { findOptimiser } from './index.ts';
import { Optimisation, type Problem, type SavedOptimisation } from './optimiser.ts';

/** What is searched. */
export interface AskTellRequest {
  /** number of parameters, at least 1 */
  readonly dimension: number;
  /** ends of the box, the same for every parameter; -6 and 6 when left out */
  readonly low?: number;
  readonly high?: number;
  /** candidates have so many decimals; null or left out: they are not rounded */
  readonly decimals?: number | null;
  /** of all its random numbers, a whole number from 0; 0 when left out */
  readonly seed?: number;
  /** settings of the optimiser, as under `optimiser` in a configuration; see `r2po list methods --json` */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** The state of a search as JSON. */
export interface SavedAskTell {
  readonly optimisation: SavedOptimisation;
  readonly best: AskTellSearch['best'];
}

/** Made by `openOptimiser`. */
export class AskTellSearch {
  readonly #optimisation: Optimisation;
  readonly #seed: number;
  #asked: readonly Float64Array[] = [];
  #best: { readonly params: readonly number[]; readonly value: number } | null;

  constructor(optimisation: Optimisation, seed: number, best: AskTellSearch['best'] = null) {
    this.#optimisation = optimisation;
    this.#seed = seed;
    this.#best = best;
  }

  /** The next population `[population][dimension]`; the same one until it is told. */
  ask(): readonly Float64Array[] {
    this.#asked = this.#optimisation.ask(
      Generator.from([this.#seed % 2 ** 32, Math.floor(this.#seed / 2 ** 32), this.#optimisation.generations]),
    );
    return this.#asked;
  }

  /**
   * The values of the candidates of `ask`, in their order; higher is better. One that is NaN or infinite counts as lower
   * than all others; where all are, nothing is learned from them. Throws a usage error for another number of values, and before `ask`.
   */
  tell(values: ArrayLike<number>): void {
    const asked = this.#asked;
    this.#optimisation.tell(values);
    for (const [i, params] of asked.entries()) {
      const value = values[i]!;
      if (Number.isFinite(value) && value > (this.#best?.value ?? -Infinity))
        this.#best = { params: [...params], value };
    }
  }

  /** the candidate with the highest value so far; null: none has a finite one */
  get best(): { readonly params: readonly number[]; readonly value: number } | null {
    return this.#best;
  }

  /** populations that were told */
  get generations(): number {
    return this.#optimisation.generations;
  }

  /** members of the next population */
  get population(): number {
    return this.#optimisation.population;
  }

  /** the parameters that stand for what the optimiser knows, such as the mean of CMA-ES, `[dimension]` */
  centre(): Float64Array {
    return this.#optimisation.centre();
  }

  /** The state as JSON, from which `openOptimiser` goes on to the last bit. */
  save(): SavedAskTell {
    return { optimisation: this.#optimisation.save(), best: this.#best };
  }
}

function problemOf({ dimension, low = -6, high = 6, decimals = null }: AskTellRequest): Problem {
  if (!Number.isInteger(dimension) || dimension < 1) {
    throw new UsageError('optimiser', `expected a whole number of parameters from 1 as "dimension", got ${dimension}`);
  }
  return { space: { kind: 'real', dimension, low, high, decimals }, foldFilter: null, observationSize: dimension };
}

/**
 * Opens an optimiser by its id (`cma-es`, `sep-cma-es`, `cem`, `ars`, `openai-es`, `hill-climbing`, `random-search`).
 * `saved`: what `save` gave, for the same request. Throws a usage error for an unknown id, a setting that it does not have,
 * and a problem or a state that is not its own.
 *
 *     const search = openOptimiser('cma-es', { dimension: 2, low: -5, high: 5, seed: 7 });
 *     while (search.generations < 100) search.tell(search.ask().map(([x, y]) => -(x! ** 2) - (y! - 1) ** 2));
 *     console.log(search.best);
 */
export function openOptimiser(id: string, request: AskTellRequest, saved?: SavedAskTell): AskTellSearch {
  const optimiser = findOptimiser(id);
  const settings = optimiser.settings.safeParse(request.settings ?? {});
  if (!settings.success) {
    const [issue] = settings.error.issues;
    throw new UsageError(
      id,
      `in "settings": ${issue!.path.join('.')} ${issue!.message}; see "r2po list methods --json"`,
    );
  }
  const problem = problemOf(request);
  const optimisation = saved
    ? Optimisation.restore(optimiser, problem, settings.data, saved.optimisation)
    : Optimisation.start(optimiser, problem, settings.data);
  return new AskTellSearch(optimisation, request.seed ?? 0, saved?.best ?? null);
}
