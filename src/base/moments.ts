/** Sums, means and variances that do not lose digits to the order or the number of the values. */

/**
 * Sample mean and sample variance (n - 1; NaN for a single value). Both sums are compensated (Neumaier 1974), so whole
 * numbers give the exactly rounded mean, and the squares are taken around it, so large means keep small spreads. Values
 * that are all the same are their mean and do not vary, though their rounded sum divided by their number may differ.
 */
export function moments(values: ArrayLike<number>): { readonly mean: number; readonly variance: number } {
  const n = values.length;
  let sum = 0;
  let lost = 0;
  let constant = n > 0;
  for (let i = 0; i < n; i++) {
    const value = values[i];
    if (value !== values[0]) constant = false;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  const mean = constant ? values[0] : (sum + lost) / n;
  let squares = 0;
  lost = 0;
  for (let i = 0; i < n; i++) {
    const distance = values[i] - mean;
    const square = distance * distance;
    const next = squares + square;
    lost += squares >= square ? squares - next + square : square - next + squares;
    squares = next;
  }
  return { mean, variance: n > 1 ? (squares + lost) / (n - 1) : NaN };
}
