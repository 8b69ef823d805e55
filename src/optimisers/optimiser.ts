/**
 * An optimiser without gradients, by ask and tell: it is asked for a population of parameter vectors and is told their
 * returns. Higher is better. Its randomness comes from the generator that is passed to `ask`, so that its state is data.
 */
import type { z } from 'zod';
import { UsageError } from '../base/errors.ts';
import type { Draws } from '../base/rng/draws.ts';
import type { Policy } from '../policies/policy.ts';
import type { TableModel } from './exact/table-model.ts';
import type { ObservationMoments } from './observation-moments.ts';
import { finiteReturns } from './ranking.ts';
import { type Json, type State, StateReader, stateFromJson, stateToJson } from './saved-state.ts';
import { type BoxSettings, fittedVector, type RealSpace, type SearchSpace, spaceOf } from './space.ts';

/** What is searched. */
export interface Problem {
  readonly space: SearchSpace;
  /** folds a filter of the observations into the parameters of the policy; null: the policy has no such form */
  readonly foldFilter: Policy['foldFilter'] | null;
  /** entries of an observation */
  readonly observationSize: number;
  /** makes the transitions of the environment and its step limit; left out: they are not known */
  readonly table?: () => { readonly model: TableModel; readonly limit: number };
  /** where hill climbing and CMA-ES begin, inside of the space `[dimension]`; left out: as their settings say */
  readonly start?: Float64Array;
}

/** The normal distribution that an optimiser draws its candidates from. */
export interface Distribution {
  /** `[dimension]`, inside of the box */
  readonly mean: Float64Array;
  /** step size, which scales all deviations */
  readonly sigma: number;
  /** standard deviation of each parameter `[dimension]` */
  readonly deviations: Float64Array;
  /** principal axes, the longest first: the standard deviation along each, and its direction of length 1 `[dimension]` */
  readonly axes: readonly { readonly deviation: number; readonly direction: Float64Array }[];
}

/** The mathematics of one optimiser, without checks. */
export interface Algorithm {
  /** members of the next population, once it is prepared */
  readonly population: number;
  /** Begins what comes before the next population, such as a restart. Left out: nothing does. */
  prepare?(rng: Draws): void;
  /** The parameters to play, `[population][dimension]`; `outside`: fewer vectors, which take the last places. */
  ask(rng: Draws, outside: readonly Float64Array[]): Float64Array[];
  /** `returns [population]`: finite, of the population asked for last. */
  tell(returns: Float64Array, observed: ObservationMoments | null): void;
  /** the parameters that stand for what the optimiser knows */
  centre(): Float64Array;
  /** What the next population is drawn from, once it is prepared. Left out: no normal distribution. */
  distribution?(): Distribution;
  /** Everything that later calls depend on, what was asked for included. */
  save(): State;
  /** what a record should say of the population that was asked for; left out: nothing */
  readonly remark?: string;
}

export interface Optimiser<Settings = unknown> {
  /** names it in configurations */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** authors, title, year, place */
  readonly paper: string;
  /** Its settings with their meaning, limits and defaults. */
  readonly settings: z.ZodObject & z.ZodType<Settings>;
  /** kinds of parameters that it searches */
  readonly searches: readonly SearchSpace['kind'][];
  /** A new algorithm, or one with a saved state. Throws a usage error for a problem that it cannot search. */
  open(problem: Problem, settings: Settings, saved: StateReader | null): Algorithm;
  /** whether candidates of others may take places in a population */
  readonly takesOutside: boolean;
  /** true: its one candidate is the solution, from which no search goes on */
  readonly isSolution?: boolean;
  /** whether `tell` needs the observations of the played episodes */
  needsObservations(settings: Settings): boolean;
}

/** The problem of finding parameters of a policy for observations of `observationSize` entries. */
export function problemOf(policy: Policy, box: BoxSettings, observationSize: number): Problem {
  return { space: spaceOf(policy, box), foldFilter: policy.foldFilter ?? null, observationSize };
}

/** What is wrong with a space, in words; null: nothing. */
function spaceProblem(space: SearchSpace): string | null {
  if (space.dimension === 0) return 'expected a policy with parameters, got one without any';
  if (space.kind === 'choice') return null;
  const { low, high, decimals } = space;
  if (!(low < high)) return `expected a box with its low end below its high end, got ${low} and ${high}`;
  if (decimals === null || Math.floor(high * 10 ** decimals) > Math.ceil(low * 10 ** decimals)) return null;
  return (
    `expected a box that holds at least two numbers with ${decimals} decimals, got ${low} ... ${high}; ` +
    'widen it, or allow more decimals'
  );
}

/** A saved optimisation: JSON, from which `restore` continues to the last bit. */
export interface SavedOptimisation {
  readonly optimiser: string;
  readonly generation: number;
  /** population that was asked for and not told yet */
  readonly asked: Json;
  readonly injected: Json;
  readonly state: Json;
}

/** One search with an optimiser. */
export class Optimisation {
  readonly #optimiser: Optimiser;
  readonly #space: SearchSpace;
  readonly #algorithm: Algorithm;
  #generation = 0;
  #isPrepared = false;
  #asked: readonly Float64Array[] | null = null;
  #injected: Float64Array[] = [];

  private constructor(optimiser: Optimiser, problem: Problem, settings: unknown, saved: StateReader | null) {
    this.#optimiser = optimiser;
    this.#space = problem.space;
    this.#algorithm = optimiser.open(problem, settings, saved);
  }

