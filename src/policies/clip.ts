/** The cut of values to a range that options give. */
import { UsageError } from '../base/errors.ts';

/** Cuts to the range of the options "low" and "high". Throws a usage error for an empty one. */
export function clipTo(kind: string, low: number, high: number): (value: number) => number {
  if (low >= high) throw new UsageError(kind, `expected option "low" below "high", got ${low} and ${high}`);
  return (value) => Math.min(Math.max(value, low), high);
}
