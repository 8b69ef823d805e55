/** From what is wrong with a value to one sentence about it. Where it stands is added by `resolve.ts`. */
import type { z } from 'zod';
import { nearest, unknownName } from '../base/errors.ts';
import { knownKeys } from './schema.ts';

export interface Problem {
  /** keys from the top to what is wrong */
  readonly path: readonly string[];
  /** which part of `key: value` is wrong; `section`: a key is missing in the section at `path` */
  readonly at: 'key' | 'value' | 'section';
  /** other keys that the problem is about: an override of one of them, or inside it, is where it came from */
  readonly also?: readonly (readonly string[])[];
  readonly message: string;
  /** the value must not be shown, also not where it was given */
  readonly secret?: boolean;
}

/** A value as a message shows it, at most about 60 characters. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** `"evaluation.episodes" (episodes per candidate and iteration)` */
function withMeaning(path: string): string {
  const description = knownKeys.get(path)?.description;
  return description ? `"${path}" (${description})` : `"${path}"`;
}

/**
 * `unknown key "x"; did you mean ...?` Looks first for a slip of the fingers in the same section, then for the same
 * key in another one.
 */
export function unknownKey(path: readonly string[]): string {
  // The first key that is wrong is the one to talk about.
  let depth = 1;
  while (depth < path.length && knownKeys.has(path.slice(0, depth).join('.'))) depth++;
  const parent = path.slice(0, depth - 1).join('.');
  const last = path[depth - 1];
  const start = `unknown key "${path.slice(0, depth).join('.')}"`;
  const siblings = knownKeys.get(parent)?.keys ?? null;
  if (siblings === null) return `${start}; ${withMeaning(parent)} has no keys inside`;
  const near = nearest(last, siblings);
  if (near) return `${start}; did you mean ${withMeaning(parent === '' ? near : `${parent}.${near}`)}?`;
  const elsewhere = [...knownKeys.keys()].filter((known) => known.split('.').pop() === last);
  if (elsewhere.length > 0) return `${start}; did you mean ${elsewhere.map(withMeaning).join(' or ')}?`;
  return `${start}; known ${parent === '' ? 'at the top' : `in "${parent}"`}: ${siblings.join(', ')}`;
}

function valueAt(raw: unknown, path: readonly string[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The names of which a value should have been one; null when the issue is about something else. */
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

/** The sentences for zod's issues with `raw`, at most one per place, in the order of the schema. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], raw: unknown): Problem[] {
  const problems = new Map<string, Problem>();
  const add = (problem: Problem) => {
    const place = problem.path.join('.');
    if (!problems.has(place)) problems.set(place, problem);
  };
  for (const issue of issues) {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) add({ path: [...path, key], at: 'key', message: unknownKey([...path, key]) });
      continue;
    }
    const dotted = path.join('.');
    const value = valueAt(raw, path);
    const names = namesOf(issue);
    if (value === undefined) {
      const message = `missing key ${withMeaning(dotted)}: expected ${issue.message}`;
      add({ path, at: 'section', message });
    } else if (typeof value === 'string' && names !== null) {
      add({ path, at: 'value', message: unknownName(dotted, value, names) });
    } else if (dotted === '') {
      add({ path, at: 'value', message: `expected a mapping of keys to values, got ${showValue(value)}` });
    } else {
      add({
        path,
        at: 'value',
        message: `expected ${withMeaning(dotted)} to be ${issue.message}, got ${showValue(value)}`,
      });
    }
  }
  return [...problems.values()];
}
