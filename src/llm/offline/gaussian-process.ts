/**
 * Gaussian process regression (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1):
 * from noisy values at some points, a mean and a standard deviation at every other point. It uses only the distances
 * between points, so a point can be anything.
 */

export interface Observation<Point> {
  readonly point: Point;
  readonly value: number;
  /** noise variance relative to the best measured values, >= 1 */
  readonly noise: number;
}

export interface Prediction {
  readonly mean: number;
  /** standard deviation of the noise-free value */
  readonly deviation: number;
}

export interface GaussianProcess<Point> {
  /** distance over which values are similar, chosen by marginal likelihood */
  readonly lengthScale: number;
  predict(point: Point): Prediction;
}

export interface Prior<Point> {
  /** 0 for equal points, about 1 for points that have nothing in common */
  readonly distance: (a: Point, b: Point) => number;
  /** candidate length scales, of which marginal likelihood chooses */
  readonly lengthScales: readonly number[];
  /** candidate noise variances of the best measured values, relative to the signal variance of 1 */
  readonly noiseVariances: readonly number[];
}

/** Matern 5/2 kernel: smooth, but less so than the squared exponential. */
function matern(scaledDistance: number): number {
  const s = Math.sqrt(5) * scaledDistance;
  return (1 + s + (s * s) / 3) * Math.exp(-s);
}

/*
 * Lower triangular matrices are n x n by columns: entry (i, k) at k * n + i. The loops below finish a column before the
 * next one, so that no turn of the innermost loop waits for the one before it, as it would in a sum along a row, and
 * take a panel of columns at a time, so that what they change is read and written once for all of them. Every entry is
 * the same sum in the same order as without that, and comes out more than twice as fast.
 */
const panelWidth = 4;

/** Columns of a matrix with their factors. */
class Panel {
  readonly factors = new Float64Array(panelWidth);
  first = 0;
  width = 0;

  /** Subtracts the columns times their factors from `target`, a column that starts at `at`, from row `from` on. */
  subtract(lower: Float64Array, n: number, target: Float64Array, at: number, from: number): void {
    const { first, width, factors } = this;
    if (width < panelWidth) {
      for (let k = 0; k < width; k++) {
        const column = (first + k) * n;
        for (let i = from; i < n; i++) target[at + i]! -= lower[column + i]! * factors[k]!;
      }
      return;
    }
    const [a, b, c, d] = [first * n, (first + 1) * n, (first + 2) * n, (first + 3) * n];
    const [p, q, r, s] = [factors[0], factors[1], factors[2], factors[3]];
    for (let i = from; i < n; i++) {
      target[at + i] =
        target[at + i]! - lower[a + i]! * p! - lower[b + i]! * q! - lower[c + i]! * r! - lower[d + i]! * s!;
    }
  }
}

const panel = new Panel();

/** Solves L x = b in place for a lower triangular L `[n, n]`. */
function solveLower(lower: Float64Array, b: Float64Array): void {
  const n = b.length;
  for (let first = 0; first < n; first += panelWidth) {
    const end = Math.min(first + panelWidth, n);
    for (let k = first; k < end; k++) {
      let rest = b[k]!;
      for (let j = first; j < k; j++) rest -= lower[j * n + k]! * b[j]!;
      b[k] = rest / lower[k * n + k]!;
      panel.factors[k - first] = b[k]!;
    }
    panel.first = first;
    panel.width = end - first;
    panel.subtract(lower, n, b, 0, end);
  }
}

/** Replaces the lower triangle of a positive definite matrix `[n, n]` with its Cholesky factor. */
function factorise(matrix: Float64Array, n: number): void {
  for (let first = 0; first < n; first += panelWidth) {
    const end = Math.min(first + panelWidth, n);
    for (let k = first; k < end; k++) {
      const column = k * n;
      for (let j = first; j < k; j++) {
        const factor = matrix[j * n + k]!;
        for (let i = k; i < n; i++) matrix[column + i]! -= matrix[j * n + i]! * factor;
      }
      // The noise on the diagonal keeps this positive; the floor is for rounding only.
      const pivot = Math.sqrt(Math.max(matrix[column + k]!, 1e-12));
      matrix[column + k] = pivot;
      for (let i = k + 1; i < n; i++) matrix[column + i]! /= pivot;
    }
    panel.first = first;
    panel.width = end - first;
    for (let j = end; j < n; j++) {
      for (let k = first; k < end; k++) panel.factors[k - first] = matrix[k * n + j]!;
      panel.subtract(matrix, n, matrix, j * n, j);
    }
  }
}

/** Fits the process to at least one observation. Cost: cubic in their number. */
export function fitGaussianProcess<Point>(
  observations: readonly Observation<Point>[],
  prior: Prior<Point>,
): GaussianProcess<Point> {
  const n = observations.length;
  const center = observations.reduce((sum, { value }) => sum + value, 0) / n;
  const distances = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let i = j + 1; i < n; i++) {
      distances[j * n + i] = prior.distance(observations[i]!.point, observations[j]!.point);
    }
  }

  const fitWith = (lengthScale: number, kernel: Float64Array, noiseVariance: number) => {
    const factor = kernel.slice();
    for (let j = 0; j < n; j++) factor[j * n + j] = 1 + noiseVariance * observations[j]!.noise;
    factorise(factor, n);
    const whitened = Float64Array.from(observations, ({ value }) => value - center);
    solveLower(factor, whitened);
    let logLikelihood = 0;
    for (let i = 0; i < n; i++) logLikelihood -= 0.5 * whitened[i]! ** 2 + Math.log(factor[i * n + i]!);
    return { lengthScale, factor, whitened, logLikelihood };
  };
  const fits = prior.lengthScales.flatMap((length) => {
    const kernel = new Float64Array(n * n);
    for (let j = 0; j < n; j++) {
      for (let i = j + 1; i < n; i++) kernel[j * n + i] = matern(distances[j * n + i]! / length);
    }
    return prior.noiseVariances.map((noise) => fitWith(length, kernel, noise));
  });
  const { lengthScale, factor, whitened } = fits.reduce((a, b) => (b.logLikelihood > a.logLikelihood ? b : a));

  const kernel = new Float64Array(n);
  return {
    lengthScale,
    predict(point) {
      for (let i = 0; i < n; i++) kernel[i] = matern(prior.distance(point, observations[i]!.point) / lengthScale);
      solveLower(factor, kernel);
      let mean = center;
      let variance = 1;
      for (let i = 0; i < n; i++) {
        mean += kernel[i]! * whitened[i]!;
        variance -= kernel[i]! ** 2;
      }
      return { mean, deviation: Math.sqrt(Math.max(variance, 1e-12)) };
    },
  };
}

/** Expected improvement over `target` (Jones, Schonlau and Welch, 1998), in units of the values. */
export function expectedImprovement({ mean, deviation }: Prediction, target: number): number {
  const z = (mean - target) / deviation;
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  // The normal distribution function to 1.4e-4 (Bowling et al., 2009), which is accurate enough to rank candidates.
  const below = 1 / (1 + Math.exp(-1.5976 * z - 0.07056 * z ** 3));
  return deviation * (z * below + density);
}
