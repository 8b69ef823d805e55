/** The normal distribution's tail. */
import jstat from 'jstat';

const { jStat } = jstat;

/** From here on (in units of x below) the fraction converges fast; before, the difference from 1 keeps its digits. */
const FRACTION_FROM = 2;
const FRACTION_TERMS = 80;

/**
 * P(Z > z) of a standard normal Z, to a relative 1e-12 in both tails. jstat's own is a difference from 1, which is 0
 * from z = 8.3 on; so the upper tail is Laplace's continued fraction (Abramowitz and Stegun, Handbook of Mathematical
 * Functions, 1964, 7.1.14).
 */
export function normalTail(z: number): number {
  const x = z / Math.SQRT2;
  if (x < FRACTION_FROM) return x < -FRACTION_FROM ? 1 - normalTail(-z) : (1 - jStat.erf(x)) / 2;
  let denominator = x;
  for (let k = FRACTION_TERMS; k > 0; k--) denominator = x + k / 2 / denominator;
  return Math.exp(-x * x) / (2 * Math.sqrt(Math.PI) * denominator);
}
