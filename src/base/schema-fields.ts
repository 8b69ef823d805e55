/** Types of settings. An `error` names the expected value; `config/problems.ts` makes a message of it. */
import { z } from 'zod';

export function whole(low: number, high: number, alternative = '') {
  const error = `a whole number in ${low} ... ${high}${alternative}`;
  return z.number({ error }).int({ error }).min(low, { error }).max(high, { error });
}

/** A finite number; zod refuses infinities and NaN by itself. */
export function finite(alternative = '') {
  return z.number({ error: `a finite number${alternative}` });
}

export function positive(high: number, what: string, alternative = '') {
  const error = `a ${what} above 0, at most ${high}${alternative}`;
  return z.number({ error }).gt(0, { error }).lte(high, { error });
}

export function between(low: number, high: number, alternative = '') {
  const error = `a number in ${low} ... ${high}${alternative}`;
  return z.number({ error }).min(low, { error }).max(high, { error });
}

export function flag(alternative = '') {
  return z.boolean({ error: `true${alternative === '' ? ' or false' : `, false${alternative}`}` });
}

/** A text that is not empty. */
export function text(error: string) {
  return z.string({ error }).min(1, { error });
}

/** Any fields, as an environment, a policy kind or an endpoint names them. */
export function fields(what: string) {
  return z.record(z.string(), z.json(), { error: `a section of ${what}` });
}

export function name(known: readonly string[]) {
  return z.enum(known as readonly [string, ...string[]], { error: `one of ${known.join(', ')}` });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `one of ${values.join(', ')}` });
}

export function section<T extends z.core.$ZodLooseShape>(description: string, shape: T) {
  return z.strictObject(shape, { error: 'a section of keys' }).describe(description);
}

export const orNull = ' or null';

/** A value that is null by default. */
export function optional<T extends z.ZodType>(schema: T, description: string) {
  return schema.nullable().default(null).describe(description);
}

/** Sets the default and repeats the description, which zod would keep on the inner schema only. */
export function withDefault<T extends z.ZodType>(schema: T, value: z.util.NoUndefined<z.output<T>>) {
  return schema.default(value).describe(schema.description ?? '');
}

/** A section whose keys are all optional. */
export function part<T extends z.core.$ZodLooseShape>(description: string, shape: T) {
  return section(description, shape).partial().describe(description);
}
