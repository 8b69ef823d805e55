/**
 * Rejected candidates on fresh seeds: a candidate with a lower mean over a few episodes than the best policy so far may be
 * the better one, and the best of many noisy means looks better than it is.
 */
import { evaluate } from '../../evaluation/evaluate.ts';
import type { Backend } from '../../rollout/backend.ts';
import { unlessBroken } from '../../rollout/statistics.ts';
import { holdoutSeed } from '../../runs/seeds.ts';
import { paired } from '../../stats/intervals.ts';
import type { SearchedRun } from './moves.ts';
import type { IterationSteps, Step } from './search-steps.ts';

/** A rejected candidate and the best policy before it, played again on common fresh seeds. */
export interface Replayed {
  readonly iteration: number;
  readonly length: number;
  /** candidate minus best: in the search, and on the fresh seeds */
  readonly gain: number;
  readonly difference: number;
  /** two-sided p of the paired t test on the fresh seeds */
  readonly p: number;
  /** that the candidate is the better one, under a flat prior */
  readonly probability: number;
}

export interface ReplayRequest {
  readonly backend: Backend;
  /** of each of the two policies */
  readonly episodes: number;
  /** of a run at most, spread over its rejected candidates */
  readonly pairs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Above the held-out seeds, and so above those of every search. */
const replaySeed = holdoutSeed + 2 ** 33;

interface Rejected {
  readonly iteration: number;
  readonly step: Step;
}

/** Candidates with a lower mean than the best policy before them, without those that are that policy. */
export function rejectedOf(iterations: readonly IterationSteps[]): Rejected[] {
  return iterations.flatMap(({ iteration, steps }) =>
    steps.flatMap((step) => (step.gain < 0 && step.length > 0 ? [{ iteration, step }] : [])),
  );
}

/** `count` of them at even distances. */
function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]!);
}

/** Pairs of which a policy reaches an infinite or NaN state on the fresh seeds are left out: they have no difference. */
export async function replayRejected(
  { units }: SearchedRun,
  iterations: readonly IterationSteps[],
  { backend, episodes, pairs, signal }: ReplayRequest,
): Promise<Replayed[]> {
  const { env, policy, settings } = units;
  const chosen = spread(rejectedOf(iterations), pairs).map((rejected, i) => ({
    ...{ rejected, seed: replaySeed + i * episodes },
    policies: [rejected.step.best, rejected.step.candidate].map(({ params }) => Float64Array.from(params)),
  }));
  const play = async (played: typeof chosen): Promise<Replayed[]> => {
    const result = await evaluate({
      ...{ backend, env, policy, episodes, maxSteps: settings.maxSteps, keepOutcomes: true, ...(signal && { signal }) },
      candidates: played.flatMap(({ policies }) => policies),
      seed: played.flatMap(({ seed }) => [seed, seed]),
    });
    const { returns } = await result.outcomes();
    const of = (candidate: number) => returns.subarray(candidate * episodes, (candidate + 1) * episodes);
    return played.map(({ rejected: { iteration, step } }, i) => {
      const { length, gain } = step;
      const { difference, p } = paired(of(2 * i), of(2 * i + 1));
      return { iteration, length, gain, difference, p, probability: difference > 0 ? 1 - p / 2 : p / 2 };
    });
  };
  if (chosen.length === 0) return [];
  const all = await unlessBroken(play(chosen));
  if (all !== null) return all;
  const found: Replayed[] = [];
  for (const pair of chosen) found.push(...((await unlessBroken(play([pair]))) ?? []));
  return found;
}
