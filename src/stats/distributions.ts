/** Tails and quantiles of the normal, Student's t and the chi-squared distribution, to a relative 1e-12. */
import { incompleteBeta, incompleteGamma, logGammaRatio } from './special-functions.ts';

/** 97.5 % point of the normal distribution */
export const Z975 = 1.959963984540054;

/** Applies steps that converge at least quadratically, so that one of 1e-9 leaves an error below the last digit. */
function refined(start: number, step: (x: number) => number): number {
  let x = start;
  for (let k = 0; k < 50; k++) {
    const change = step(x);
    x += change;
    if (!(Math.abs(change) > 1e-9 * Math.abs(x))) break;
  }
  return x;
}

/** P(Z > z) of a standard normal Z. */
export function normalTail(z: number): number {
  const tail = incompleteGamma(0.5, (z * z) / 2).upper / 2;
  return z < 0 ? 1 - tail : tail;
}

/**
 * The z with P(Z > z) = q, 0 < q <= 1/2: Halley's method from the rational approximation 26.2.23 of Abramowitz and Stegun,
 * Handbook of Mathematical Functions (1964), which is within 4.5e-4.
 */
export function normalUpperQuantile(q: number): number {
  const t = Math.sqrt(-2 * Math.log(q));
  const start = t - (2.515517 + t * (0.802853 + 0.010328 * t)) / (1 + t * (1.432788 + t * (0.189269 + 0.001308 * t)));
  return refined(start, (z) => {
    const newton = (normalTail(z) - q) * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
    return newton / (1 - (newton * z) / 2);
  });
}

/** P(|T| >= |t|) of Student's t with `dof` degrees of freedom. */
export function studentTails(t: number, dof: number): number {
  const t2 = t * t;
  return incompleteBeta(1 / (1 + t2 / dof), dof / 2, 0.5, 1 / (1 + dof / t2));
}

/**
 * The t with P(T > t) = q of Student's t with `dof` >= 1 degrees of freedom, 0 < q < 1/2: Newton's method for the logarithm
 * of the tail as a function of log t, from the expansion 26.7.5 of Abramowitz and Stegun about the normal quantile.
 */
export function studentUpperQuantile(q: number, dof: number): number {
  const z = normalUpperQuantile(q);
  const z2 = z * z;
  const g1 = (z2 + 1) / 4;
  const g2 = ((5 * z2 + 16) * z2 + 3) / 96;
  const g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  const start = z * (1 + (g1 + (g2 + g3 / dof) / dof) / dof);
  const logScale = logGammaRatio(dof / 2, 0.5) - 0.5 * Math.log(dof * Math.PI);
  const logT = refined(Math.log(start), (s) => {
    const t = Math.exp(s);
    const tail = studentTails(t, dof) / 2;
    const density = Math.exp(logScale - ((dof + 1) / 2) * Math.log1p((t * t) / dof));
    return (Math.log(tail / q) * tail) / (t * density);
  });
  return Math.exp(logT);
}

/**
 * The x with P(X <= x) = p of chi-squared with `dof` degrees of freedom, 0 < p < 1: Newton's method in log x from the cube
 * of a normal variate (Wilson and Hilferty, Proceedings of the National Academy of Sciences 17, 1931).
 */
export function chiSquaredQuantile(p: number, dof: number): number {
  const z = p < 0.5 ? -normalUpperQuantile(p) : normalUpperQuantile(1 - p);
  const start = dof * (1 - 2 / (9 * dof) + z * Math.sqrt(2 / (9 * dof))) ** 3;
  const a = dof / 2;
  const logX = refined(Math.log(Math.max(start, 1e-3) / 2), (s) => {
    const { lower, density } = incompleteGamma(a, Math.exp(s));
    return (p - lower) / density;
  });
  return 2 * Math.exp(logX);
}
