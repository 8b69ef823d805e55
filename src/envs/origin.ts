/**
 * Where environments are from. A shader, a worker thread and a run folder know an environment by its name, so they may
 * stand only for an object that is still what this package has made of that name, and for no changed copy of it.
 */
import { deepFreeze } from '../base/deep-freeze.ts';
import type { Env } from './env.ts';

/** `package`: shipped, with options or without; `module`: loaded from a file; `program`: defined in the running program. */
export type EnvOrigin = 'package' | 'module' | 'program';

const origins = new WeakMap<Env, EnvOrigin>();

/** Null: an object that a program has put together itself, such as a copy with other fields. */
export const originOf = (env: Env): EnvOrigin | null => origins.get(env) ?? null;

/** Whether the environment can be built again from its name, its options and its changed constants. */
export const isNamed = (env: Env): boolean => originOf(env) === 'package' || originOf(env) === 'module';

/** Records where an environment is from, and freezes what it is played with. What a user has written stays open. */
export function withOrigin(env: Env, origin: EnvOrigin): Env {
  origins.set(env, origin);
  if (origin === 'package') return deepFreeze(env);
  Object.freeze(env.params);
  return Object.freeze(env);
}

/** The environment with other fields, from where `env` is. */
export function changedEnv(env: Env, changes: Partial<Env>): Env {
  const origin = originOf(env);
  const changed = { ...env, ...changes };
  return origin === null ? changed : withOrigin(changed, origin);
}
