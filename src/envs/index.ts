/** Every environment, one line each. */
import { UsageError, unknownName } from '../base/errors.ts';
import { cartpole } from './cartpole/index.ts';
import type { Env } from './env.ts';

export const envs: readonly Env[] = [cartpole];

/** The environment with this id or folder name. Throws a usage error with the nearest known id. */
export function findEnv(name: string): Env {
  const env = envs.find((e) => e.id === name || e.folder === name);
  if (!env) {
    const known = envs.map((e) => e.id);
    throw new UsageError('envs', `${unknownName('environment', name, known)}; see "r2po list envs"`);
  }
  return env;
}
