/** Environments under other constants: the physics of a heavier pole, a weaker motor, another step of time. */
import { nearest, UsageError } from '../base/errors.ts';
import { type Constant, type ConstantRange, type Env, type Params, resolvedParams } from './env.ts';
import { changedEnv } from './origin.ts';
import { originalNames } from './original-names.ts';
import { fieldName } from './wgsl-names.ts';

/**
 * What a constant may be. Without a word one that is not negative stays so: there may be no drag, no force and no margin,
 * whereas a length, a mass or a step of time that is divided by has to say `positive`.
 */
export function rangeOf({ value, allowed }: Constant): ConstantRange {
  return allowed ?? (value >= 0 ? 'not negative' : 'any');
}

interface RangeRule {
  readonly expected: string;
  fits(value: number): boolean;
}

const ranges: Readonly<Record<Exclude<ConstantRange, 'fixed'>, RangeRule>> = {
  any: { expected: 'a finite number', fits: () => true },
  positive: { expected: 'a number above 0', fits: (value) => value > 0 },
  'not negative': { expected: 'a number of at least 0', fits: (value) => value >= 0 },
  whole: { expected: 'a whole number above 0', fits: (value) => Number.isInteger(value) && value > 0 },
  share: { expected: 'a number in 0 ... 1', fits: (value) => value >= 0 && value <= 1 },
};

/** Constants that have another value when this number changes its value by a little; the names of `derive`. */
function sourcesOf(env: Env, derived: string): string[] {
  const values = constantsOf(env);
  const before = env.derive(values)[derived];
  return Object.keys(values).filter((name) => {
    const value = values[name]!;
    const moved = value === 0 ? 0.01 : value * 1.01;
    return env.derive({ ...values, [name]: moved })[derived] !== before;
  });
}

function constantsOf({ constants, params }: Pick<Env, 'constants' | 'params'>): Params {
  return Object.fromEntries(Object.keys(constants).map((name) => [name, params[name]!]));
}

/**
 * The constant that a user names: by its name here, the same in snake case, or its name in the original. Throws a usage
 * error of `unit` for a name of none, or of one that cannot be changed.
 */
export function constantNamed(env: Env, name: string, unit: string): string {
  const { constants, params } = env;
  const originals = Object.entries(originalNames[env.id] ?? {});
  const namesOf = (key: string): string[] => [
    ...[key, fieldName(key)],
    ...originals.flatMap(([original, own]) => (own === key ? [original] : [])),
  ];
  const found = Object.keys(constants).find((key) => namesOf(key).includes(name));
  const variable = Object.keys(constants).filter((key) => rangeOf(constants[key]!) !== 'fixed');
  if (found !== undefined) {
    if (rangeOf(constants[found]!) !== 'fixed') return found;
    const others = variable.length === 0 ? 'it has none that can be varied' : `vary one of: ${variable.join(', ')}`;
    throw new UsageError(
      unit,
      `expected a constant of ${env.id} that can be varied, got "${name}", with which its states, actions or map go; ${others}`,
    );
  }
  const derived = Object.keys(params).find((key) => !(key in constants) && (key === name || fieldName(key) === name));
  if (derived !== undefined) {
    const sources = sourcesOf(env, derived).filter((key) => variable.includes(key));
    throw new UsageError(
      unit,
      `expected a constant of ${env.id}, got "${name}", which follows from ${sources.join(', ') || 'others'}; vary those`,
    );
  }
  const near = nearest(name, Object.keys(constants).flatMap(namesOf));
  const known = near === null ? `known: ${variable.join(', ')}` : `did you mean "${near}"?`;
  throw new UsageError(unit, `expected a constant of ${env.id}, got "${name}"; ${known}`);
}

/** Pairs of bounds by their names: `resetLow` and `resetHigh`, `minPosition` and `maxPosition`. */
function upperOf(name: string): string | null {
  if (/Low$/.test(name)) return name.replace(/Low$/, 'High');
  return /^min[A-Z]/.test(name) ? name.replace(/^min/, 'max') : null;
}

function orderProblem(values: Params): string | null {
  for (const [name, low] of Object.entries(values)) {
    const upper = upperOf(name);
    const high = upper === null ? undefined : values[upper];
    if (high !== undefined && low > high) return `${name} up to ${upper}, got ${low} and ${high}`;
  }
  return null;
}

/** A mass, an inertia or a room that is positive stays so; a weight turns with gravity. */
function derivedProblem(env: Env, constants: Params, derived: Params): string | null {
  const upright = Object.entries(constants).map(([name, value]) => [
    name,
    value * env.params[name]! < 0 ? -value : value,
  ]);
  const unturned = env.derive(Object.fromEntries(upright));
  for (const [name, value] of Object.entries(derived)) {
    const before = env.params[name]!;
    if (!Number.isFinite(value)) return `a finite ${name}, which follows from the constants, got ${value}`;
    if (before > 0 && value < 0 && unturned[name] !== -value)
      return `${name}, which follows from the constants, to stay at least 0, got ${value}`;
  }
  return null;
}

/**
 * The environment with other values of some constants, by their names here; what follows from them is computed again.
 * Success threshold, range of returns and step limit stay as they are. Throws a usage error of `unit` for values that are
 * not physical.
 */
export function withConstants(env: Env, values: Params, unit: string): Env {
  for (const [name, value] of Object.entries(values)) {
    const constant = env.constants[constantNamed(env, name, unit)]!;
    const { expected, fits } = ranges[rangeOf(constant) as Exclude<ConstantRange, 'fixed'>];
    if (Number.isFinite(value) && fits(value)) continue;
    throw new UsageError(unit, `expected ${expected} as ${name} (${constant.unit}) of ${env.id}, got ${value}`);
  }
  const constants = { ...constantsOf(env), ...values };
  const derived = env.derive(constants);
  const problem = orderProblem(constants) ?? derivedProblem(env, constants, derived);
  if (problem !== null) {
    const given = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    throw new UsageError(unit, `expected ${problem}, with ${given.join(', ')} of ${env.id}; choose other values`);
  }
  return changedEnv(env, {
    params: resolvedParams({ ...constants, ...derived }),
    changed: { ...env.changed, ...values },
  });
}
