/** What a program passes to an exported function: types say what it is, and JavaScript does not check them. */
import { knownName, UsageError } from './errors.ts';
import { shown } from './shown.ts';

export interface ArgumentRule {
  readonly expected: string;
  fits(value: unknown): boolean;
}

const rule = (expected: string, fits: (value: unknown) => boolean): ArgumentRule => ({ expected, fits });

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumberArray = (value: unknown): boolean =>
  ArrayBuffer.isView(value) &&
  'length' in value &&
  !(value instanceof BigInt64Array || value instanceof BigUint64Array);

export const aText = rule('a text', (value) => typeof value === 'string');
export const aNumber = rule('a number', (value) => typeof value === 'number');
export const aFiniteNumber = rule('a finite number', (value) => Number.isFinite(value));
export const trueOrFalse = rule('true or false', (value) => typeof value === 'boolean');
export const aFunction = rule('a function', (value) => typeof value === 'function');
export const aRecord = rule('an object', isRecord);
/** Parameters of a policy. */
export const aVector = rule(
  'a list of numbers',
  (value) =>
    isNumberArray(value) || (Array.isArray(value) && Array.from(value).every((one) => typeof one === 'number')),
);
/** A list or a typed array; what is in it is checked by itself. */
export const aNumberList = rule('a list of numbers', (value) => Array.isArray(value) || isNumberArray(value));

export const aJsonValue = rule('a value that JSON has', (value) => {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
});

/** An object that has these fields. */
export const having = (expected: string, ...fields: readonly string[]): ArgumentRule =>
  rule(expected, (value) => isRecord(value) && fields.every((field) => field in value));

export const aSignal = having('an AbortSignal', 'aborted', 'addEventListener');

export const listOf = ({ expected, fits }: ArgumentRule): ArgumentRule =>
  // Not "every", which skips what a sparse list leaves out.
  rule(
    `a list, each entry ${expected}`,
    (value) => Array.isArray(value) && !Array.from(value).some((one) => !fits(one)),
  );

export const either = (one: ArgumentRule, other: ArgumentRule): ArgumentRule =>
  rule(`${one.expected}, or ${other.expected}`, (value) => one.fits(value) || other.fits(value));

export const orNull = (one: ArgumentRule): ArgumentRule =>
  rule(`${one.expected}, or null`, (value) => value === null || one.fits(value));

/** May be left out. */
export const optional = (one: ArgumentRule): ArgumentRule =>
  rule(one.expected, (value) => value === undefined || one.fits(value));

/** Throws a usage error of `unit` for a value that does not fit. */
export function checkArgument(unit: string, name: string, value: unknown, { expected, fits }: ArgumentRule): void {
  if (!fits(value)) throw new UsageError(unit, `expected ${expected} as "${name}", got ${shown(value)}`);
}

/** Checks the fields of the argument `name`. Throws a usage error for a key that is not among the rules. */
export function checkFields(
  unit: string,
  name: string,
  value: unknown,
  rules: Readonly<Record<string, ArgumentRule>>,
): void {
  checkArgument(unit, name, value, aRecord);
  const given = value as Readonly<Record<string, unknown>>;
  const known = Object.keys(rules);
  for (const key of Object.keys(given)) knownName(unit, `key in "${name}"`, key, known);
  for (const key of known) checkArgument(unit, `${name}.${key}`, given[key], rules[key]!);
}
