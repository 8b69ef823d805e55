/** The optimiser beside the models of a run: what it asks for and is told, and the refinement of proposals. */
import { throwIfInterrupted } from '../../base/async.ts';
import { extremes } from '../../base/extremes.ts';
import type { Generator } from '../../base/rng/generator.ts';
import { proposedPlaces, refinementOf, startOptimisation } from '../../config/optimisation.ts';
import type { Method, OptimiserView, ProposedParameters } from '../../methods/method.ts';
import type { Optimisation } from '../../optimisers/optimiser.ts';
import { finiteReturns } from '../../optimisers/ranking.ts';
import type { BodyOf, EventOf } from '../journal/events.ts';
import type { LlmUnits } from '../resolve-units.ts';
import { deriveGenerator, deriveSeed } from '../seeds.ts';
import type { LlmRun } from './llm-run.ts';
import { playPopulation } from './population.ts';

/** The kept policy of an iteration, where the optimiser has not seen it: it takes a place in the next population. Null: none. */
export function unseenByOptimiser(
  { stages, candidates }: Pick<Method, 'stages' | 'candidates'>,
  { kept, trial }: EventOf<'iteration'>,
): Pick<ProposedParameters, 'params'> | null {
  const playing = stages.filter((stage) => stage === 'evaluate' || stage === 'generation');
  const isKnown = kept === null || playing[candidates.indexOf(kept)] === 'generation';
  return isKnown ? null : trial;
}

/**
 * An optimiser that lasts as long as the run. Its state follows from the seed of the run and the recorded means, so that a
 * resumed run has it again when it has read its record.
 */
export class MethodOptimiser {
  readonly #optimisation: Optimisation;
  #rng: Generator | null = null;

  private constructor(units: LlmUnits) {
    this.#optimisation = startOptimisation(units.config, units.env, units.policy);
  }

  /** Null: the method plays no populations. */
  static of(units: LlmUnits): MethodOptimiser | null {
    return units.method.stages.includes('generation') ? new MethodOptimiser(units) : null;
  }

  /** To be called at the start of each iteration, with the units that it is made with. */
  prepare({ config }: LlmUnits, iteration: number): OptimiserView {
    const optimisation = this.#optimisation;
    this.#rng = deriveGenerator(config.seed, 'population', iteration);
    optimisation.prepare(this.#rng);
    const { population } = optimisation;
    const places = proposedPlaces(config, population) ?? 0;
    return { population, places, distribution: () => optimisation.distribution() };
  }

  /** The next population, with candidates of others in its last places. */
  ask(proposed: readonly ProposedParameters[]): readonly Float64Array[] {
    this.inject(proposed);
    return this.#optimisation.ask(this.#rng!);
  }

  tell({ means }: EventOf<'generation'>): void {
    this.#optimisation.tell(means);
  }

  /** Candidates that take places in the next population. */
  inject(proposed: readonly Pick<ProposedParameters, 'params'>[]): void {
    this.#optimisation.inject(proposed.map(({ params }) => Float64Array.from(params)));
  }
}

/**
 * Refines a candidate by a search of its own that begins there, on other seeds than the evaluations: what it reaches is
 * compared later, on seeds that it was not chosen by.
 */
export async function refine(
  run: Pick<LlmRun, 'units' | 'signal'>,
  iteration: number,
  start: readonly number[],
): Promise<BodyOf<'refined'>> {
  const { config, env, policy, settings } = run.units;
  const { episodes: limit, each } = refinementOf(config)!;
  const optimisation = startOptimisation(config, env, policy, Float64Array.from(start));
  const rng = deriveGenerator(config.seed, 'population', iteration);
  const seed = deriveSeed(config.seed, 'refinement', iteration);
  const means: number[] = [];
  let episodes = 0;
  let steps = 0;
  for (;;) {
    throwIfInterrupted(run.signal);
    const candidates = optimisation.ask(rng);
    if (episodes + candidates.length * each > limit) break;
    const first = seed + optimisation.generations * each;
    const job = { env, policy, candidates, episodes: each, seed: first, maxSteps: settings.maxSteps };
    const played = await playPopulation(run, job);
    optimisation.tell(played.means);
    episodes += candidates.length * each;
    steps += played.steps;
    means.push(extremes(finiteReturns(played.means))[1]);
  }
  return { type: 'refined', iteration, seed, params: [...optimisation.centre()], episodes, steps, means };
}
