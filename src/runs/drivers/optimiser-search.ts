/** A search with an optimiser as steps of a run: populations, each played in one call on common seeds, then the re-check. */
import { throwIfInterrupted } from '../../base/async.ts';
import { needsObservations, startOptimisation } from '../../config/optimisation.ts';
import type { IterationOutcome } from '../../methods/method.ts';
import { recordedStep } from '../journal/steps.ts';
import { type OptimiserUnits, optimiserUnits } from '../resolve-units.ts';
import { deriveGenerator } from '../seeds.ts';
import { type CostEstimate, type Driver, type DriverRun, goesOn, unitsAt } from './driver.ts';
import { type EvaluatedPolicy, Player, playedEpisode } from './player.ts';
import { playTogether } from './population.ts';
import { betterKept, type KeptTrial, recheck } from './recheck.ts';

async function search(run: DriverRun, player: Player): Promise<KeptTrial | null> {
  const { config, env, policy } = optimiserUnits(run.units);
  const optimisation = startOptimisation(config, env, policy);
  const observes = needsObservations(config);
  let best: KeptTrial | null = null;
  for (let iteration = 1, left = config.optimiser.episodes; ; iteration++) {
    throwIfInterrupted(run.signal);
    const units = unitsAt(run, iteration);
    const population = optimisation.ask(deriveGenerator(units.config.seed, 'population', iteration));
    left -= population.length * units.settings.evaluationEpisodes;
    if (!goesOn(run, iteration, left >= 0)) return best;
    const { generation, best: kept } = await playTogether({ ...run, units }, player, {
      iteration,
      candidate: 'proposal',
      members: population,
      observes,
    });
    optimisation.tell(generation.means, generation.observed);
    const outcome = outcomeOf(iteration, population.length, kept, optimisation.remark);
    const event = await recordedStep(run.steps, 'iteration', outcome, async () => ({ type: 'iteration', ...outcome }));
    best = betterKept(best, event);
    const { representative } = run.units.method;
    await run.onIteration(event, kept && (() => player.replay(kept.params, playedEpisode(kept, representative))));
  }
}

/** `kept` null: the episodes of all members broke. */
function outcomeOf(
  iteration: number,
  members: number,
  kept: EvaluatedPolicy | null,
  remark: string | null,
): IterationOutcome {
  if (kept === null) {
    const why = `none of ${members} candidates could be played: a return is infinite or NaN`;
    return { iteration, kept: null, why, candidates: [], trial: null };
  }
  const { params, summary } = kept;
  const { mean } = summary;
  return {
    iteration,
    kept: 'proposal',
    why: remark ?? `the highest mean of ${members} candidates`,
    candidates: [{ label: 'proposal', params, mean }],
    trial: { kind: 'iteration', params, mean },
  };
}

function plannedIterations({ config, env, policy, settings }: OptimiserUnits): number {
  const { population } = startOptimisation(config, env, policy);
  return Math.max(1, Math.floor(config.optimiser.episodes / (population * settings.evaluationEpisodes)));
}

export const optimiserSearch: Driver = {
  promptVersion: null,
  saveIntervalSeconds: 1,
  async run(run) {
    const { steps, signal, units } = run;
    const { config, settings } = optimiserUnits(units);
    const { maxSteps, successThreshold } = settings;
    const player = new Player({ ...units, maxSteps, successThreshold, keepOutcomes: false, signal });
    const best = await search(run, player);
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
  openModels: async () => null,
  goesOn(units, { episodes }) {
    const { config, env, policy, settings } = optimiserUnits(units);
    const generation = startOptimisation(config, env, policy).population * settings.evaluationEpisodes;
    return config.optimiser.episodes - episodes >= generation;
  },
  iterations: (units) => plannedIterations(optimiserUnits(units)),
  plannedEpisodes: (units) => optimiserUnits(units).config.optimiser.episodes,
  async estimate(units): Promise<CostEstimate> {
    const { config } = optimiserUnits(units);
    return {
      calls: 0,
      episodes: config.optimiser.episodes,
      recheck_episodes: config.recheck.episodes + (config.evaluation.holdout ?? 0),
      prompt_tokens: 0,
      completion_tokens: 0,
      longest_call_tokens: { search: null, critic: null },
      cost_usd: 0,
      price_date: null,
      price_source: null,
    };
  },
};
