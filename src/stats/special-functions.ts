/**
 * Incomplete gamma and beta functions. Both are a factor times a series or a continued fraction (NIST Digital Library of
 * Mathematical Functions, dlmf.nist.gov). The factor is written with deviations from its maximum, so that it keeps its
 * digits for large parameters (Loader, Fast and Accurate Computation of Binomial Probabilities, 2000).
 */

const tolerance = 2 * Number.EPSILON;
const maxTerms = 1e7;

/** From here on the seven terms of Stirling's series below are exact to the last bit. */
const stirlingFrom = 10;

/** log Gamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2) for x > 0 (DLMF 5.11.1); smaller x by Gamma(x + 1) = x Gamma(x). */
function stirlingError(x: number): number {
  let sum = 0;
  let y = x;
  for (; y < stirlingFrom; y++) sum += (y + 0.5) * Math.log1p(1 / y) - 1;
  const w = 1 / (y * y);
  const series =
    1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188 - w * (691 / 360360 - w / 156)))));
  return sum + series / y;
}

/** log(Gamma(a + b) / Gamma(a)) for a > 0, b > 0. */
export function logGammaRatio(a: number, b: number): number {
  return (a - 0.5) * Math.log1p(b / a) + b * (Math.log(a + b) - 1) + stirlingError(a + b) - stirlingError(a);
}

/** log(ratio), where `excess` = ratio - 1 is known to more digits than the difference has. */
function logOf(ratio: number, excess: number): number {
  return Math.abs(excess) < 0.5 ? Math.log1p(excess) : Math.log(ratio);
}

/**
 * d(0) + n(1) / (d(1) + n(2) / (d(2) + ...)) by the modified method of Lentz (Thompson and Barnett, Journal of
 * Computational Physics 64, 1986).
 */
function continuedFraction(numerator: (k: number) => number, denominator: (k: number) => number): number {
  const tiny = 1e-300;
  let value = denominator(0);
  let c = value;
  let d = 0;
  for (let k = 1; k < maxTerms; k++) {
    const n = numerator(k);
    const next = denominator(k);
    d = 1 / (next + n * d || tiny);
    c = next + n / c || tiny;
    value *= c * d;
    if (!(Math.abs(c * d - 1) > tolerance)) break;
  }
  return value;
}

export interface IncompleteGamma {
  /** P(a, x) */
  readonly lower: number;
  /** Q(a, x) = 1 - P(a, x), with digits of its own where it is small */
  readonly upper: number;
  /** x dP(a, x) / dx */
  readonly density: number;
}

/** Regularised incomplete gamma functions, a > 0 and x >= 0 (DLMF 8.11.4 and 8.9.2). */
export function incompleteGamma(a: number, x: number): IncompleteGamma {
  if (x === 0) return { lower: 0, upper: 1, density: 0 };
  if (x === Infinity) return { lower: 1, upper: 0, density: 0 };
  // x^a e^-x / Gamma(a + 1)
  const factor = Math.exp(a * logOf(x / a, (x - a) / a) - (x - a) - stirlingError(a)) / Math.sqrt(2 * Math.PI * a);
  if (x < a + 1) {
    let sum = 1;
    let term = 1;
    for (let k = 1; term > tolerance * sum && k < maxTerms; k++) {
      term *= x / (a + k);
      sum += term;
    }
    return { lower: factor * sum, upper: 1 - factor * sum, density: factor * a };
  }
  const fraction = continuedFraction(
    (k) => k * (a - k),
    (k) => x - a + 2 * k + 1,
  );
  const upper = (factor * a) / fraction;
  return { lower: 1 - upper, upper, density: factor * a };
}

/**
 * Regularised incomplete beta function I_x(a, b); a > 0, b > 0, 0 <= x <= 1. `y` is 1 - x, which the caller often knows to
 * more digits than the difference has.
 */
export function incompleteBeta(x: number, a: number, b: number, y = 1 - x): number {
  if (x === 0 || y === 0) return x;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaFraction(y, b, a, x);
  return betaFraction(x, a, b, y);
}

/**
 * Equation 9 of DiDonato and Morris (ACM Transactions on Mathematical Software 18, 1992): every other convergent of DLMF
 * 8.17.22, which keeps its digits for large parameters because `deviation` is known to more of them than 1 - x (a + b) / a.
 */
function betaFraction(x: number, a: number, b: number, y: number): number {
  const n = a + b;
  const deviation = y * a - x * b;
  const exponent = a * logOf((x * n) / a, -deviation / a) + b * logOf((y * n) / b, deviation / b);
  const correction = stirlingError(n) - stirlingError(a) - stirlingError(b);
  // x^a y^b / B(a, b)
  const factor = Math.exp(exponent + correction) * Math.sqrt((a * b) / (2 * Math.PI * n));
  const fraction = continuedFraction(
    (k) => ((a + k - 1) * (n + k - 1) * k * (b - k) * x * x) / (a + 2 * k - 1) ** 2,
    (k) => (k && k + (k * (b - k) * x) / (a + 2 * k - 1)) + ((a + k) / (a + 2 * k + 1)) * (1 + deviation + k * (1 + y)),
  );
  return factor / fraction;
}
