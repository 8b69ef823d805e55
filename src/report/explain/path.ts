/** Paths in a JSON document: `groups[0].rewards.mean.std`. */
import { UsageError } from '../../base/errors.ts';

/** Keys of objects and places of lists, from 0. */
export type CellPath = readonly (string | number)[];

/** A key, or a place in brackets; keys with other letters stand in brackets as JSON strings. */
const token = /(?:^|\.)([A-Za-z_][\w-]*)|\[(\d{1,9}|"(?:[^"\\]|\\.)*")\]/gy;

/** Throws a usage error for a text that is no path. */
export function parseCell(text: string): CellPath {
  const path: (string | number)[] = [];
  let end = 0;
  for (const match of text.matchAll(token)) {
    const part = match[1] ?? bracketed(match[2]!);
    if (part === null) break;
    end = match.index + match[0].length;
    path.push(part);
  }
  if (path.length > 0 && end === text.length) return path;
  throw new UsageError(
    '--explain',
    `expected a path in the document of --json, such as groups[0].rewards.best.mean, or a group and a reward, such as r2po:best, got "${text}"`,
  );
}

/** null: no JSON string */
function bracketed(text: string): string | number | null {
  if (!text.startsWith('"')) return Number(text);
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}

export function cellText(path: CellPath): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(part)) return `[${JSON.stringify(part)}]`;
      return i === 0 ? part : `.${part}`;
    })
    .join('');
}

export const isNumber = (token: string | number | undefined): token is number => typeof token === 'number';

/** `mean` and `ci95` of `['mean']` and `['ci95', 0]`; the interval is one formula. */
export const nameOf = (tokens: CellPath): string => tokens.filter((token) => typeof token === 'string').join('.');

/** undefined: there is nothing */
export function resolveCell(document: unknown, path: CellPath): unknown {
  let value = document;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** The numbers in `value`, with their paths. */
export function leavesOf(value: unknown, path: CellPath = []): { readonly path: CellPath; readonly value: number }[] {
  if (typeof value === 'number') return [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  return keys.flatMap((key) => leavesOf((value as Record<string | number, unknown>)[key], [...path, key]));
}
