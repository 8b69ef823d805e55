/** A search with an optimiser as steps of a run: populations, each played in one call on common seeds, then the re-check. */
import { throwIfInterrupted, yieldToEventLoop } from '../../base/async.ts';
import { needsObservations, startOptimisation } from '../../config/optimisation.ts';
import { type EvaluateResult, evaluate } from '../../evaluation/evaluate.ts';
import type { Summary } from '../../evaluation/summary.ts';
import { MomentCollector, type ObservationMoments } from '../../optimisers/observation-moments.ts';
import { finiteReturns, indexOfHighest } from '../../optimisers/ranking.ts';
import type { RolloutJob } from '../../rollout/job.ts';
import { BrokenReturnError } from '../../rollout/statistics.ts';
import type { EventOf } from '../journal/events.ts';
import { recordedStep } from '../journal/steps.ts';
import { type OptimiserUnits, optimiserUnits } from '../resolve-units.ts';
import { deriveGenerator, deriveSeed } from '../seeds.ts';
import { type CostEstimate, type Driver, type DriverRun, unitsAt } from './driver.ts';
import { Player } from './player.ts';
import { recheck } from './recheck.ts';

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
async function playPopulation(run: DriverRun, job: RolloutJob): Promise<PlayedPopulation> {
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
      results.push(
        await evaluate({ ...request, candidates: [candidate] }).catch((alone) => {
          if (alone instanceof BrokenReturnError) return null;
          throw alone;
        }),
      );
    }
    if (results.every((result) => result === null)) throw error;
    return {
      means: results.map((result) => result?.means[0] ?? Number.NaN),
      steps: results.reduce((sum, result) => sum + (result?.played.steps ?? 0), 0),
      summary: (member) => results[member]!.summary(0),
    };
  }
}

/** The observations of the first episode of each member: an episode more for each would take as long as playing them. */
async function observe(run: DriverRun, job: RolloutJob): Promise<ObservationMoments> {
  let collector: MomentCollector | null = null;
  for (let member = 0; member < job.candidates.length; member++) {
    throwIfInterrupted(run.signal);
    const { steps } = await run.units.backend.trace(job, member, 0);
    for (const { obs } of steps) {
      collector ??= new MomentCollector(obs.length);
      collector.add(obs);
    }
  }
  return collector!.moments;
}

interface Generation {
  readonly iteration: number;
  readonly population: readonly Float64Array[];
}

/** Plays one generation and records it with its best member. */
async function playGeneration(
  run: DriverRun,
  player: Player,
  observes: boolean,
  { iteration, population }: Generation,
) {
  const { steps, signal } = run;
  const { env, policy, config, settings } = run.units;
  const episodes = settings.evaluationEpisodes;
  const seed = deriveSeed(config.seed, 'evaluation', iteration);
  const job: RolloutJob = { env, policy, candidates: population, episodes, seed, maxSteps: settings.maxSteps };
  let played: PlayedPopulation | null = null;
  const generation = await recordedStep(steps, 'generation', { iteration, seed, episodes }, async () => {
    await yieldToEventLoop(signal);
    run.checkBudget();
    played = await playPopulation(run, job);
    const { means } = played;
    const observed = observes ? await observe(run, job) : null;
    return { type: 'generation', iteration, seed, episodes, steps: played.steps, means, observed };
  });
  const best = indexOfHighest(finiteReturns(generation.means));
  const params = [...population[best]!];
  const call = { iteration, candidate: 'proposal', params } as const;
  const { summary } = await recordedStep(steps, 'evaluated', { ...call, seed }, async () => ({
    type: 'evaluated',
    ...call,
    adjustments: [],
    seed,
    // Without a result the process ended between the two events.
    summary: played?.summary(best) ?? (await player.play(params, episodes, seed)).summary(0),
    paired: null,
  }));
  return { generation, params, summary, seed, episodes };
}

async function search(run: DriverRun, player: Player): Promise<readonly EventOf<'iteration'>[]> {
  const { config, env, policy } = optimiserUnits(run.units);
  const optimisation = startOptimisation(config, env, policy);
  const observes = needsObservations(config);
  const done: EventOf<'iteration'>[] = [];
  for (let iteration = 1, left = config.optimiser.episodes; ; iteration++) {
    throwIfInterrupted(run.signal);
    const units = unitsAt(run, iteration);
    const population = optimisation.ask(deriveGenerator(units.config.seed, 'population', iteration));
    left -= population.length * units.settings.evaluationEpisodes;
    if (left < 0) return done;
    const at = { ...run, units };
    const { generation, ...kept } = await playGeneration(at, player, observes, { iteration, population });
    optimisation.tell(generation.means, generation.observed);
    const { params, summary } = kept;
    const { mean } = summary;
    const outcome = {
      iteration,
      kept: 'proposal',
      why: optimisation.remark ?? `the highest mean of ${population.length} candidates`,
      candidates: [{ label: 'proposal', params, mean }],
      trial: { kind: 'iteration', params, mean },
    } as const;
    const event = await recordedStep(run.steps, 'iteration', outcome, async () => ({ type: 'iteration', ...outcome }));
    done.push(event);
    await run.onIteration(event, () => player.replay(kept, run.units.method.representative));
  }
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
    const iterations = await search(run, player);
    const { holdout } = config.evaluation;
    await recheck(iterations, { steps, player, seed: config.seed, episodes: config.recheck.episodes, holdout });
  },
  openModels: async () => null,
  goesOn(units, { episodes }) {
    const { config, env, policy, settings } = optimiserUnits(units);
    const generation = startOptimisation(config, env, policy).population * settings.evaluationEpisodes;
    return config.optimiser.episodes - episodes >= generation;
  },
  iterations: (units) => plannedIterations(optimiserUnits(units)),
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
