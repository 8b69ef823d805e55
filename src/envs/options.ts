/** Environments that are built from options, by rules: those of Gymnasium's `make`, by their names there. */
import { numberIn, type OptionRule, type OptionRules, type OptionValues, readOptions } from '../base/option-rules.ts';
import {
  type Constant,
  type ConstantValues,
  defineEnv,
  type Env,
  type EnvOptions,
  type EnvSpec,
  type Params,
} from './env.ts';
import { changedEnv, withOrigin } from './origin.ts';

/** An option of an environment. */
export interface EnvOptionRule<T = unknown> extends OptionRule<T> {
  /** what it changes, for lists and documents */
  readonly meaning: string;
  /** whether configurations hold it at its default too; the others are left out there */
  readonly always?: boolean;
}

export type EnvOptionRules = Readonly<Record<string, EnvOptionRule>>;

/** A rule with what it changes. */
export const option = <T>(rule: OptionRule<T>, meaning: string): EnvOptionRule<T> => ({ ...rule, meaning });

/** The option of every environment that sets `timeLimit`. */
export const stepLimitKey = 'max_episode_steps';
/** Steps are counted in f32 by some shaders. */
const mostSteps = 2 ** 24;

/** The rule of `max_episode_steps`; `fallback`: the registered limit, null for none. */
export function stepLimitRule<T extends number | null>(
  fallback: T,
  low = 1,
  high = mostSteps,
): EnvOptionRule<number | T> {
  return {
    fallback,
    meaning: 'steps after which an episode is truncated',
    expected: `a whole number in ${low} ... ${high}`,
    fits: (value) =>
      value === fallback || (Number.isInteger(value) && (value as number) >= low && (value as number) <= high),
  };
}

/** The rule of `reset_noise_scale`: how far from rest the models of MuJoCo start. */
export const resetNoiseRule = (fallback: number): EnvOptionRule<number> =>
  // Farther out, a cart could start inside a stop of its rail.
  option(numberIn(0, 0.9, fallback), 'largest distance of each start position and velocity from rest');

/** A threshold of what each step adds to the return, for another step limit than the registered one. */
export const inProportion = (threshold: number, limit: number, registered: number): number =>
  (threshold * limit) / registered;

/** `threshold`, or where no return or every return reaches it within `limit` steps, the same in proportion. */
export function reachable(
  threshold: number,
  [lowest, highest]: readonly [number, number],
  limit: number,
  registered: number,
): number {
  return lowest < threshold && threshold <= highest ? threshold : inProportion(threshold, limit, registered);
}

/** The constants with some values replaced. */
export function withValues<C extends Readonly<Record<string, Constant>>>(
  constants: C,
  values: Partial<ConstantValues<C>>,
): { readonly [K in keyof C]: Constant } {
  const entries = Object.entries(constants).map(([name, c]) => [name, { ...c, value: values[name] ?? c.value }]);
  return Object.fromEntries(entries) as { [K in keyof C]: Constant };
}

/**
 * An environment of this package, with the defaults of `rules`. Its `withOptions` builds it with others, and throws a usage error that
 * names the option for one that is unknown or does not fit. `read` turns other forms of an option into the one of the rules.
 */
export function envWithOptions<const R extends EnvOptionRules, C extends Record<string, Constant>, D extends Params>(
  id: string,
  rules: R,
  build: (values: OptionValues<R>) => Omit<EnvSpec<C, D>, 'id' | 'options' | 'withOptions'>,
  read: (given: EnvOptions) => EnvOptions = (given) => given,
): Env {
  const withOptions = (given: EnvOptions): Env => {
    const values = readOptions<R>(id, read(given), rules);
    const env = defineEnv({ ...build(values), id });
    // Copies: a list of the caller may change.
    const options = structuredClone(canonicalOptions(values, rules));
    return withOrigin({ ...env, options, optionRules: rules, withOptions }, 'package');
  };
  return withOptions({});
}

/** The options that make an environment differ from its defaults, and those that are always written. */
function canonicalOptions(values: EnvOptions, rules: EnvOptionRules): EnvOptions {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const kept = Object.entries(rules).filter(([key, { fallback, always }]) => always || !same(values[key], fallback));
  return Object.fromEntries(kept.map(([key]) => [key, values[key]]));
}

/**
 * Any environment with another step limit. Its range of returns is widened in proportion: a step adds as much to the
 * return as before.
 */
export function withStepLimit(env: Env, wanted: unknown): Env {
  const { timeLimit: registered } = env;
  const rules = { [stepLimitKey]: stepLimitRule(registered) };
  const limit = readOptions(env.id, { [stepLimitKey]: wanted }, rules as OptionRules)[stepLimitKey] as number | null;
  if (limit === registered || limit === null) return env;
  const ratio = registered === null ? 1 : limit / registered;
  const [lowest, highest] = env.returnRange;
  const returnRange = [Math.min(lowest, lowest * ratio), Math.max(highest, highest * ratio)] as const;
  const threshold = reachable(env.success.threshold, returnRange, ratio, 1);
  return changedEnv(env, {
    timeLimit: limit,
    returnRange,
    success: { ...env.success, threshold },
    options: { ...env.options, [stepLimitKey]: limit },
  });
}
