/** Every policy kind, one line each. */
import { aRecord, checkArgument } from '../base/arguments.ts';
import { findById, UsageError } from '../base/errors.ts';
import { anEnv, type Env } from '../envs/env.ts';
import { linear } from './linear.ts';
import { mlp } from './mlp.ts';
import type { Policy, PolicyKind, PolicyOptions } from './policy.ts';
import { projectedMlp } from './projected-mlp.ts';
import { randomFeatures } from './random-features.ts';
import { tabular } from './tabular.ts';

/** Every policy kind, in the order of `r2po list policies`. */
export const policyKinds: readonly PolicyKind[] = [linear, tabular, mlp, projectedMlp, randomFeatures];

/** The policy kind with this id, fitted to the environment. Throws a usage error when it does not exist or fit. */
export function buildPolicy(kindId: string, env: Env, options: PolicyOptions = {}): Policy {
  checkArgument('buildPolicy', 'env', env, anEnv);
  checkArgument('buildPolicy', 'options', options, aRecord);
  const kind = findById('policies', 'policy kind', kindId, policyKinds, '; see "r2po list policies"');
  const reason = kind.accepts(env);
  if (reason) {
    const fitting = policyKinds.filter((k) => k.accepts(env) === null).map((k) => k.id);
    throw new UsageError(kindId, `cannot act in ${env.id}: ${reason}; use one of: ${fitting.join(', ') || 'none'}`);
  }
  return kind.build(env, options);
}
