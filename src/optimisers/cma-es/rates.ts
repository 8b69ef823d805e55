/**
 * Recombination weights and learning rates of CMA-ES: N. Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv
 * 1604.00772 (2016), with the values of pycma 4.5.
 */

export interface Weights {
  /** `[population]`, descending; those of the better half sum to 1, the others are negative */
  readonly values: Float64Array;
  /** number of positive weights */
  readonly mu: number;
  /** variance-effective size of the selection */
  readonly muEff: number;
}

export interface Rates {
  /** of the evolution path, the rank-one update and the rank-mu update */
  readonly cc: number;
  readonly c1: number;
  readonly cmu: number;
}

/** Rates and damping of the step size. */
export interface StepRates {
  readonly cs: number;
  readonly damping: number;
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
const sumOfSquares = (values: Float64Array): number => values.reduce((total, value) => total + value * value, 0);

/** Population size of the tutorial: 4 + floor(3 ln n). */
export function defaultPopulation(n: number): number {
  return 4 + Math.floor(3 * Math.log(n));
}

/** Positive weights sum to 1, negative ones to -1. */
function rawWeights(population: number): Weights {
  const raw = Float64Array.from({ length: population }, (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1));
  const mu = raw.filter((weight) => weight > 0).length;
  const positive = sum(raw.subarray(0, mu));
  const negative = -sum(raw.subarray(mu));
  const values = raw.map((weight, i) => weight / (i < mu ? positive : negative));
  return { values, mu, muEff: 1 / sumOfSquares(values.subarray(0, mu)) };
}

/** Negative weights with the sum that the learning rates allow (equation 53 of the tutorial). */
function withNegativeSum({ values, mu, muEff }: Weights, limits: readonly number[]): Weights {
  const total = Math.min(...limits);
  return { values: values.map((weight, i) => (i < mu ? weight : weight * total)), mu, muEff };
}

function effectiveNegative({ values, mu }: Weights): number {
  const negative = values.subarray(mu);
  return sum(negative) ** 2 / sumOfSquares(negative);
}

/** Weights and rates for a full covariance matrix in `n` dimensions. */
export function fullRates(n: number, population: number): { readonly weights: Weights; readonly rates: Rates } {
  const raw = rawWeights(population);
  const { muEff } = raw;
  const c1 = (Math.min(1, population / 6) * 2) / ((n + 1.3) ** 2 + muEff);
  const cmu = Math.min(1 - c1, (2 * (0.25 + muEff + 1 / muEff - 2)) / ((n + 2) ** 2 + muEff));
  const cc = (4 + muEff / n) / (n + 4 + (2 * muEff) / n);
  const limits = [1 + c1 / cmu, (1 - c1 - cmu) / cmu / n, 1 + (2 * effectiveNegative(raw)) / (muEff + 2)];
  return { weights: withNegativeSum(raw, limits), rates: { cc, c1, cmu } };
}

/** Weights and rates for a diagonal one, which are higher: R. Ros and N. Hansen (2008), with the values of pycma. */
export function diagonalRates(n: number, population: number): { readonly weights: Weights; readonly rates: Rates } {
  const raw = rawWeights(population);
  const { muEff } = raw;
  const c1 = 1 / (n + 2 * Math.sqrt(n) + muEff / n);
  const cmu = Math.min(1 - c1, (0.25 + muEff + 1 / muEff - 2) / (n + 4 * Math.sqrt(n) + muEff / 2));
  const cc = (1 + 1 / n + muEff / n) / (Math.sqrt(n) + 1 / n + (2 * muEff) / n);
  const limits = [1 + c1 / cmu, 1 + (2 * effectiveNegative(raw)) / (muEff + 2)];
  return { weights: withNegativeSum(raw, limits), rates: { cc, c1, cmu } };
}

export function stepRates(n: number, muEff: number): StepRates {
  const cs = Math.min(0.5, (muEff + 2) / (n + muEff + 3));
  const large = Math.max(1, 3 * (1 - 0.5 ** (n / 9))) * Math.sqrt((muEff - 1) / (n + 1)) - 1;
  return { cs, damping: 1 + 2 * Math.max(0, large) + cs };
}

/** Mean length of a standard normal vector of `n` entries: sqrt(2) gamma((n + 1) / 2) / gamma(n / 2). */
export function meanNormalLength(n: number): number {
  let length = Math.sqrt(2 / Math.PI);
  // E(n) E(n + 1) = n.
  for (let k = 1; k < n; k++) length = k / length;
  return length;
}
