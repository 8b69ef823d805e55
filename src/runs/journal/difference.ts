/** Where two JSON-like values differ. */
import { shown } from '../../base/shown.ts';

export interface Difference {
  /** `summary.mean`, `params[2]`; empty for the values themselves */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
}

/** Whether two different numbers at a path count as equal. */
export type Tolerance = (path: string, expected: number, got: number) => boolean;

/**
 * The first difference in the order of `expected`'s keys; null when both are equal: to the last bit (NaN equals NaN, -0
 * equals 0), unless `tolerates` says otherwise.
 */
export function firstDifference(
  expected: unknown,
  got: unknown,
  path = '',
  tolerates: Tolerance = () => false,
): Difference | null {
  if (expected === got || (Number.isNaN(expected) && Number.isNaN(got))) return null;
  if (typeof expected === 'number' && typeof got === 'number' && tolerates(path, expected, got)) return null;
  const isInside = typeof expected === 'object' && typeof got === 'object' && expected !== null && got !== null;
  if (!isInside || Array.isArray(expected) !== Array.isArray(got)) {
    return { path, expected: shown(expected), got: shown(got) };
  }
  const left = expected as Record<string, unknown>;
  const right = got as Record<string, unknown>;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const inner = Array.isArray(expected) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = firstDifference(left[key], right[key], inner, tolerates);
    if (found) return found;
  }
  return null;
}
