/** Plays the policies of a run on given seeds, and plays recorded episodes again. */
import { throwIfInterrupted } from '../../base/async.ts';
import { R2poError } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import { type EvaluateResult, evaluate } from '../../evaluation/evaluate.ts';
import { type PickedEpisode, pickOf, type Summary } from '../../evaluation/summary.ts';
import type { Policy } from '../../policies/policy.ts';
import type { Backend } from '../../rollout/backend.ts';
import type { RolloutJob, Trace } from '../../rollout/job.ts';
import type { EpisodePick } from '../../rollout/statistics.ts';
import { firstDifference } from '../journal/difference.ts';

export interface PlayerOptions {
  readonly backend: Backend;
  readonly env: Env;
  readonly policy: Policy;
  /** step cap per episode; null: only the environment's */
  readonly maxSteps: number | null;
  /** an episode with at least this return counts as a success */
  readonly successThreshold: number;
  /** keep the outcome of every episode, for paired tests */
  readonly keepOutcomes: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What has to be known to play an episode of an evaluation again. */
export interface EvaluatedPolicy {
  readonly params: readonly number[];
  readonly episodes: number;
  readonly seed: number;
  readonly summary: Summary;
}

/** An episode of an evaluation: how many episodes it had and from which seed on, and what is known of this one. */
export interface PlayedEpisode {
  readonly episodes: number;
  readonly seed: number;
  readonly picked: PickedEpisode;
}

export function playedEpisode({ episodes, seed, summary }: EvaluatedPolicy, pick: EpisodePick): PlayedEpisode {
  return { episodes, seed, picked: pickOf(summary, pick) };
}

/** One policy at a time, with the settings of the run. */
export class Player {
  readonly #options: PlayerOptions;

  constructor(options: PlayerOptions) {
    this.#options = options;
  }

  play(params: readonly number[], episodes: number, seed: number): Promise<EvaluateResult> {
    const { backend, successThreshold, keepOutcomes, signal } = this.#options;
    throwIfInterrupted(signal);
    const job = this.#job(params, episodes, seed);
    return evaluate({ ...job, backend, successThreshold, keepOutcomes, ...(signal && { signal }) });
  }

  /** One episode, played now for the first time. */
  trace(params: readonly number[], seed: number): Promise<Trace> {
    const { backend, signal } = this.#options;
    throwIfInterrupted(signal);
    return backend.trace(this.#job(params, 1, seed), 0, 0);
  }

  /** An episode of an evaluation that is only in the journal. Throws if it does not return the same. */
  async replay(params: readonly number[], { episodes, seed, picked: all }: PlayedEpisode): Promise<Trace> {
    const { backend, signal } = this.#options;
    throwIfInterrupted(signal);
    const { index, ...picked } = all;
    const trace = await backend.trace(this.#job(params, episodes, seed), 0, index);
    const difference = firstDifference(picked, { seed: trace.seed, return: trace.return, length: trace.length });
    if (!difference) return trace;
    throw new R2poError(
      'trajectory',
      `expected the recorded ${difference.path} ${difference.expected} for episode seed ${picked.seed}, ` +
        `got ${difference.got}; resume on the machine and backend that played it`,
    );
  }

  #job(params: readonly number[], episodes: number, seed: number): RolloutJob {
    const { env, policy, maxSteps } = this.#options;
    return { env, policy, candidates: [Float64Array.from(params)], episodes, seed, maxSteps };
  }
}
