/** Candidates that are played together, as steps of a run: with the best of them as a candidate of the iteration. */
import { throwIfInterrupted, yieldToEventLoop } from '../../base/async.ts';
import { type EvaluateResult, evaluate } from '../../evaluation/evaluate.ts';
import type { Summary } from '../../evaluation/summary.ts';
import type { CandidateLabel, ProposedParameters } from '../../methods/method.ts';
import { MomentCollector, type ObservationMoments } from '../../optimisers/observation-moments.ts';
import { indexOfHighest } from '../../optimisers/ranking.ts';
import type { RolloutJob } from '../../rollout/job.ts';
import { BrokenReturnError, unlessBroken } from '../../rollout/statistics.ts';
import { recordedStep } from '../journal/steps.ts';
import { deriveSeed } from '../seeds.ts';
import type { DriverRun } from './driver.ts';
import type { Player } from './player.ts';

/** What is used of a run to play candidates. */
type PlayingRun = Pick<DriverRun, 'units' | 'steps' | 'signal' | 'checkBudget'>;

/** What playing a population gave. */
interface PlayedPopulation {
  /** NaN for a member whose episodes broke */
  readonly means: readonly number[];
  readonly steps: number;
  summary(member: number): Summary;
}

function playedOf({ means, played, summary }: EvaluateResult): PlayedPopulation {
  return { means: [...means], steps: played.steps, summary };
}

/** Plays all members in one call; where an episode of one breaks, each by itself, so that the others count. */
export async function playPopulation(
  run: Pick<PlayingRun, 'units' | 'signal'>,
  job: RolloutJob,
): Promise<PlayedPopulation> {
  const { units, signal } = run;
  const { backend } = units;
  const { successThreshold } = units.settings;
  const request = { ...job, backend, successThreshold, ...(signal && { signal }) };
  try {
    return playedOf(await evaluate(request));
  } catch (error) {
    if (!(error instanceof BrokenReturnError)) throw error;
    const results: (EvaluateResult | null)[] = [];
    for (const candidate of job.candidates) {
      results.push(await unlessBroken(evaluate({ ...request, candidates: [candidate] })));
    }
    return {
      means: results.map((result) => result?.means[0] ?? Number.NaN),
      steps: results.reduce((sum, result) => sum + (result?.played.steps ?? 0), 0),
      summary: (member) => results[member]!.summary(0),
    };
  }
}

/**
 * The observations of the first episode of each member: an episode more for each would take as long as playing them.
 * Those of a member that broke are left out: one that is not finite would spoil the moments of all.
 */
async function observe(
  run: PlayingRun,
  job: RolloutJob,
  { means }: PlayedPopulation,
): Promise<ObservationMoments | null> {
  let collector: MomentCollector | null = null;
  for (let member = 0; member < job.candidates.length; member++) {
    if (Number.isNaN(means[member]!)) continue;
    throwIfInterrupted(run.signal);
    const { steps } = await run.units.backend.trace(job, member, 0);
    for (const { obs } of steps) {
      if (!obs.every(Number.isFinite)) continue;
      collector ??= new MomentCollector(obs.length);
      collector.add(obs);
    }
  }
  return collector?.moments ?? null;
}

export interface PlayedMembers {
  readonly iteration: number;
  /** label of the best */
  readonly candidate: CandidateLabel;
  readonly members: readonly Float64Array[];
  /** what a model proposed, the last of the members */
  readonly proposed?: readonly ProposedParameters[];
  /** whether the observations are needed */
  readonly observes?: boolean;
}

/** Plays the members on the seeds of the iteration and records them with the best one. `best` null: all broke. */
export async function playTogether(run: PlayingRun, player: Player, played: PlayedMembers) {
  const { steps, signal, units } = run;
  const { iteration, candidate, members, proposed = [], observes = false } = played;
  const { env, policy, config, settings } = units;
  const episodes = settings.evaluationEpisodes;
  const seed = deriveSeed(config.seed, 'evaluation', iteration);
  const job: RolloutJob = { env, policy, candidates: members, episodes, seed, maxSteps: settings.maxSteps };
  const copied = proposed.map(({ params, adjustments }) => ({ params: [...params], adjustments: [...adjustments] }));
  const own = copied.length === 0 ? {} : { proposed: copied };
  const known = { iteration, seed, episodes, ...own };
  let result: PlayedPopulation | null = null;
  const generation = await recordedStep(steps, 'generation', known, async () => {
    await yieldToEventLoop(signal);
    run.checkBudget();
    result = await playPopulation(run, job);
    const { means } = result;
    const observed = observes ? await observe(run, job, result) : null;
    return { type: 'generation', iteration, seed, episodes, steps: result.steps, means, observed, ...own };
  });
  const best = indexOfHighest(generation.means);
  if (Number.isNaN(generation.means[best]!)) return { generation, best: null };
  const params = [...members[best]!];
  const adjustments = copied[best - (members.length - copied.length)]?.adjustments ?? [];
  const call = { iteration, candidate, params } as const;
  const { summary } = await recordedStep(steps, 'evaluated', { ...call, seed }, async () => ({
    type: 'evaluated',
    ...call,
    adjustments,
    seed,
    // Without a result the process ended between the two events.
    summary: result?.summary(best) ?? (await player.play(params, episodes, seed)).summary(0),
    paired: null,
  }));
  return { generation, best: { params, summary, seed, episodes } };
}
