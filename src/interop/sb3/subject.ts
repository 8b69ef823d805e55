/** Determines the algorithm, environment and number of a training from names and files. */
import { UsageError } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { envPrefix, readExperimentName } from '../reference/layout.ts';

/** Algorithms of Stable-Baselines3 and its contrib package, by the folder names of rl-zoo. */
const algorithms = [
  'a2c',
  'ars',
  'crossq',
  'ddpg',
  'dqn',
  'her',
  'ppo',
  'ppo_lstm',
  'ppo_mask',
  'qrdqn',
  'sac',
  'td3',
  'tqc',
  'trpo',
] as const;

const prefix = 'sb3/';
const plainName = /^[a-z0-9][a-z0-9._-]{0,39}$/;

/** `sb3/ppo` for `PPO` or `sb3/ppo`; null for an invalid name. */
export function methodNamed(algorithm: string): string | null {
  const text = algorithm.toLowerCase();
  const name = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  return plainName.test(name) ? `${prefix}${name}` : null;
}

/** The same for user input. Throws a usage error for an invalid name. */
export function methodOf(algorithm: string): string {
  const method = methodNamed(algorithm);
  if (method !== null) return method;
  throw new UsageError('--method', `expected the name of an algorithm, such as ppo, got "${algorithm}"`);
}

/** The algorithm in folder names, innermost first: `ppo`, `PPO_1`, `ppo_cartpole`. */
export function algorithmIn(names: readonly string[]): string | null {
  for (const name of [...names].reverse()) {
    const text = name.toLowerCase();
    const fits = algorithms.filter((id) => text === id || text.startsWith(`${id}_`) || text.startsWith(`${id}-`));
    if (fits.length > 0) return fits.reduce((a, b) => (b.length > a.length ? b : a));
  }
  return null;
}

/** The environment in folder names: `CartPole-v1_2`, `cartpole_sb3`, `a2c_cartpole_tensorboard`. */
export function envIn(names: readonly string[]): Env | null {
  for (const name of [...names].reverse()) {
    const bare = name.replace(/_\d+$/, '');
    const env = envs.find(({ id }) => id === bare) ?? readExperimentName(name).env ?? envWordIn(name);
    if (env) return env;
  }
  return null;
}

/** The environment that one word of a name is the folder of. */
function envWordIn(name: string): Env | null {
  const words = name.toLowerCase().split(/[_.\s]/);
  return envs.find((env) => words.includes(envPrefix(env))) ?? null;
}

/** Other ids under which an environment of r2po has the same dynamics, rewards and step limit, by our id. */
const sameEnv: Readonly<Record<string, string>> = { 'Pendulum-v0': 'Pendulum-v1' };

/** The environment that a file names, and our id for it where that differs; null: none of r2po. */
export function statedEnv(id: string): { readonly env: Env; readonly renamed: boolean } | null {
  const env = envs.find((one) => one.id === (sameEnv[id] ?? id));
  return env ? { env, renamed: env.id !== id } : null;
}

/** 3 for `run_3`, `CartPole-v1_3` and `seed3`; 0 without a number. */
export function numberIn(name: string): number {
  return Number(/(?:_|^|seed|run)(\d{1,9})$/i.exec(name)?.[1] ?? 0);
}
