/** Standardised differences against SciPy's noncentral t, by simulation, and under changes that must not matter. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R2poError } from '../../src/base/errors.ts';
import { Generator } from '../../src/base/rng/generator.ts';
import { noncentralityInterval, standardisedDifference } from '../../src/stats/effect-size.ts';
import { meanInterval } from '../../src/stats/intervals.ts';

const normals = (rng: Generator, n: number, mean: number, sd = 1) =>
  Array.from({ length: n }, () => mean + sd * rng.standardNormal());

describe('standardisedDifference', () => {
  // d and g by their definitions in NumPy, the limits by scipy.special.nctdtr and brentq (SciPy 1.17.1)
  it.each([
    {
      a: [3, 4, 5, 9],
      b: [1, 2, 4, 3, 2.5],
      d: 1.433814926243428,
      g: 1.2735185865540044,
      ci95: [-0.11092180035928784, 2.9031156431028755],
    },
    {
      a: [1, 2],
      b: [4, 7],
      d: -2.5298221281347035,
      g: -1.4272992929222172,
      ci95: [-5.463008866825522, 0.5594053428842836],
    },
    {
      a: [0.26, -0.58, 0.66, 0.94, 0.63, -0.2, -0.2, 1.71, 1.05, 1.28],
      b: [0.63, 0.72, 1.74, -0.07, -0.26, -0.96, 0.25, 0.26, -0.76, -0.03],
      d: 0.5353696822639077,
      g: 0.5126948633568552,
      ci95: [-0.36529238732263775, 1.421817165743166],
    },
    {
      a: [40, 43.7, 39.5, 41.2, 40.4, 39.9, 40.4, 40.4, 40, 39.8, 39.6, 39.6],
      b: [10.6, 9.8, 11.9, 12.8, 9.9, 9.4, 12.6],
      d: 23.51771412670267,
      g: 22.4620393481437,
      ci95: [15.6268860619387, 31.39182258835864],
    },
  ])('of $a.length and $b.length values agrees with SciPy', ({ a, b, d, g, ci95 }) => {
    const effect = standardisedDifference(a, b);
    expect(effect?.df).toBe(a.length + b.length - 2);
    expect(effect?.d).toBeCloseTo(d, 12);
    expect(effect?.g).toBeCloseTo(g, 8);
    expect(effect?.ci95[0]).toBeCloseTo(ci95[0]!, 9);
    expect(effect?.ci95[1]).toBeCloseTo(ci95[1]!, 9);
  });

  it('has an interval that covers the true difference as often as it says, also where d is biased', () => {
    const rng = Generator.from(6);
    const runs = 600;
    for (const { n, m, truth, noise } of [
      { n: 10, m: 10, truth: 1, noise: 0.06 },
      { n: 4, m: 7, truth: 2, noise: 0.1 },
    ]) {
      let covered = 0;
      let sum = 0;
      for (let r = 0; r < runs; r++) {
        const effect = standardisedDifference(normals(rng, n, 5 + 3 * truth, 3), normals(rng, m, 5, 3));
        if (!effect) throw new Error('normal values vary');
        if (effect.ci95[0] <= truth && truth <= effect.ci95[1]) covered++;
        sum += effect.g;
      }
      // 600 runs tell 0.95 to 0.009 (one standard error).
      expect(covered / runs).toBeGreaterThan(0.925);
      expect(covered / runs).toBeLessThan(0.975);
      // g is unbiased: within three standard errors, where d of four and seven values is 0.16 too large.
      expect(Math.abs(sum / runs - truth)).toBeLessThan(noise);
    }
  });

  it('turns around when the samples are swapped, and sees neither shift nor scale', () => {
    const sample = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -900, max: 900 }), (a, b, shift) => {
        const effect = standardisedDifference(a, b);
        if (effect === null) {
          expect(new Set(a).size + new Set(b).size).toBe(2);
          return;
        }
        const slack = 1e-7 * (1 + Math.abs(effect.d));
        const near = (x: number) => ({
          asymmetricMatch: (y: unknown) => typeof y === 'number' && Math.abs(x - y) <= slack,
        });
        const { d, g, ci95, df } = effect;
        expect(ci95[0]).toBeLessThan(g + slack);
        expect(ci95[1]).toBeGreaterThan(g - slack);
        expect(ci95[0]).toBeLessThan(d);
        expect(ci95[1]).toBeGreaterThan(d);
        expect(Math.abs(g)).toBeLessThanOrEqual(Math.abs(d));
        expect(standardisedDifference(b, a)).toEqual({
          d: near(-d),
          g: near(-g),
          ci95: [near(-ci95[1]), near(-ci95[0])],
          df,
        });
        const same = { d: near(d), g: near(g), ci95: [near(ci95[0]), near(ci95[1])], df };
        const change = (x: number) => 0.37 * x + shift;
        expect(standardisedDifference(a.map(change), b.map(change))).toEqual(same);
      }),
      { numRuns: 60 },
    );
  });

  it('has no unit when neither sample varies, whatever rounding makes of the mean', () => {
    expect(standardisedDifference(new Array(9).fill(0.03), new Array(11).fill(0.03))).toBeNull();
    expect(standardisedDifference(new Array(9).fill(0.03), new Array(10).fill(0.97))).toBeNull();
    expect(standardisedDifference([1, 1, 1], [2, 3, 2.5])).not.toBeNull();
  });

  it('refuses a sample of one and values that are not finite', () => {
    expect(() => standardisedDifference([1], [2, 3])).toThrow(R2poError);
    expect(() => standardisedDifference([1], [2, 3])).toThrow('expected 2 values or more in the first sample, got 1');
    expect(() => standardisedDifference([1, 2], [])).toThrow(
      'expected 2 values or more in the second sample, got none',
    );
    expect(() => standardisedDifference([1, NaN], [2, 3])).toThrow('got NaN at position 1');
    expect(() => standardisedDifference([1e200, -1e200], [2, 3])).toThrow('expected values whose squares are numbers');
  });
});

describe('noncentralityInterval', () => {
  // scipy.special.nctdtr and brentq (SciPy 1.17.1); the last row is beyond the sums, where only the spread counts
  it.each([
    { t: 0, df: 2, low: -1.959963984540054, high: 1.959963984540055, digits: 9 },
    { t: 15, df: 3, low: 3.8015446899062315, high: 26.617040282276772, digits: 8 },
    { t: 40, df: 58, low: 32.4626920367494, high: 47.5008688400806, digits: 8 },
    { t: 150, df: 198, low: 135.0962675028651, high: 164.8788265099247, digits: 7 },
    { t: 1000, df: 3, low: 268.19764480848386, high: 1765.2597211835173, digits: 2 },
  ])('of t = $t with $df degrees of freedom agrees with SciPy', ({ t, df, low, high, digits }) => {
    const [from, to] = noncentralityInterval(t, df);
    expect(from).toBeCloseTo(low, digits);
    expect(to).toBeCloseTo(high, digits);
  });

  it('goes over smoothly into its limit for a large t', () => {
    const change = 300 * Math.sqrt(2 * 5);
    const below = noncentralityInterval(change * (1 - 1e-9), 5);
    const above = noncentralityInterval(change * (1 + 1e-9), 5);
    const half = (below[1] - below[0]) / 2;
    expect(Math.abs(above[0] - below[0]) / half).toBeLessThan(1e-5);
    expect(Math.abs(above[1] - below[1]) / half).toBeLessThan(1e-5);
  });
});

describe('meanInterval', () => {
  it('covers the mean of few normal values as often as it says', () => {
    const rng = Generator.from(8);
    const runs = 3000;
    let covered = 0;
    for (let r = 0; r < runs; r++) {
      const sample = normals(rng, 5, -2, 7);
      const mean = sample.reduce((sum, x) => sum + x, 0) / 5;
      const variance = sample.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4;
      const [low, high] = meanInterval(mean, Math.sqrt(variance / 5), 5);
      if (low <= -2 && -2 <= high) covered++;
    }
    // With the normal 1.96 in place of t it would be 0.88.
    expect(covered / runs).toBeGreaterThan(0.937);
    expect(covered / runs).toBeLessThan(0.963);
  });
});
