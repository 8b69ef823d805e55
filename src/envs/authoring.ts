/** The imports of a file that defines a custom environment: `import { defineEnv } from 'r2po-webgpu/env'`. */
import { checkSpec } from './check-spec.ts';
import { type Constant, type Env, type EnvSpec, type Params, defineEnv as resolve } from './env.ts';

export { UsageError } from '../base/errors.ts';
export type { Draws } from '../base/rng/draws.ts';
export type {
  ActionSpace,
  Constant,
  Dynamics,
  Env,
  EnvOptions,
  EnvSpec,
  ObservationSpace,
  Row,
  StepCost,
} from './env.ts';

/**
 * Defines an environment. Throws when a field is missing, has the wrong form, or contradicts another one; the message
 * names every such field.
 */
export function defineEnv<const C extends Record<string, Constant>, D extends Params>(spec: EnvSpec<C, D>): Env {
  checkSpec(spec);
  return resolve(spec);
}
