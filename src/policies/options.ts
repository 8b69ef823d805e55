/** Options of a policy kind as rules: what each may be and what it is when it is left out. */
import { UsageError } from '../base/errors.ts';
import type { PolicyOptions } from './policy.ts';

export interface OptionRule<T> {
  readonly fallback: T;
  readonly expected: string;
  fits(value: unknown): boolean;
}

export const wholeNumber = (low: number, high: number, fallback: number): OptionRule<number> => ({
  fallback,
  expected: `a whole number in ${low} ... ${high}`,
  fits: (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
});

export const finiteNumber = (fallback: number): OptionRule<number> => ({
  fallback,
  expected: 'a finite number',
  fits: (value) => Number.isFinite(value),
});

export const positiveNumber = (fallback: number): OptionRule<number> => ({
  fallback,
  expected: 'a positive number',
  fits: (value) => Number.isFinite(value) && (value as number) > 0,
});

/** Cuts to the range of the options "low" and "high". Throws a usage error for an empty one. */
export function clipTo(kind: string, low: number, high: number): (value: number) => number {
  if (low >= high) throw new UsageError(kind, `expected option "low" below "high", got ${low} and ${high}`);
  return (value) => Math.min(Math.max(value, low), high);
}

type Rules = Readonly<Record<string, OptionRule<unknown>>>;
export type OptionValues<R extends Rules> = { readonly [K in keyof R]: R[K]['fallback'] };

/** Every option, given or not. Throws a usage error for one that is unknown or has a value that does not fit. */
export function readOptions<const R extends Rules>(kind: string, options: PolicyOptions, rules: R): OptionValues<R> {
  const known = Object.keys(rules);
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(rules, key)) {
      const expected =
        known.length === 0
          ? 'no options'
          : `only the option${known.length === 1 ? '' : 's'} ${known.map((name) => `"${name}"`).join(', ')}`;
      throw new UsageError(kind, `expected ${expected}, got "${key}"; remove it`);
    }
  }
  return Object.fromEntries(
    known.map((key) => {
      const { fallback, expected, fits } = rules[key]!;
      const value = Object.hasOwn(options, key) ? options[key] : fallback;
      if (!fits(value)) {
        throw new UsageError(kind, `expected option "${key}" to be ${expected}, got ${JSON.stringify(value)}`);
      }
      return [key, value];
    }),
  ) as OptionValues<R>;
}
