/** `evaluate`: plays P candidates on E common seeds and summarises their episodes. */
import {
  type ArgumentRule,
  aFiniteNumber,
  aFunction,
  aNumber,
  aSignal,
  aVector,
  checkFields,
  either,
  listOf,
  optional,
  orNull,
  trueOrFalse,
} from '../base/arguments.ts';
import { knownName, R2poError, UsageError } from '../base/errors.ts';
import { shown } from '../base/shown.ts';
import { copiesOf } from '../base/vectors.ts';
import { anEnv } from '../envs/env.ts';
import { originOf } from '../envs/origin.ts';
import { aPolicy } from '../policies/policy.ts';
import { aBackend, type Backend, type PlayOptions } from '../rollout/backend.ts';
import { hostStatistics, type OutcomeSink } from '../rollout/host-statistics.ts';
import { type Episodes, firstSeed, type Played, type RolloutJob, type Trace } from '../rollout/job.ts';
import { checkJob, maxEpisodes, maxMeasuredEpisodes } from '../rollout/job-checks.ts';
import {
  type EpisodePick,
  episodePicks,
  measuredFrom,
  type StatisticsRequest,
  statisticsOfEach,
} from '../rollout/statistics.ts';
import { pickOf, type Summary, summaryOf, summaryRanks } from './summary.ts';

/** What `evaluate` plays: `candidates` `[P]` on `episodes` seeds from `seed`. */
export interface EvaluateRequest extends Omit<RolloutJob, 'maxSteps'>, PlayOptions {
  /** what plays the episodes */
  readonly backend: Backend;
  /** null: only the environment's own limit */
  readonly maxSteps?: number | null;
  /** an episode with at least this return is a success; the environment's threshold when left out */
  readonly successThreshold?: number | null;
  /** Bring back every outcome at once, for `outcomes`: takes memory and time, at most `maxEpisodes`. */
  readonly keepOutcomes?: boolean;
  /** Receives every outcome, part after part of each candidate; awaited. Instead of `keepOutcomes`, to save memory. */
  readonly onOutcomes?: OutcomeSink;
}

const requestRules = {
  backend: aBackend,
  env: anEnv,
  policy: aPolicy,
  candidates: listOf(aVector),
  episodes: aNumber,
  seed: either(aNumber, listOf(aNumber)),
  maxSteps: optional(orNull(aNumber)),
  successThreshold: optional(orNull(aFiniteNumber)),
  keepOutcomes: optional(trueOrFalse),
  onOutcomes: optional(aFunction),
  signal: optional(aSignal),
  timing: optional(trueOrFalse),
  onProgress: optional(aFunction),
  transient: optional(trueOrFalse),
} satisfies Record<keyof EvaluateRequest, ArgumentRule>;

/** Summaries of the candidates, and ways to their episodes. */
export interface EvaluateResult {
  /** one per candidate; computed when first read: for thousands of candidates this takes longer than playing */
  readonly summaries: readonly Summary[];
  /** that of one candidate alone */
  summary(candidate: number): Summary;
  /** mean return per candidate `[P]` */
  readonly means: Float64Array;
  /** steps and time of the call */
  readonly played: Played;
  /** Raw outcomes, candidate-major; of at most `maxEpisodes`. Played again unless `keepOutcomes` was set. */
  outcomes(): Promise<Episodes>;
  /** Plays an episode of a candidate again and records it; throws when its return differs by one bit. */
  trace(candidate: number, pick: EpisodePick): Promise<Trace>;
}

/**
 * Plays every candidate on the episode seeds `seed ... seed + episodes - 1` (its own, where there is one each) and
 * summarises each. Throws a usage error for a job that cannot be played, and `R2poError` when a return is not finite or the backend fails.
 */
export async function evaluate(request: EvaluateRequest): Promise<EvaluateResult> {
  checkFields('evaluate', 'request', request, requestRules);
  const { backend, env, policy, episodes: count, seed, signal } = request;
  // A copy: the caller may change its vectors before the median episode is played again.
  const candidates = copiesOf(request.candidates);
  const job: RolloutJob = { env, policy, candidates, episodes: count, seed, maxSteps: request.maxSteps ?? null };
  checkJob(job, request.keepOutcomes && !request.onOutcomes ? maxEpisodes : maxMeasuredEpisodes);
  const successThreshold = request.successThreshold ?? env.success.threshold;
  const wanted: StatisticsRequest = { successThreshold, ranks: summaryRanks(count) };
  const { onProgress, onOutcomes: sink } = request;
  const options = { ...(signal && { signal }), ...(onProgress && { onProgress }), timing: request.timing ?? false };
  const kept = request.keepOutcomes && !sink ? await backend.play(job, options) : null;
  const measured = kept
    ? measuredFrom(statisticsOfEach(kept, job, wanted), kept)
    : sink
      ? await hostStatistics((part, given) => backend.play(part, given), job, wanted, { ...options, sink })
      : await backend.measure(job, wanted, options);
  const { steps, seconds, gpuSeconds, compileSeconds } = measured;
  let summaries: readonly Summary[] | null = null;
  const summary = (c: number): Summary => {
    checkCandidate(c, candidates.length);
    return summaryOf(measured.of(c), { firstSeed: firstSeed(job, c), successThreshold });
  };
  const result: EvaluateResult = {
    get summaries() {
      summaries ??= candidates.map((_, c) => summary(c));
      return summaries;
    },
    summary,
    means: measured.means,
    played: { steps, seconds, gpuSeconds, compileSeconds },
    outcomes: async () => kept ?? backend.play(job, options),
    trace: (candidate, pick) => replayEpisode(backend, job, result.summaries, candidate, pick),
  };
  return result;
}

function checkCandidate(candidate: number, count: number): void {
  if (Number.isInteger(candidate) && candidate >= 0 && candidate < count) return;
  throw new UsageError('evaluate', `expected a candidate in 0 ... ${count - 1}, got ${shown(candidate)}`);
}

async function replayEpisode(
  backend: Backend,
  job: RolloutJob,
  summaries: readonly Summary[],
  candidate: number,
  pick: EpisodePick,
): Promise<Trace> {
  checkCandidate(candidate, summaries.length);
  const wanted = pickOf(summaries[candidate]!, knownName('trace', 'pick', pick, episodePicks));
  const trace = await backend.trace(job, candidate, wanted.index);
  if (!Object.is(trace.return, wanted.return) || trace.length !== wanted.length) {
    const cause =
      originOf(job.env) === 'package'
        ? `the ${backend.id} backend does not repeat its results, please report it`
        : `${job.env.id} depends on more than the seed and the actions, see "r2po parity"`;
    throw new R2poError(
      'evaluate',
      `the replay of the ${pick} episode (seed ${wanted.seed}) returned ${trace.return} in ${trace.length} steps, ` +
        `evaluated ${wanted.return} in ${wanted.length}; ${cause}`,
    );
  }
  return trace;
}
