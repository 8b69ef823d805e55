/** Options of a policy kind or an environment as rules: what each may be and what it is when it is left out. */
import { nearest, UsageError } from './errors.ts';

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

export const numberIn = (low: number, high: number, fallback: number): OptionRule<number> => ({
  fallback,
  expected: `a number in ${low} ... ${high}`,
  fits: (value) => Number.isFinite(value) && (value as number) >= low && (value as number) <= high,
});

export const trueOrFalse = (fallback: boolean): OptionRule<boolean> => ({
  fallback,
  expected: 'true or false',
  fits: (value) => typeof value === 'boolean',
});

export const positiveNumber = (fallback: number): OptionRule<number> => ({
  fallback,
  expected: 'a positive number',
  fits: (value) => Number.isFinite(value) && (value as number) > 0,
});

export type OptionRules = Readonly<Record<string, OptionRule<unknown>>>;
export type OptionValues<R extends OptionRules> = { readonly [K in keyof R]: R[K]['fallback'] };

/**
 * Every option of `unit`, given or not. Throws a usage error for one that is unknown or has a value that does not fit.
 */
export function readOptions<const R extends OptionRules>(
  unit: string,
  options: Readonly<Record<string, unknown>>,
  rules: R,
): OptionValues<R> {
  const known = Object.keys(rules);
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(rules, key)) continue;
    const names = known.map((name) => `"${name}"`).join(', ');
    const expected = known.length === 0 ? 'no options' : `only the option${known.length === 1 ? '' : 's'} ${names}`;
    const near = nearest(key, known);
    const remedy = near === null ? 'remove it' : `did you mean "${near}"?`;
    throw new UsageError(unit, `expected ${expected}, got "${key}"; ${remedy}`);
  }
  return Object.fromEntries(
    known.map((key) => {
      const { fallback, expected, fits } = rules[key]!;
      const value = Object.hasOwn(options, key) ? options[key] : fallback;
      if (!fits(value)) {
        throw new UsageError(unit, `expected option "${key}" to be ${expected}, got ${JSON.stringify(value)}`);
      }
      return [key, value];
    }),
  ) as OptionValues<R>;
}
