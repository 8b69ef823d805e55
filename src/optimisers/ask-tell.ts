/** An optimiser on a function of one's own: ask for candidates, tell their values. */
import { z } from 'zod';
import { aNumber, aNumberList, checkArgument } from '../base/arguments.ts';
import { UsageError, unknownName } from '../base/errors.ts';
import { Generator } from '../base/rng/generator.ts';
import { finite, orNull, whole } from '../base/schema-fields.ts';
import { shown } from '../base/shown.ts';
import { findOptimiser } from './index.ts';
import { Optimisation, type Problem, type SavedOptimisation } from './optimiser.ts';
import type { Json } from './saved-state.ts';

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
  /** what it was opened with, defaults included; states of earlier versions have none */
  readonly request?: Required<AskTellRequest>;
  readonly optimisation: SavedOptimisation;
  readonly best: AskTellSearch['best'];
}

/** What `make` gives. Throws a usage error where arrays of this dimension cannot be made. */
function inMemory<T>(dimension: number, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(
      'openOptimiser',
      `expected a dimension that fits in memory, got ${dimension}; lower it`,
      cause,
    );
  }
}

/** Made by `openOptimiser`. */
export class AskTellSearch {
  readonly #optimisation: Optimisation;
  readonly #request: Required<AskTellRequest>;
  #best: { readonly params: readonly number[]; readonly value: number } | null;

  constructor(optimisation: Optimisation, request: Required<AskTellRequest>, best: AskTellSearch['best'] = null) {
    this.#optimisation = optimisation;
    this.#request = request;
    this.#best = best;
  }

  /** The next population `[population][dimension]`; the same one until it is told. */
  ask(): readonly Float64Array[] {
    const { seed, dimension } = this.#request;
    const rng = Generator.from([seed % 2 ** 32, Math.floor(seed / 2 ** 32), this.#optimisation.generations]);
    // Copies: the optimiser learns from what it has asked for.
    return inMemory(dimension, () => this.#optimisation.ask(rng).map((params) => params.slice()));
  }

  /**
   * The values of the candidates of `ask`, in their order; higher is better. One that is NaN or infinite counts as lower
   * than all others; where all are, nothing is learned from them. Throws a usage error for another number of values, for
   * one that is no number, such as a promise, and before `ask`.
   */
  tell(values: ArrayLike<number>): void {
    checkArgument('tell', 'values', values, aNumberList);
    for (let i = 0; i < values.length; i++) checkArgument('tell', `values[${i}]`, values[i], aNumber);
    const asked = this.#optimisation.asked ?? [];
    this.#optimisation.tell(values);
    for (const [i, params] of asked.entries()) {
      const value = values[i]!;
      if (Number.isFinite(value) && value > (this.#best?.value ?? -Infinity))
        this.#best = { params: [...params], value };
    }
  }

  /** the candidate with the highest value so far; null: none has a finite one */
  get best(): { readonly params: readonly number[]; readonly value: number } | null {
    return this.#best && { ...this.#best, params: [...this.#best.params] };
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
    return { request: this.#request, optimisation: this.#optimisation.save(), best: this.best };
  }
}

const size = { error: 'a whole number of parameters from 1' };

const requestSchema = z.strictObject(
  {
    dimension: z.int(size).min(1, size),
    low: finite().default(-6),
    high: finite().default(6),
    decimals: whole(0, 12, orNull).nullable().default(null),
    seed: whole(0, Number.MAX_SAFE_INTEGER).default(0),
    settings: z.record(z.string(), z.unknown(), { error: 'an object' }).default({}),
  },
  { error: 'an object' },
);

const json = z.custom<Json>((value) => value !== undefined, { error: 'what "save" gave' });
const savedSchema = z.strictObject(
  {
    request: requestSchema.optional(),
    optimisation: z.object(
      {
        optimiser: z.string({ error: 'the id of an optimiser' }),
        generation: whole(0, Number.MAX_SAFE_INTEGER),
        ...{ asked: json, injected: json, state: json },
      },
      { error: 'what "save" gave' },
    ),
    best: z
      .object({ params: z.array(finite(), { error: 'a list' }), value: finite() }, { error: 'an object or null' })
      .nullable(),
  },
  { error: 'what "save" gave' },
);

/** What a schema makes of `given`, the argument `what`. Throws a usage error for anything else. */
function read<T extends z.ZodObject>(id: string, what: string, schema: T, given: unknown): z.output<T> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const remedy = what === 'settings' ? '; see "r2po list methods --json"' : '';
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schema.shape);
    const own = what === 'request' ? '; settings of the optimiser stand in "settings"' : remedy;
    throw new UsageError(id, `${unknownName(`key in "${what}"`, issue.keys[0]!, known)}${own}`);
  }
  const place = [what, ...issue.path].join('.');
  const got = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], given);
  throw new UsageError(id, `expected ${issue.message} as "${place}", got ${shown(got)}${remedy}`);
}

/**
 * Opens an optimiser by its id (`cma-es`, `sep-cma-es`, `cem`, `ars`, `openai-es`, `hill-climbing`, `random-search`).
 * `saved`: what `save` gave, for the same request. Throws a usage error for an unknown id, a key or a setting that it does
 * not have, and a problem or a state that is not its own.
 *
 *     const search = openOptimiser('cma-es', { dimension: 2, low: -5, high: 5, seed: 7 });
 *     while (search.generations < 100) search.tell(search.ask().map(([x, y]) => -(x! ** 2) - (y! - 1) ** 2));
 *     console.log(search.best);
 */
export function openOptimiser(id: string, request: AskTellRequest, saved?: SavedAskTell): AskTellSearch {
  const optimiser = findOptimiser(id);
  const withDefaults = (given: z.output<typeof requestSchema>) => ({
    ...given,
    settings: read(id, 'settings', optimiser.settings, given.settings),
  });
  const asked = withDefaults(read(id, 'request', requestSchema, request));
  const { seed: _, settings, ...box } = asked;
  const problem: Problem = { space: { kind: 'real', ...box }, foldFilter: null, observationSize: box.dimension };
  if (saved === undefined)
    return new AskTellSearch(
      inMemory(box.dimension, () => Optimisation.start(optimiser, problem, settings)),
      asked,
    );
  const { request: earlier, optimisation, best } = read(id, 'saved', savedSchema, saved);
  if (earlier !== undefined) refuseOther(id, asked, withDefaults(earlier));
  if (best !== null && best.params.length !== box.dimension) {
    throw new UsageError(id, `expected ${box.dimension} parameters in "saved.best", got ${best.params.length}`);
  }
  return new AskTellSearch(Optimisation.restore(optimiser, problem, settings, optimisation), asked, best);
}

/** Refuses the state of another request, which would go on with other numbers than both. */
function refuseOther(id: string, asked: Required<AskTellRequest>, earlier: Required<AskTellRequest>): void {
  for (const key of Object.keys(asked) as (keyof AskTellRequest)[]) {
    const [now, then] = [JSON.stringify(asked[key]), JSON.stringify(earlier[key])];
    if (now === then) continue;
    throw new UsageError(
      id,
      `expected the state of a search with the ${key} ${now}, got one with ${then}; open it with that`,
    );
  }
}
