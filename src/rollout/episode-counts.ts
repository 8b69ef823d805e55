/** What is counted of the episodes of one candidate, in parts that several threads may count. */
import { type CountedValue, ValueCounts } from '../base/value-counts.ts';
import type { PlayOptions } from './backend.ts';
import type { Episodes } from './job.ts';
import { OutcomeCounts, type OutcomeTotals } from './outcome-counts.ts';

/** The counts of some episodes; it can be posted to a thread. */
export interface EpisodeTotals {
  readonly outcomes: OutcomeTotals;
  /** null: they are not counted */
  readonly returns: readonly CountedValue[] | null;
}

/** Options of a backend that counts while it plays. */
export interface CountingOptions extends PlayOptions {
  /** count the episodes of the only candidate: one with at least this return is a success */
  readonly countSuccesses?: number;
}

export interface CountedEpisodes extends Episodes {
  /** where the threads that played have counted, as they were asked to */
  readonly totals?: EpisodeTotals | undefined;
}

export class EpisodeCounts {
  readonly outcomes: OutcomeCounts;
  #returns: ValueCounts | null;

  /** `countsReturns`: false where their order is found otherwise */
  constructor(successThreshold: number, countsReturns = true) {
    this.outcomes = new OutcomeCounts(successThreshold);
    this.#returns = countsReturns ? new ValueCounts() : null;
  }

  /** null: they are not counted, too many of them differ, or one is not finite. */
  get returns(): ValueCounts | null {
    return this.#returns;
  }

  /** Counts outcomes; the first of them is episode `from`. */
  add({ returns, lengths, ends }: Pick<Episodes, 'returns' | 'lengths' | 'ends'>, from: number): void {
    this.outcomes.add(returns, lengths, ends, from);
    const isCounted = this.outcomes.broken === null && this.#returns?.add(returns, from);
    if (!isCounted) this.#returns = null;
  }

  /** Adds what was counted of other episodes; their episode 0 is episode `from` here. */
  merge({ outcomes, returns }: EpisodeTotals, from: number): void {
    this.outcomes.merge(outcomes, from);
    if (returns === null || !this.#returns?.merge(returns, from)) this.#returns = null;
  }

  totals(): EpisodeTotals {
    return { outcomes: { ...this.outcomes }, returns: this.#returns?.ascending() ?? null };
  }
}
