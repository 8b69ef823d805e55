/** How far two samples lie apart in units of their spread. For effect sizes by order see `rank-tests.ts`. */
import { R2poError } from '../base/errors.ts';
import { moments } from '../base/moments.ts';
import { chiSquaredQuantile, normalTail } from './distributions.ts';
import { sampleOf } from './sample.ts';
import { logGammaRatio } from './special-functions.ts';

export interface StandardisedDifference {
  /** Cohen's d: difference of the means (first minus second) over the pooled standard deviation */
  readonly d: number;
  /** Hedges' g: d without its bias away from zero, which matters for small samples */
  readonly g: number;
  /** 95 % interval of the populations' standardised difference, which d and g both estimate */
  readonly ci95: readonly [number, number];
  /** degrees of freedom of the pooled standard deviation */
  readonly df: number;
}

/**
 * Standardised difference of two independent samples of two values or more each; null when neither sample varies, as it
 * then has no unit. Throws for a smaller sample, a value that is not finite, or values too large to square.
 *
 * d = (mean a - mean b) / s, s^2 = ((n - 1) va + (m - 1) vb) / df, df = n + m - 2 (Cohen, Statistical Power Analysis,
 * 1988). g = d Gamma(df / 2) / (sqrt(df / 2) Gamma((df - 1) / 2)) (Hedges, Journal of Educational Statistics 6, 1981).
 * Interval: t = d / k with k = sqrt(1 / n + 1 / m) is noncentral t with noncentrality delta / k, and the limits are the
 * delta for which this t is the 97.5 % and the 2.5 % point (Steiger and Fouladi 1997; Cumming and Finch 2001). It is
 * exact for normal populations of equal variance.
 */
export function standardisedDifference(a: ArrayLike<number>, b: ArrayLike<number>): StandardisedDifference | null {
  const first = sampleOf('the first sample', a, 2);
  const second = sampleOf('the second sample', b, 2);
  const one = moments(first);
  const other = moments(second);
  if (one.variance === 0 && other.variance === 0) return null;
  const n = first.length;
  const m = second.length;
  const df = n + m - 2;
  const pooled = ((n - 1) * one.variance + (m - 1) * other.variance) / df;
  if (pooled === 0) return null;
  if (!Number.isFinite(pooled)) {
    throw new R2poError('stats', `expected values whose squares are numbers, got a variance of ${pooled}; scale them`);
  }
  const d = (one.mean - other.mean) / Math.sqrt(pooled);
  const k = Math.sqrt(1 / n + 1 / m);
  const [low, high] = noncentralityInterval(d / k, df);
  return { d, g: unbiasing(df) * d, ci95: [low * k, high * k], df };
}

function unbiasing(df: number): number {
  return Math.exp(logGammaRatio((df - 1) / 2, 0.5)) / Math.sqrt(df / 2);
}

/** Beyond this many spreads of t, its own normal error is nothing (6e-6 of the half width) beside that of the spread. */
const LARGE_T = 300;

/** 95 % interval of the noncentrality of a noncentral t with `df` >= 2 that was observed to be `t`. */
export function noncentralityInterval(t: number, df: number): readonly [number, number] {
  if (t < 0) {
    const [low, high] = noncentralityInterval(-t, df);
    return [-high, -low];
  }
  if (t > LARGE_T * Math.sqrt(2 * df)) {
    const limit = (p: number) => t * Math.sqrt(chiSquaredQuantile(p, df) / df);
    return [limit(0.025), limit(0.975)];
  }
  return [noncentralityFor(0.975, t, df), noncentralityFor(0.025, t, df)];
}

/**
 * The noncentrality with P(T <= t) = p, which falls as the noncentrality grows: regula falsi, with the weight of an end
 * that stays halved so that both move (the Illinois rule: Dowell and Jarratt, BIT 11, 1971).
 */
function noncentralityFor(p: number, t: number, df: number): number {
  const spread = Math.sqrt(1 + (t * t) / (2 * df));
  const excess = (delta: number): number => noncentralT(t, df, delta) - p;
  let reach = 4 * spread;
  let low = t - reach;
  let high = t + reach;
  let atLow = excess(low);
  let atHigh = excess(high);
  for (; atLow < 0; atLow = excess(low)) {
    reach *= 2;
    low = t - reach;
  }
  for (; atHigh > 0; atHigh = excess(high)) {
    reach *= 2;
    high = t + reach;
  }
  let delta = low;
  for (let moved = Infinity; moved > 1e-11 * spread && atLow !== atHigh; ) {
    const next = low + ((high - low) * atLow) / (atLow - atHigh);
    moved = Math.abs(next - delta);
    const value = excess(next);
    const sameEnd = delta === (value > 0 ? low : high);
    delta = next;
    if (value > 0) {
      low = next;
      atLow = value;
      if (sameEnd) atHigh /= 2;
    } else {
      high = next;
      atHigh = value;
      if (sameEnd) atLow /= 2;
    }
  }
  return delta;
}

/**
 * P(T <= t) for noncentral t, as the mean of Phi(t s - delta) over s, the root of a chi-squared over its `df`; to about
 * 1e-12. With s = exp(u) the weight is smooth and falls off on both sides, where sums at equal distances converge faster
 * than any power of the distance.
 */
function noncentralT(t: number, df: number, delta: number): number {
  const step = Math.min(0.1, 0.4 / Math.sqrt(2 * df), 0.4 / Math.max(Math.abs(t), Math.abs(delta)));
  let weights = 0;
  let sum = 0;
  const add = (u: number): boolean => {
    const weight = Math.exp(df * (u - Math.expm1(2 * u) / 2));
    weights += weight;
    sum += weight * normalTail(delta - t * Math.exp(u));
    return weight > 1e-17;
  };
  for (let i = 0; add(i * step); i++);
  for (let i = -1; add(i * step); i--);
  return sum / weights;
}
