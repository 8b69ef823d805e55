/** Two-by-two tables: is a criterion related to an outcome? */
import { R2poError } from '../base/errors.ts';
import { Z975 } from './distributions.ts';

/** How often a criterion is met, in a group with the outcome (cases) and in one without (controls). Whole numbers. */
export interface TwoByTwo {
  readonly cases: { readonly met: number; readonly unmet: number };
  readonly controls: { readonly met: number; readonly unmet: number };
}

export interface OddsRatio {
  /** 1: the criterion says nothing about the outcome; above 1: it is met more often where the outcome is */
  readonly estimate: number;
  readonly ci95: readonly [number, number];
  /** true: a cell was empty, and half a count was added to each */
  readonly corrected: boolean;
}

function cells({ cases, controls }: TwoByTwo): readonly [number, number, number, number] {
  const counts = [cases.met, cases.unmet, controls.met, controls.unmet] as const;
  for (const count of counts) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new R2poError('stats', `expected whole counts of at least 0 in a two-by-two table, got ${count}`);
    }
  }
  return counts;
}

/**
 * Odds ratio with Woolf's interval on the log scale (Annals of Human Genetics 19, 1955). Where a cell is empty, 0.5 is
 * added to all four (Haldane 1956, Anscombe 1956). null when a row or a column is empty.
 */
export function oddsRatio(table: TwoByTwo): OddsRatio | null {
  const [a, b, c, d] = cells(table);
  // Such a table shows nothing about how criterion and outcome are related.
  if ([a + b, c + d, a + c, b + d].includes(0)) return null;
  const corrected = [a, b, c, d].includes(0);
  const added = corrected ? 0.5 : 0;
  const [w, x, y, z] = [a + added, b + added, c + added, d + added];
  const estimate = (w * z) / (x * y);
  const half = Z975 * Math.sqrt(1 / w + 1 / x + 1 / y + 1 / z);
  return { estimate, ci95: [estimate * Math.exp(-half), estimate * Math.exp(half)], corrected };
}

/** Tables as likely as the observed one but for rounding count as such; the factor is that of R's `fisher.test`. */
const likelyEnough = 1 + 1e-7;

/**
 * Two-sided p of Fisher's exact test: how likely tables with the same margins are that are no likelier than this one
 * (Fisher 1935; the two-sided rule of R and SciPy). 1 when a row or a column is empty. Takes time and memory in
 * proportion to the smallest margin.
 */
export function fisherExact(table: TwoByTwo): number {
  const [a, b, c, d] = cells(table);
  const row = a + b;
  const column = a + c;
  const lowest = Math.max(0, column - (c + d));
  const highest = Math.min(row, column);
  // Logarithms of the probabilities up to a constant, each from its neighbour: the factorials themselves overflow.
  const logs = [0];
  for (let k = lowest; k < highest; k++) {
    const ratio = ((row - k) * (column - k)) / ((k + 1) * (c + d - column + k + 1));
    logs.push(logs[k - lowest]! + Math.log(ratio));
  }
  const top = logs.reduce((x, y) => Math.max(x, y));
  const weights = logs.map((log) => Math.exp(log - top));
  const bound = weights[a - lowest]! * likelyEnough;
  const sum = (values: readonly number[]): number => values.reduce((x, y) => x + y, 0);
  return Math.min(1, sum(weights.filter((w) => w <= bound)) / sum(weights));
}

/**
 * One odds ratio for several tables (strata) that need not share their base rates: Mantel and Haenszel (1959), with the
 * interval of Robins, Breslow and Greenland (Biometrics 42, 1986). null when no stratum has both products of opposite
 * cells. Adding the tables up instead would mix the criterion with whatever differs between the strata.
 */
export function mantelHaenszel(strata: readonly TwoByTwo[]): Omit<OddsRatio, 'corrected'> | null {
  let [r, s, pr, mixed, qs] = [0, 0, 0, 0, 0];
  for (const stratum of strata) {
    const [a, b, c, d] = cells(stratum);
    const n = a + b + c + d;
    if (n === 0) continue;
    const [p, q] = [(a + d) / n, (b + c) / n];
    const [ri, si] = [(a * d) / n, (b * c) / n];
    r += ri;
    s += si;
    pr += p * ri;
    mixed += p * si + q * ri;
    qs += q * si;
  }
  if (r === 0 || s === 0) return null;
  const estimate = r / s;
  const half = Z975 * Math.sqrt(pr / (2 * r * r) + mixed / (2 * r * s) + qs / (2 * s * s));
  return { estimate, ci95: [estimate * Math.exp(-half), estimate * Math.exp(half)] };
}
