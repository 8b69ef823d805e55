/**
 * Restarts of CMA-ES. IPOP doubles the population each time (A. Auger and N. Hansen, CEC 2005); BIPOP mixes such runs with
 * runs of small populations, which get as many evaluations (N. Hansen, GECCO 2009).
 */
import type { Draws } from '../../base/rng/draws.ts';
import type { State, StateReader } from '../saved-state.ts';

export const restartKinds = ['none', 'ipop', 'bipop'] as const;
export type RestartKind = (typeof restartKinds)[number];

/** What a run begins with. */
export interface RunPlan {
  readonly population: number;
  /** factor of the first step size */
  readonly sigmaFactor: number;
  readonly maxGenerations: number;
}

/**
 * Doublings of the population, as many as the papers allow. On a plateau each generation ends its run, and the population
 * would soon be larger than the memory.
 */
const mostDoublings = 9;

export function defaultMaxGenerations(n: number, population: number): number {
  return 100 + Math.floor((150 * (n + 3) ** 2) / Math.sqrt(population));
}

export class Restarts {
  readonly #kind: RestartKind;
  readonly #first: RunPlan;
  /** runs that ended, and those of them with a small population after the first */
  #runs: number;
  #smallRuns: number;
  /** evaluations of all runs with a small and with a large population */
  #small: number;
  #large: number;
  #isSmall: boolean;

  constructor(kind: RestartKind, first: RunPlan, saved: StateReader | null) {
    this.#kind = kind;
    this.#first = first;
    this.#runs = saved?.number('runs') ?? 0;
    this.#smallRuns = saved?.number('smallRuns') ?? 0;
    this.#small = saved?.number('small') ?? 0;
    this.#large = saved?.number('large') ?? 0;
    this.#isSmall = (saved?.number('isSmall') ?? 1) === 1;
  }

  /** The run after one that took `evaluations`. */
  next(evaluations: number, rng: Draws): RunPlan {
    if (this.#isSmall) this.#small += evaluations;
    else this.#large += evaluations;
    this.#runs += 1;
    const { population, maxGenerations } = this.#first;
    this.#isSmall = this.#kind === 'bipop' && this.#small < Math.max(1, this.#large);
    if (!this.#isSmall) return { population: population * this.#largest, sigmaFactor: 1, maxGenerations };
    this.#smallRuns += 1;
    const sigmaFactor = 0.01 ** rng.random();
    const factor = this.#largest ** (rng.random() ** 2);
    const small = Math.floor(population * factor);
    return {
      population: small,
      sigmaFactor,
      maxGenerations: Math.min(maxGenerations, (0.5 * this.#large) / small),
    };
  }

  /** factor of the population in the latest large run, or in the one that begins */
  get #largest(): number {
    return 2 ** Math.min(this.#runs - this.#smallRuns, mostDoublings);
  }

  save(): State {
    return {
      runs: this.#runs,
      smallRuns: this.#smallRuns,
      small: this.#small,
      large: this.#large,
      isSmall: this.#isSmall ? 1 : 0,
    };
  }
}
