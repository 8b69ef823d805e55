/** Problems of a configuration in one sentence each; `resolve.ts` adds the location. */
import type { z } from 'zod';
import { nearest, unknownName } from '../base/errors.ts';
import { addSecret } from '../base/secrets.ts';
import { shown } from '../base/shown.ts';
import { infosOf, type KeyInfo, keysOf, knownKeys, schemaFor } from './schema.ts';

export interface Problem {
  /** keys from the top to the problem */
  readonly path: readonly string[];
  /** the wrong part of `key: value`; `section`: a key is missing in the section at `path` */
  readonly at: 'key' | 'value' | 'section';
  /** other keys involved: an override of one of them may have caused the problem */
  readonly also?: readonly (readonly string[])[];
  readonly message: string;
  /** the value must not be shown, not even in the override */
  readonly secret?: boolean;
}

/** `"evaluation.episodes" (episodes per candidate and iteration)`. `own`: the keys of the method, which says what they mean. */
function withMeaning(path: string, own: ReadonlyMap<string, KeyInfo> = knownKeys): string {
  const description = (own.get(path) ?? knownKeys.get(path))?.description;
  return description ? `"${path}" (${description})` : `"${path}"`;
}

/** Letters that a key of another program shares with ours, as `popsize` does with `population`. */
const sharedLetters = 3;

/** The key that is meant; null: none is like it, or several are. */
function nearestKey(key: string, known: readonly string[]): string | null {
  const [first, ...others] = known.filter((one) => one.slice(0, sharedLetters) === key.slice(0, sharedLetters));
  return nearest(key, known) ?? (others.length === 0 ? (first ?? null) : null);
}

/**
 * `unknown key "x"; did you mean ...?` Suggests a similar key of the same section, or the same key of another one. `own`: the
 * keys of the method, by which those of a section are chosen that it shares with other methods.
 */
export function unknownKey(path: readonly string[], own: ReadonlySet<string>): string {
  // Report the first unknown key.
  let depth = 1;
  while (depth < path.length && knownKeys.has(path.slice(0, depth).join('.'))) depth++;
  const parent = path.slice(0, depth - 1).join('.');
  const last = path[depth - 1]!;
  const start = `unknown key "${path.slice(0, depth).join('.')}"`;
  const inside = parent === '' ? '' : `${parent}.`;
  const all = knownKeys.get(parent)?.keys ?? null;
  const siblings = all !== null && own.has(parent) ? all.filter((key) => own.has(`${inside}${key}`)) : all;
  if (siblings === null) return `${start}; ${withMeaning(parent)} has no keys inside`;
  const near = nearestKey(last, siblings);
  if (near) return `${start}; did you mean ${withMeaning(`${inside}${near}`)}?`;
  const elsewhere = [...knownKeys.keys()].filter((known) => known.split('.').pop() === last);
  if (elsewhere.length > 0) return `${start}; did you mean ${elsewhere.map((key) => withMeaning(key)).join(' or ')}?`;
  return `${start}; known ${parent === '' ? 'at the top' : `in "${parent}"`}: ${siblings.join(', ')}`;
}

/** Of a key that only methods of another kind read. */
export function foreignMessage(key: string, method: string): string {
  return `expected no ${withMeaning(key)}, which has no effect here: ${method} is a method of another kind; remove it`;
}

/** For a key that only methods of another kind read; null for any other. */
function foreignKey(path: readonly string[], raw: unknown): string | null {
  const dotted = path.join('.');
  if (!knownKeys.has(dotted)) return null;
  return foreignMessage(dotted, String(valueAt(raw, ['method'])));
}

function valueAt(raw: unknown, path: readonly string[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The names that are allowed for a value; null for other issues. */
function namesOf(issue: z.core.$ZodIssue): string[] | null {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code !== 'invalid_union') return null;
  return (
    issue.errors
      .flat()
      .map(namesOf)
      .find((names) => names !== null) ?? null
  );
}

/** The problems for zod's issues with `raw`, at most one per path, in the order of the schema. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], raw: unknown): Problem[] {
  const problems = new Map<string, Problem>();
  const own = infosOf(schemaFor(raw));
  const add = (problem: Problem) => {
    const key = problem.path.join('.');
    if (!problems.has(key)) problems.set(key, problem);
  };
  for (const issue of issues) {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const inner = [...path, key];
        if (key.includes('.') && knownKeys.has(inner.join('.'))) {
          const [section, ...rest] = key.split('.');
          const nested = rest.reduceRight((text, one) => `{ ${one}: ${text} }`, shown(valueAt(raw, inner)));
          add({
            path: inner,
            at: 'key',
            message: `expected sections, got the key "${key}"; write ${section}: ${nested}`,
          });
          continue;
        }
        const foreign = foreignKey(inner, raw);
        if (foreign === null) add({ path: inner, at: 'key', message: unknownKey(inner, keysOf(schemaFor(raw))) });
        else add({ path: inner, at: 'key', also: [inner], message: foreign });
      }
      continue;
    }
    const dotted = path.join('.');
    const value = valueAt(raw, path);
    // In place of the name of a variable somebody may have written the key itself.
    if (path.includes('headers') && typeof value === 'string') addSecret(value);
    const names = namesOf(issue);
    if (value === undefined) {
      const message = `missing key ${withMeaning(dotted, own)}: expected ${issue.message}`;
      add({ path, at: 'section', message });
    } else if (typeof value === 'string' && names !== null) {
      add({ path, at: 'value', message: unknownName(dotted, value, names) });
    } else if (dotted === '') {
      add({ path, at: 'value', message: `expected a mapping of keys to values, got ${shown(value)}` });
    } else {
      add({
        path,
        at: 'value',
        message: `expected ${withMeaning(dotted, own)} to be ${issue.message}, got ${shown(value)}`,
      });
    }
  }
  return [...problems.values()];
}
