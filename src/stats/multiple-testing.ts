/** P-values of several tests that are read together. */
import { R2poError } from '../base/errors.ts';

/**
 * Holm's step-down adjustment of a family of p-values, in the order given: rejecting where the adjusted value is at most
 * alpha keeps the chance of any false rejection in the family at alpha or below, whatever the tests have to do with each
 * other. The i-th smallest (from 0) of m is multiplied by m - i, never falls below the adjusted value before it, and is
 * capped at 1. Holm, "A simple sequentially rejective multiple test procedure" (Scandinavian Journal of Statistics 6,
 * 1979). An empty family gives an empty one; throws for what is no probability.
 */
export function holm(pValues: readonly number[]): number[] {
  const m = pValues.length;
  pValues.forEach((p, i) => {
    if (!(p >= 0 && p <= 1)) {
      throw new R2poError('stats', `expected p-values from 0 to 1, got ${p} at position ${i}; leave out failed tests`);
    }
  });
  const ascending = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]!);
  const adjusted = new Array<number>(m).fill(0);
  let highest = 0;
  ascending.forEach((index, rank) => {
    highest = Math.min(1, Math.max(highest, (m - rank) * pValues[index]!));
    adjusted[index] = highest;
  });
  return adjusted;
}
