/** Intervals and tests for means of episode returns. */
import { R2poError } from '../base/errors.ts';
import { moments } from '../base/moments.ts';
import { studentTails, studentUpperQuantile, Z975 } from './distributions.ts';

/** 97.5 % point of Student's t with `dof` >= 1 degrees of freedom: half width of a 95 % interval in standard errors. */
export function t975(dof: number): number {
  if (!(dof >= 1)) throw new R2poError('stats', `expected at least one degree of freedom, got ${dof}`);
  return studentUpperQuantile(0.025, dof);
}

/** 95 % interval of a mean with this standard error over `n` >= 2 independent values. */
export function meanInterval(mean: number, stderr: number, n: number): readonly [number, number] {
  const half = t975(n - 1) * stderr;
  return [mean - half, mean + half];
}

export interface WelchTest {
  readonly t: number;
  /** degrees of freedom after Welch and Satterthwaite */
  readonly df: number;
  /** two-sided: how often equal means differ by this much or more */
  readonly p: number;
}

/** What Welch's test needs of a sample. */
export interface SampleMoments {
  readonly mean: number;
  /** sample variance (n - 1) */
  readonly variance: number;
  /** two or more */
  readonly n: number;
}

/**
 * Do two independent samples come from distributions with the same mean (variances may differ)? When neither sample
 * varies, p is 1 for equal means and 0 for different ones. Throws when a sample has fewer than two values.
 */
export function welch(a: ArrayLike<number>, b: ArrayLike<number>): WelchTest {
  return welchOf({ ...moments(a), n: a.length }, { ...moments(b), n: b.length });
}

/** The same from what is published of samples: mean, variance and size. */
export function welchOf(first: SampleMoments, second: SampleMoments): WelchTest {
  if (!(first.n >= 2 && second.n >= 2)) {
    throw new R2poError('stats', `expected two values or more per sample, got ${first.n} and ${second.n}`);
  }
  const va = first.variance / first.n;
  const vb = second.variance / second.n;
  const difference = first.mean - second.mean;
  if (va + vb === 0) {
    const df = first.n + second.n - 2;
    return difference === 0 ? { t: 0, df, p: 1 } : { t: Math.sign(difference) * Infinity, df, p: 0 };
  }
  const t = difference / Math.sqrt(va + vb);
  // Shares instead of squared variances, which underflow for tiny spreads.
  const df = 1 / ((va / (va + vb)) ** 2 / (first.n - 1) + (vb / (va + vb)) ** 2 / (second.n - 1));
  return { t, df, p: studentTails(t, df) };
}

export interface PairedTest {
  /** mean of `after - before` */
  readonly difference: number;
  /** 95 % interval of it; null for a single pair */
  readonly ci95: readonly [number, number] | null;
  /** two-sided: how often pairs without a true difference differ by this much or more */
  readonly p: number;
}

/**
 * Student's t test of pairs, such as two policies on the same seeds: what both find hard or easy cancels. When the
 * differences do not vary, p is 1 for none and 0 for any; a single pair proves nothing (p = 1). Throws for no pair, or
 * samples of unequal length.
 */
export function paired(before: ArrayLike<number>, after: ArrayLike<number>): PairedTest {
  const n = before.length;
  if (n === 0 || after.length !== n) {
    throw new R2poError('stats', `expected as many values before as after, got ${n} and ${after.length}`);
  }
  return pairedOf({ ...moments(Float64Array.from(before, (value, i) => after[i]! - value)), n });
}

/** The same from the moments of the differences, of one pair or more. */
export function pairedOf({ mean: difference, variance, n }: SampleMoments): PairedTest {
  if (n === 1) return { difference, ci95: null, p: 1 };
  const stderr = Math.sqrt(variance / n);
  const ci95 = meanInterval(difference, stderr, n);
  if (stderr === 0) return { difference, ci95, p: difference === 0 ? 1 : 0 };
  return { difference, ci95, p: studentTails(difference / stderr, n - 1) };
}

/** A difference between runs, which has an interval and a test only where runs vary. */
export interface RunDifference extends Omit<PairedTest, 'p'> {
  readonly p: number | null;
}

/**
 * A test over runs. Where their differences do not vary, they say nothing of how much others would: the interval would be a
 * point, and p 0 or 1.
 */
export function overRuns(test: PairedTest): RunDifference {
  const { ci95, difference } = test;
  return ci95 === null || ci95[0] === ci95[1] ? { difference, ci95: null, p: null } : test;
}

/**
 * 95 % interval of a share of `count` successes in `n` >= 1 independent trials, after Wilson (Journal of the American
 * Statistical Association 22, 1927): within 0 ... 1, also for no success.
 */
export function shareInterval(count: number, n: number): readonly [number, number] {
  if (!(n >= 1 && count >= 0 && count <= n)) {
    throw new R2poError('stats', `expected 0 ... n successes of n >= 1 trials, got ${count} of ${n}`);
  }
  const z = Z975;
  const share = count / n;
  const middle = share + (z * z) / (2 * n);
  const half = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}
