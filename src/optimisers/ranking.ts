/** The order of the members of a population by their returns. */
import { extremes } from '../base/extremes.ts';

/** Indices of `returns`, the highest first; of equal ones the earlier first. */
export function descending(returns: Float64Array): number[] {
  return Array.from(returns.keys()).sort((a, b) => returns[b]! - returns[a]! || a - b);
}

/** The position of the highest return; of equal ones the first. NaN is lower than any other. */
export function indexOfHighest(returns: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < returns.length; i++) {
    if (returns[i]! > returns[best]! || Number.isNaN(returns[best]!)) best = i;
  }
  return best;
}

/**
 * Returns in which every number is finite: one that is NaN or infinite is below the lowest finite one, so that a candidate
 * whose episodes broke is never ahead of one whose episodes did not, nor ties with it. Null: none is finite.
 */
export function finiteReturns(returns: ArrayLike<number>): Float64Array | null {
  const [lowest, highest] = extremes(Float64Array.from(returns).filter(Number.isFinite));
  if (lowest > highest) return null;
  // As far below as the returns lie apart, and so far that it is not lost in rounding.
  const below = Math.max(1, highest - lowest, 2 * Number.EPSILON * Math.abs(lowest));
  const floor = Math.max(lowest - below, -Number.MAX_VALUE);
  const finite = new Float64Array(returns.length);
  for (let i = 0; i < finite.length; i++) finite[i] = Number.isFinite(returns[i]!) ? returns[i]! : floor;
  return finite;
}

/** Whether all returns are equal: such a population says nothing about a direction. */
export function allEqual(returns: Float64Array): boolean {
  return returns.every((value) => value === returns[0]);
}
