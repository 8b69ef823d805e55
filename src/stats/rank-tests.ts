/**
 * Tests and effect sizes that look at the order of the values only, so that neither a scale nor one extreme run decides.
 * Values are equal (tied) when they are the same number: a difference that only rounding makes counts as one.
 */
import { normalTail } from './distributions.ts';
import { sampleOf } from './sample.ts';

/** Largest size of the smaller sample for which p is exact, as in SciPy's method="auto". */
const exactSample = 8;

/** Equal values share a class; classes count up from 0 in ascending order of their value. */
export interface Ranks {
  /** class of each value `[n]` */
  readonly classes: Uint32Array;
  /** values per class */
  readonly sizes: Uint32Array;
}

/** Classes of finite `values`, in O(n log n). */
function ranksOf(values: Float64Array): Ranks {
  const distinct = values.slice().sort();
  let count = 0;
  for (const value of distinct) {
    if (count === 0 || distinct[count - 1] !== value) distinct[count++] = value;
  }
  const sizes = new Uint32Array(count);
  const classes = Uint32Array.from(values, (value) => {
    let low = 0;
    for (let high = count - 1; low < high; ) {
      const half = (low + high) >>> 1;
      if (distinct[half]! < value) low = half + 1;
      else high = half;
    }
    sizes[low]!++;
    return low;
  });
  return { classes, sizes };
}

/**
 * Counts pairs of values given by their classes (below `count`), one of `a` and one of `b`: those in which the one of
 * `a` is larger, and half of those in which both are equal. Linear time.
 */
export function winsOf(a: ArrayLike<number>, b: ArrayLike<number>, count: number): number {
  const tally = new Float64Array(2 * count);
  for (let i = 0; i < a.length; i++) tally[2 * a[i]!]!++;
  for (let i = 0; i < b.length; i++) tally[2 * b[i]! + 1]!++;
  let wins = 0;
  let below = 0;
  for (let k = 0; k < tally.length; k += 2) {
    wins += tally[k]! * (below + tally[k + 1]! / 2);
    below += tally[k + 1]!;
  }
  return wins;
}

/** Both samples ranked together. */
export interface JointRanks {
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  readonly sizes: Uint32Array;
}

export function rankedTogether(a: Float64Array, b: Float64Array): JointRanks {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  const { classes, sizes } = ranksOf(both);
  return { a: classes.subarray(0, a.length), b: classes.subarray(a.length), sizes };
}

export interface MannWhitneyTest {
  /** pairs (one value of each sample) in which the first sample's is larger, ties counted half */
  readonly u: number;
  /** two-sided: how often samples of one distribution differ by this much or more */
  readonly p: number;
  /** whether `p` comes from the exact distribution or from its normal approximation */
  readonly method: 'exact' | 'normal';
  /** P(A > B) + P(A = B) / 2 of a value of each sample (Vargha and Delaney's A, 2000) */
  readonly superiority: number;
  /** P(A > B) - P(A < B), which is Cliff's delta (1993) */
  readonly rankBiserial: number;
}

/**
 * Mann and Whitney's U test of two independent samples. As `scipy.stats.mannwhitneyu` with its defaults: exact when
 * nothing is tied and one sample has at most 8 values, else the normal approximation, corrected for ties and continuity.
 * Samples in which all values are equal prove nothing (p = 1). Throws for an empty sample or a value that is not finite.
 */
export function mannWhitney(a: ArrayLike<number>, b: ArrayLike<number>): MannWhitneyTest {
  const ranked = rankedTogether(sampleOf('the first sample', a), sampleOf('the second sample', b));
  const { sizes } = ranked;
  const n = a.length;
  const m = b.length;
  const u = winsOf(ranked.a, ranked.b, sizes.length);
  const exact = sizes.length === n + m && Math.min(n, m) <= exactSample;
  const share = u / (n * m);
  return {
    u,
    p: exact ? exactUnpaired(Math.min(u, n * m - u), n, m) : normalUnpaired(u, n, m, sizes),
    method: exact ? 'exact' : 'normal',
    superiority: share,
    rankBiserial: 2 * share - 1,
  };
}

/**
 * 2 P(U <= u) for u <= nm / 2. The number of orders of n and m values that give U = k is the coefficient of x^k in the
 * product of (1 - x^(large + i)) / (1 - x^i) over i = 1 ... small (the Gaussian binomial coefficient). Coefficients
 * depend on lower ones only, so the series can stop at u.
 */
function exactUnpaired(u: number, n: number, m: number): number {
  const small = Math.min(n, m);
  const large = Math.max(n, m);
  const orders = new Float64Array(u + 1);
  orders[0] = 1;
  let all = 1;
  for (let i = 1; i <= small; i++) {
    for (let k = u; k >= large + i; k--) orders[k]! -= orders[k - large - i]!;
    for (let k = i; k <= u; k++) orders[k]! += orders[k - i]!;
    all *= (large + i) / i;
  }
  return Math.min(1, (2 * orders.reduce((sum, count) => sum + count, 0)) / all);
}

function normalUnpaired(u: number, n: number, m: number, sizes: Uint32Array): number {
  const all = n + m;
  const ties = sizes.reduce((sum, size) => sum + (size ** 3 - size), 0);
  const variance = ((n * m) / 12) * (all + 1 - ties / (all * (all - 1)));
  // Continuity: U moves in steps of one, and half a step towards the middle makes up for it.
  const distance = Math.abs(u - (n * m) / 2) - 0.5;
  return variance > 0 ? Math.min(1, 2 * normalTail(distance / Math.sqrt(variance))) : 1;
}
