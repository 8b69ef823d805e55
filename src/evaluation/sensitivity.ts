/** Sensitivity of the return to each parameter, changed one at a time on common seeds. */
import type { Policy } from '../policies/policy.ts';
import type { Backend } from '../rollout/backend.ts';
import type { RolloutJob } from '../rollout/job.ts';
import { checkJob, maxEpisodes } from '../rollout/job-checks.ts';
import { paired } from '../stats/intervals.ts';

/** One changed parameter, and the mean change of the return over the same episodes. */
export interface ParameterEffect {
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly difference: number;
  readonly ci95: readonly [number, number] | null;
}

export interface Sensitivity {
  readonly episodes: number;
  /** environment steps played for it */
  readonly steps: number;
  readonly effects: readonly ParameterEffect[];
}

/** How parameters are changed: by a step in both directions, or to each other allowed value. */
export interface Changes {
  readonly step: number;
  readonly low: number;
  readonly high: number;
}

/** Removes rounding errors of decimals: 0.30000000000000004 -> 0.3. */
const plain = (value: number): number => Number(value.toPrecision(12));

function neighbours(
  policy: Policy,
  params: readonly number[],
  changes: Changes,
): Omit<ParameterEffect, 'difference' | 'ci95'>[] {
  const { values } = policy;
  return params.flatMap((from, index) => {
    const others =
      values.kind === 'choice'
        ? values.values.filter((value) => value !== from)
        : [from - changes.step, from + changes.step].map(plain).filter((to) => to >= changes.low && to <= changes.high);
    return others.map((to) => ({ index, from, to }));
  });
}

/**
 * Plays `params` and every policy that differs from it in one parameter on the same seeds. A change with a return that is
 * infinite or NaN is left out.
 */
export async function sensitivity(
  backend: Backend,
  job: Omit<RolloutJob, 'candidates'>,
  params: readonly number[],
  changes: Changes,
  signal?: AbortSignal,
): Promise<Sensitivity> {
  const tried = neighbours(job.policy, params, changes);
  const candidates = [params, ...tried.map(({ index, to }) => params.with(index, to))].map((p) => Float64Array.from(p));
  const whole: RolloutJob = { ...job, candidates };
  checkJob(whole, maxEpisodes);
  const { episodes } = job;
  const { returns, steps } = await backend.play(whole, signal ? { signal } : {});
  const of = (c: number): Float64Array => returns.subarray(c * episodes, (c + 1) * episodes);
  return {
    episodes,
    steps,
    effects: tried.flatMap((change, i) => {
      const { difference, ci95 } = paired(of(0), of(i + 1));
      return Number.isFinite(difference) ? [{ ...change, difference, ci95 }] : [];
    }),
  };
}
