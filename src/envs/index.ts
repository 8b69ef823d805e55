/** Every environment, one line each. */
import { UsageError, unknownName } from '../base/errors.ts';
import { acrobot } from './acrobot/index.ts';
import { cartpole } from './cartpole/index.ts';
import type { Env, EnvOptions } from './env.ts';
import { mountaincar } from './mountaincar/index.ts';
import { mountaincarContinuous } from './mountaincar-continuous/index.ts';
import { pendulum } from './pendulum/index.ts';
import { pong } from './pong/index.ts';

export const envs: readonly Env[] = [cartpole, mountaincar, mountaincarContinuous, acrobot, pendulum, pong];

/**
 * The environment with this id or folder name, built with these options.
 * Throws a usage error with the nearest known id, or for options that it does not take.
 */
export function findEnv(name: string, options: EnvOptions = {}): Env {
  const env = envs.find((e) => e.id === name || e.folder === name);
  if (!env) {
    const known = envs.map((e) => e.id);
    throw new UsageError('envs', `${unknownName('environment', name, known)}; see "r2po list envs"`);
  }
  const given = Object.keys(options);
  if (given.length === 0) return env;
  if (!env.withOptions) throw new UsageError(env.id, `takes no options, got "${given.join('", "')}"; remove them`);
  return env.withOptions(options);
}
