/** The optimisation that a configuration names. */
import { UsageError } from '../base/errors.ts';
import { type Env, observationSize } from '../envs/env.ts';
import { stepTable } from '../optimisers/exact/table-model.ts';
import { cannotSearch, findOptimiser } from '../optimisers/index.ts';
import { Optimisation, problemOf } from '../optimisers/optimiser.ts';
import type { Policy } from '../policies/policy.ts';
import type { OptimiserConfig } from './schema.ts';
import { ownSettings } from './sections/optimiser.ts';

/** Throws a usage error for a policy that the optimiser cannot search. */
export function startOptimisation(config: OptimiserConfig, env: Env, policy: Policy): Optimisation {
  const { observation } = env;
  const optimiser = findOptimiser(config.method);
  const { low, high, decimals } = config.parameters;
  const size = observation.kind === 'vector' ? observationSize(observation) : 1;
  const problem = problemOf(policy, { low, high, decimals: config.optimiser.grid ? decimals : null }, size);
  const reason = cannotSearch(optimiser, problem.space);
  if (reason !== null) throw new UsageError(optimiser.id, reason);
  const table = () => stepTable(env, config.evaluation.max_steps);
  return Optimisation.start(optimiser, { ...problem, table }, ownSettings(optimiser, config.optimiser));
}

/** Whether it has to be told the observations of the played episodes. */
export function needsObservations(config: OptimiserConfig): boolean {
  const optimiser = findOptimiser(config.method);
  return optimiser.needsObservations(ownSettings(optimiser, config.optimiser));
}
