/** The optimisation that a configuration names. */
import { UsageError } from '../base/errors.ts';
import { type Env, observationSize } from '../envs/env.ts';
import { findMethod, methodId, methods } from '../methods/index.ts';
import { optimiserOf } from '../methods/optimiser-method.ts';
import { mostProposals } from '../methods/settings.ts';
import { stepTable } from '../optimisers/exact/table-model.ts';
import { cannotSearch } from '../optimisers/index.ts';
import { Optimisation, type Optimiser, problemOf } from '../optimisers/optimiser.ts';
import type { Policy } from '../policies/policy.ts';
import type { Config, LlmConfig } from './schema.ts';

/** Methods with an optimiser, and what it searches; those that ask no model first. */
const searchers = ['optimiser', 'llm-search'].flatMap((kind) =>
  methods.flatMap((method) => {
    const optimiser = method.kind === kind ? optimiserOf(method) : null;
    return optimiser === null ? [] : [{ id: method.id, searches: optimiser.searches }];
  }),
);

interface NamedOptimiser {
  readonly optimiser: Optimiser;
  readonly section: Readonly<Record<string, unknown>> & { readonly grid: boolean };
}

function namedOptimiser({ method: id, optimiser: section }: Config): NamedOptimiser {
  const optimiser = optimiserOf(findMethod(id));
  if (optimiser !== null && section !== undefined) return { optimiser, section };
  throw new UsageError('config', `expected a method with an optimiser, got ${methodId(id)}`);
}

/** The settings that an optimiser reads, out of its section. */
function ownSettings({ optimiser: { settings }, section }: NamedOptimiser): unknown {
  const own = Object.keys(settings.shape);
  return settings.parse(Object.fromEntries(Object.entries(section).filter(([key]) => own.includes(key))));
}

/**
 * A search from its start. `start`: where it begins; left out: as the settings say. Throws a usage error for a policy that the
 * optimiser cannot search.
 */
export function startOptimisation(config: Config, env: Env, policy: Policy, start?: Float64Array): Optimisation {
  const { observation } = env;
  const named = namedOptimiser(config);
  const { optimiser, section } = named;
  const { low, high, decimals } = config.parameters;
  const size = observation.kind === 'vector' ? observationSize(observation) : 1;
  const problem = problemOf(policy, { low, high, decimals: section.grid ? decimals : null }, size);
  const { id } = findMethod(config.method);
  const reason = cannotSearch({ id, searches: optimiser.searches }, problem.space, searchers);
  if (reason !== null) throw new UsageError(id, reason);
  const table = () => stepTable(env, config.evaluation.max_steps);
  return Optimisation.start(optimiser, { ...problem, table, ...(start && { start }) }, ownSettings(named));
}

/** Whether it has to be told the observations of the played episodes. */
export function needsObservations(config: Config): boolean {
  const named = namedOptimiser(config);
  return named.optimiser.needsObservations(ownSettings(named));
}

/** How a method refines its proposals. */
export interface Refinement {
  /** at most, of each refinement */
  readonly episodes: number;
  /** of each candidate of a generation */
  readonly each: number;
}

export const refinementKey = 'optimiser.candidate_episodes';

/** Null: the method refines nothing. */
export function refinementOf({ optimiser }: LlmConfig): Refinement | null {
  const { episodes, candidate_episodes: each }: Readonly<Record<string, unknown>> = optimiser ?? {};
  return typeof episodes === 'number' && typeof each === 'number' ? { episodes, each } : null;
}

/** Places that the model's proposals get in a population; null: it proposes none for it. */
export function proposedPlaces({ optimiser }: LlmConfig, population: number): number | null {
  const { share }: Readonly<Record<string, unknown>> = optimiser ?? {};
  if (typeof share !== 'number') return null;
  return Math.min(population - 1, mostProposals, Math.max(1, Math.round(share * population)));
}
