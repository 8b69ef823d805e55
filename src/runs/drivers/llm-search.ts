/** A search with language models as steps of a run: warm-up, iterations of a method, re-check. */
import { throwIfInterrupted } from '../../base/async.ts';
import { runIteration } from '../../methods/interpreter.ts';
import { noRemarks, type PastTrial } from '../../methods/method.ts';
import { promptVersion } from '../../methods/prompts/version.ts';
import { warmupParameters } from '../../methods/warmup.ts';
import { endCauses } from '../../rollout/job.ts';
import { unlessBroken } from '../../rollout/statistics.ts';
import type { EventOf } from '../journal/events.ts';
import { recordedStep } from '../journal/steps.ts';
import { RunCalls } from '../models/calls.ts';
import { openModels } from '../models/models.ts';
import { llmUnits } from '../resolve-units.ts';
import { deriveGenerator, deriveSeed } from '../seeds.ts';
import { type Driver, goesOn } from './driver.ts';
import { iterationEffects } from './iteration-effects.ts';
import { estimateSearch, plannedEpisodes } from './llm-estimate.ts';
import { type LlmRun, llmRun, llmRunAt } from './llm-run.ts';
import { MethodOptimiser, unseenByOptimiser } from './method-optimiser.ts';
import { Player, playedEpisode } from './player.ts';
import { betterKept, type KeptTrial, recheck } from './recheck.ts';
import { type RecordedTrial, readRecordedTrials } from './recorded-trials.ts';
import { SearchTrials } from './search-trials.ts';

async function warmUp({ units, steps }: LlmRun, player: Player): Promise<PastTrial[]> {
  const { config, settings, policy } = units;
  const trials: PastTrial[] = [];
  for (let index = 0; index < settings.warmupPolicies; index++) {
    const params = warmupParameters(policy, settings, deriveGenerator(config.seed, 'warmupParameters', index));
    const seed = deriveSeed(config.seed, 'warmupEpisode', index);
    const event = await recordedStep(steps, 'warmup', { index, params, seed }, async () => {
      const result = await unlessBroken(player.play(params, 1, seed));
      if (result === null) {
        const { length, end } = await player.trace(params, seed);
        return { type: 'warmup', index, params, seed, return: Number.NaN, length, end };
      }
      const { ends, first_episode: only } = result.summaries[0]!;
      const end = endCauses.find((cause) => ends[cause] > 0) ?? endCauses[0];
      return { type: 'warmup', index, params, seed, return: only.return, length: only.length, end };
    });
    const { params: played, seed: used } = event;
    if (Number.isNaN(event.return)) continue;
    trials.push({ kind: 'warmup', params: played, mean: event.return, trace: () => player.trace(played, used) });
  }
  return trials;
}

/**
 * Recorded trials in place of random policies. Once one is in the journal, neither a resumed run nor a replay reads its file.
 * Their episodes are shown by playing one of ours with the same parameters.
 */
async function recordedTrials(run: LlmRun, player: Player, folder: string): Promise<PastTrial[]> {
  const { units, steps, recordedWarmups } = run;
  const { config, env, policy, settings } = units;
  const trials: PastTrial[] = [];
  let files: readonly RecordedTrial[] | null = null;
  const trialAt = (index: number): Pick<EventOf<'warmup'>, 'params' | 'return' | 'length' | 'recorded'> => {
    const known = recordedWarmups?.[index];
    if (known) return known;
    files ??= readRecordedTrials(folder, policy.paramCount);
    const { file, params, mean, episodes, length } = files[index]!;
    return { params: [...params], return: mean, length, recorded: { file, episodes, of: files.length } };
  };
  for (let index = 0, of = 1; index < of; index++) {
    const seed = deriveSeed(config.seed, 'warmupEpisode', index);
    const event = await recordedStep(steps, 'warmup', { index, seed }, async () => {
      const { params, return: mean, length, recorded } = trialAt(index);
      const limit = Math.min(env.timeLimit ?? Number.POSITIVE_INFINITY, settings.maxSteps ?? Number.POSITIVE_INFINITY);
      const end = length >= limit ? 'truncated' : 'terminated';
      return { type: 'warmup', index, params, seed, return: mean, length, end, recorded };
    });
    of = event.recorded?.of ?? of;
    const { params, seed: used } = event;
    trials.push({ kind: 'warmup', params, mean: event.return, trace: () => player.trace(params, used) });
  }
  return trials;
}

async function iterate(run: LlmRun, player: Player, trials: PastTrial[]): Promise<KeptTrial | null> {
  const calls = new RunCalls();
  try {
    return await iterateWith(calls, run, player, trials);
  } finally {
    calls.abandon();
  }
}

async function iterateWith(
  calls: RunCalls,
  run: LlmRun,
  player: Player,
  trials: PastTrial[],
): Promise<KeptTrial | null> {
  let best: KeptTrial | null = null;
  const made = new SearchTrials(player);
  const optimiser = MethodOptimiser.of(run.units);
  let remarks = noRemarks;
  for (let iteration = 1; goesOn(run, iteration, iteration <= run.units.settings.iterations); iteration++) {
    throwIfInterrupted(run.signal);
    const at = llmRunAt(run, iteration);
    const { env, policy, settings, method } = at.units;
    const { effects, played } = iterationEffects(at, player, calls, optimiser);
    const view = optimiser?.prepare(at.units, iteration);
    const context = { env, policy, settings, iteration, trials, remarks, ...(view && { optimiser: view }) };
    const { remarks: next, proposed = [], ...outcome } = await runIteration(method, context, effects);
    remarks = next;
    const event = await recordedStep(run.steps, 'iteration', outcome, async () => ({ type: 'iteration', ...outcome }));
    const { representative } = method;
    const kept = event.kept === null ? undefined : played.get(event.kept);
    if (event.trial && kept) trials.push(made.add(event, proposed, playedEpisode(kept.policy, representative)));
    const unseen = optimiser === null ? null : unseenByOptimiser(method, event);
    if (unseen) optimiser!.inject([unseen]);
    best = betterKept(best, event);
    await run.onIteration(event, kept ? () => kept.trace(representative) : null);
  }
  return best;
}

export const llmSearch: Driver = {
  promptVersion,
  saveIntervalSeconds: 0,
  async run(given) {
    const run = llmRun(given);
    const { units, steps, signal } = run;
    const { config, settings } = units;
    const { maxSteps, successThreshold } = settings;
    const keepOutcomes = settings.selection === 'paired';
    const player = new Player({ ...units, maxSteps, successThreshold, keepOutcomes, signal });
    const begun = llmRunAt(run, 0);
    const trials = await (settings.warmupDir === null
      ? warmUp(begun, player)
      : recordedTrials(begun, player, settings.warmupDir));
    const best = await iterate(run, player, trials);
    const { holdout } = config.evaluation;
    await recheck(best, {
      steps,
      player,
      seed: config.seed,
      episodes: config.recheck.episodes,
      holdout,
      onNotice: run.onNotice,
    });
  },
  openModels(units, open, used) {
    const { config, method } = llmUnits(units);
    return openModels(config, method, open, used);
  },
  goesOn: (units, { iteration }) => iteration < llmUnits(units).config.iterations,
  iterations: (units) => llmUnits(units).config.iterations,
  plannedEpisodes: (units) => plannedEpisodes(llmUnits(units)),
  estimate: (units, backend, counts) => estimateSearch(llmUnits(units), backend, counts),
};
