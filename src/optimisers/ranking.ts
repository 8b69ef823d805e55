/** The order of the members of a population by their returns. */

/** Indices of `returns`, the highest first; of equal ones the earlier first. */
export function descending(returns: Float64Array): number[] {
  return Array.from(returns.keys()).sort((a, b) => returns[b]! - returns[a]! || a - b);
}

/** The position of the highest return; of equal ones the first. */
export function indexOfHighest(returns: Float64Array): number {
  let best = 0;
  for (let i = 1; i < returns.length; i++) if (returns[i]! > returns[best]!) best = i;
  return best;
}

/**
 * Returns in which every number is finite: one that is NaN or infinite counts as the lowest finite one, or as 0 where
 * none is finite. So a candidate whose episodes broke is never ahead of one whose episodes did not.
 */
export function finiteReturns(returns: ArrayLike<number>): Float64Array {
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < returns.length; i++) if (Number.isFinite(returns[i]!)) lowest = Math.min(lowest, returns[i]!);
  const floor = lowest === Number.POSITIVE_INFINITY ? 0 : lowest;
  const finite = new Float64Array(returns.length);
  for (let i = 0; i < finite.length; i++) finite[i] = Number.isFinite(returns[i]!) ? returns[i]! : floor;
  return finite;
}

/** Whether all returns are equal: such a population says nothing about a direction. */
export function allEqual(returns: Float64Array): boolean {
  return returns.every((value) => value === returns[0]);
}
