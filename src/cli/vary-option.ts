/** The option `--vary`: constants of the environment and the values that they take. */
import { Option } from 'commander';
import { UsageError } from '../base/errors.ts';
import { constantNamed } from '../envs/constants.ts';
import type { Env } from '../envs/env.ts';
import type { VariedConstant } from '../evaluation/variation.ts';

const unit = '--vary';
const form = 'a constant and its values, such as masspole=0.05..0.2:9 or length=0.25,0.5,1';
/** Combinations of a command; each is played by itself. */
const mostCombinations = 10_000;
/** More constants fit no picture. */
const mostConstants = 3;

export interface GivenVariation {
  /** as the user wrote it */
  readonly name: string;
  readonly values: readonly number[];
}

/** A finite decimal number; null: it is none */
function numberOf(text: string): number | null {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** `low..high:count`, both ends included */
function rangeValues(text: string, values: string): number[] | null {
  const [, from, to, given] = /^(.+?)\.\.(.+?)(?::(.*))?$/.exec(values) ?? [];
  if (from === undefined || to === undefined) return null;
  const [low, high] = [numberOf(from), numberOf(to)];
  if (low === null || high === null) throw new UsageError(unit, `expected numbers around "..", got "${text}"`);
  if (low >= high) {
    throw new UsageError(unit, `expected a range from a lower to a higher value, got "${text}", which is empty`);
  }
  if (given === undefined) {
    throw new UsageError(unit, `expected the number of values behind the range, such as ${values}:9, got "${text}"`);
  }
  const count = numberOf(given);
  if (count === null || !Number.isInteger(count) || count < 2 || count > mostCombinations) {
    throw new UsageError(
      unit,
      `expected a whole number of values in 2 ... ${mostCombinations}, got "${given}" in "${text}"`,
    );
  }
  const step = (high - low) / (count - 1);
  // Without the digits that only rounding makes: 0.1 + 2 * 0.05 is 0.2.
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? high : Number((low + i * step).toPrecision(12))));
}

function listValues(text: string, values: string): number[] {
  const numbers = values.split(',').map((value) => numberOf(value.trim()));
  if (numbers.includes(null)) throw new UsageError(unit, `expected ${form}, got "${text}"`);
  const sorted = [...(numbers as number[])].sort((a, b) => a - b);
  if (new Set(sorted).size !== sorted.length) throw new UsageError(unit, `expected different values, got "${text}"`);
  return sorted;
}

/** Throws a usage error for a text that is no variation. */
export function readVariation(text: string): GivenVariation {
  const [, name, values] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || values === undefined) throw new UsageError(unit, `expected ${form}, got "${text}"`);
  return { name: name.trim(), values: rangeValues(text, values.trim()) ?? listValues(text, values.trim()) };
}

export function varyOption(): Option {
  return new Option(
    '--vary <constant=a..b:n>',
    'play under n values of a constant of the environment, from a to b; can be repeated for every combination of up to three',
  ).argParser((text: string, before: readonly GivenVariation[] | undefined) => [
    ...(before ?? []),
    readVariation(text),
  ]);
}

/** The constants of `env` that are meant. Throws a usage error for unknown ones, one that is named twice, or too many. */
export function variedConstants(env: Env, given: readonly GivenVariation[]): VariedConstant[] {
  const varied = given.map(({ name, values }) => ({ name: constantNamed(env, name, unit), values }));
  const names = varied.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UsageError(unit, `expected each constant once, got "${twice}" twice; give one list`);
  if (varied.length > mostConstants) {
    throw new UsageError(unit, `expected up to ${mostConstants} constants, got ${varied.length}; leave some out`);
  }
  const combinations = varied.reduce((product, { values }) => product * values.length, 1);
  if (combinations <= mostCombinations) return varied;
  throw new UsageError(unit, `expected up to ${mostCombinations} combinations, got ${combinations}; give fewer values`);
}