  /** Throws a usage error for a problem that the optimiser cannot search. */
  static start(optimiser: Optimiser, problem: Problem, settings: unknown): Optimisation {
    const reason = spaceProblem(problem.space);
    if (reason !== null) throw new UsageError(optimiser.id, reason);
    return new Optimisation(optimiser, problem, settings, null);
  }

  /** Continues from what `save` gave. Throws a usage error for a state of another optimiser or problem. */
  static restore(optimiser: Optimiser, problem: Problem, settings: unknown, saved: SavedOptimisation): Optimisation {
    if (saved.optimiser !== optimiser.id) {
      throw new UsageError('optimiser state', `expected a state of ${optimiser.id}, got one of ${saved.optimiser}`);
    }
    const restored = new Optimisation(optimiser, problem, settings, new StateReader(stateFromJson(saved.state)));
    const lists = new StateReader({ asked: stateFromJson(saved.asked), injected: stateFromJson(saved.injected) });
    restored.#generation = saved.generation;
    restored.#asked = saved.asked === null ? null : lists.vectors('asked', problem.space.dimension);
    restored.#injected = lists.vectors('injected', problem.space.dimension);
    return restored;
  }

  /** completed */
  get generations(): number {
    return this.#generation;
  }

  /** members of the next population */
  get population(): number {
    return this.#algorithm.population;
  }

  /** The population that was asked for and not told yet; null: none. */
  get asked(): readonly Float64Array[] | null {
    return this.#asked;
  }

  /**
   * Begins what comes before the next population, such as a restart, so that `population` and `distribution` are those of
   * the next `ask`, which is given the same generator.
   */
  prepare(rng: Draws): void {
    if (this.#asked !== null || this.#isPrepared) return;
    this.#algorithm.prepare?.(rng);
    this.#isPrepared = true;
  }

  /**
   * The next population `[population][dimension]`; the same one until it is told. `proposed`: candidates of others, fewer
   * than the population, which take its last places. Throws as `inject` does.
   */
  ask(rng: Draws, proposed: readonly Float64Array[] = []): readonly Float64Array[] {
    if (this.#asked === null) {
      this.prepare(rng);
      this.#isPrepared = false;
      const given = this.#fitted(proposed);
      // One place stays with the optimiser, which learns nothing from a population of others only.
      const waiting = this.#injected.splice(0, Math.max(0, this.population - 1 - given.length));
      this.#asked = this.#algorithm.ask(rng, [...waiting, ...given]);
    }
    return this.#asked;
  }

  /**
   * The mean returns of the population that was asked for; higher is better. One that is NaN or infinite counts as lower
   * than all others; where all are, nothing is learned from them. Throws a usage error for another number of returns, and
   * where nothing was asked for.
   */
  tell(returns: ArrayLike<number>, observed: ObservationMoments | null = null): void {
    const asked = this.#asked;
    const { id } = this.#optimiser;
    if (asked === null)
      throw new UsageError(id, 'expected "ask" before each "tell", got two returns; call "ask" first');
    if (returns.length !== asked.length) {
      throw new UsageError(id, `expected ${asked.length} returns, one for each candidate, got ${returns.length}`);
    }
    this.#asked = null;
    this.#generation += 1;
    const finite = finiteReturns(returns);
    if (finite !== null) this.#algorithm.tell(finite, observed);
  }

  /** Candidates of others, which take places of the next populations that are left; they are fitted into the space. */
  inject(candidates: readonly Float64Array[]): void {
    this.#injected.push(...this.#fitted(candidates));
  }

  #fitted(candidates: readonly Float64Array[]): Float64Array[] {
    const space = this.#space;
    if (candidates.length > 0 && !this.#optimiser.takesOutside) {
      throw new UsageError(
        this.#optimiser.id,
        'expected only candidates of its own, as it plays them in pairs, got others',
      );
    }
    return candidates.map((candidate) => {
      if (candidate.length !== space.dimension || !candidate.every(Number.isFinite)) {
        const got = candidate.length === space.dimension ? 'others' : String(candidate.length);
        throw new UsageError(this.#optimiser.id, `expected ${space.dimension} finite parameters, got ${got}`);
      }
      if (space.kind === 'choice' && !candidate.every((value) => space.values.includes(value))) {
        throw new UsageError(this.#optimiser.id, `expected entries out of ${space.values.join(', ')}, got others`);
      }
      return space.kind === 'real' ? fittedVector(candidate, space) : candidate.slice();
    });
  }

  /** the parameters that stand for what the optimiser knows, `[dimension]` */
  centre(): Float64Array {
    return this.#algorithm.centre();
  }

  /** What a record should say of the population that was asked for; null: nothing. */
  get remark(): string | null {
    return this.#algorithm.remark ?? null;
  }

  /** What the next population is drawn from, after `prepare`; null: the optimiser has no normal distribution. */
  distribution(): Distribution | null {
    return this.#algorithm.distribution?.() ?? null;
  }

  save(): SavedOptimisation {
    return {
      optimiser: this.#optimiser.id,
      generation: this.#generation,
      asked: stateToJson(this.#asked as Float64Array[] | null),
      injected: stateToJson(this.#injected),
      state: stateToJson(this.#algorithm.save()),
    };
  }
}

/** The space of a problem for an optimiser that searches no tables. */
export function requireReal(id: string, { space }: Problem): RealSpace {
  if (space.kind === 'real') return space;
  throw new UsageError(id, 'expected a policy with numeric parameters, got a table of actions');
}

/** Puts `outside` into the last places of a population. */
export function withOutside(own: readonly Float64Array[], outside: readonly Float64Array[]): Float64Array[] {
  return [...own.slice(0, own.length - outside.length), ...outside];
}
