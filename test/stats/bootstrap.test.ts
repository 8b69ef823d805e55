/** Numbers over the runs of several environments: against SciPy, by counting every resample, and by simulation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R2poError } from '../../src/base/errors.ts';
import { moments } from '../../src/base/moments.ts';
import { Generator } from '../../src/base/rng/generator.ts';
import { interquartileMeanOf, probabilityOfImprovement, stratifiedBootstrap } from '../../src/stats/bootstrap.ts';
import { mannWhitney } from '../../src/stats/rank-tests.ts';

const normals = (rng: Generator, n: number, mean: number) =>
  Array.from({ length: n }, () => mean + rng.standardNormal());
const strataOf = (rng: Generator, sizes: readonly number[], mean: number) =>
  sizes.map((n, s) => normals(rng, n, mean + s));

describe('interquartileMeanOf', () => {
  const interquartileMean = (values: readonly number[]) =>
    interquartileMeanOf([values], { seed: 0, resamples: 100 }).value;

  // scipy.stats.trim_mean(values, 0.25) of SciPy 1.17.1
  it.each([
    { values: [4, 1, 9, 16, 25, 36, 49, 64], mean: 21.5 },
    { values: [3, 1, 10], mean: 4.666666666666667 },
    { values: [5, 1, 100, 7], mean: 6 },
    { values: [2, 8, 1, 30, 4], mean: 4.666666666666667 },
    { values: [1, 2, 3, 4, 5, 6, 70], mean: 4 },
    { values: [-50, 0, 1, 5, 9, 20, 22, 1000, 3], mean: 7.6 },
    { values: [42], mean: 42 },
  ])('of $values is $mean', ({ values, mean }) => {
    expect(interquartileMean(values)).toBeCloseTo(mean, 12);
  });

  it('is the mean of the sorted middle, in any order, and leaves the values alone', () => {
    const sample = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(sample, fc.integer({ min: -50, max: 50 }), (values, shift) => {
        const sorted = [...values].sort((a, b) => a - b);
        const cut = Math.floor(values.length / 4);
        const middle = sorted.slice(cut, values.length - cut);
        const mean = middle.reduce((sum, x) => sum + x, 0) / middle.length;
        const given = [...values];
        expect(interquartileMean(given)).toBeCloseTo(mean, 9);
        expect(given).toEqual(values);
        expect(interquartileMean(values.map((x) => -3 * x + shift))).toBeCloseTo(-3 * mean + shift, 8);
      }),
    );
  });

  it('refuses no values and values that are not finite', () => {
    expect(() => interquartileMean([])).toThrow(R2poError);
    expect(() => interquartileMean([])).toThrow(
      'expected one value or more in stratum 0 of the sample, got none; add runs',
    );
    expect(() => interquartileMean([1, NaN])).toThrow(
      'expected finite values in stratum 0 of the sample, got NaN at position 1',
    );
  });
});

describe('stratifiedBootstrap', () => {
  const meanOf = (values: Float64Array) => moments(values).mean;

  it('draws within each stratum, as many runs as it has', () => {
    const strata = [
      [1, 2, 3],
      [10, 20],
      [100, 200, 300, 400],
    ];
    const seen = strata.map(() => new Set<number>());
    let calls = 0;
    stratifiedBootstrap(
      strata,
      ({ all, strata: drawn }) => {
        calls++;
        expect(drawn.map((runs) => runs.length)).toEqual([3, 2, 4]);
        expect(Array.from(all)).toEqual(drawn.flatMap((runs) => Array.from(runs)));
        drawn.forEach((runs, s) => {
          for (const run of runs) seen[s]!.add(run);
        });
        return 0;
      },
      { seed: 3, resamples: 150 },
    );
    expect(calls).toBe(151);
    expect(seen.map((values) => [...values].sort((a, b) => a - b))).toEqual(strata);
  });

  it('has the limits of all resamples, counted', () => {
    // Three draws of one stratum and two of the other: 27 x 4 resamples, all equally likely.
    const strata = [
      [0, 1, 8],
      [0, 30],
    ];
    const sums: number[] = [];
    for (const a of strata[0]!) {
      for (const b of strata[0]!) {
        for (const c of strata[0]!)
          for (const d of strata[1]!) for (const e of strata[1]!) sums.push(a + b + c + d + e);
      }
    }
    sums.sort((x, y) => x - y);
    const at = (q: number) => sums[Math.ceil(q * sums.length) - 1];
    const { value, ci95 } = stratifiedBootstrap(strata, ({ all }) => all.reduce((sum, x) => sum + x, 0), {
      seed: 5,
      resamples: 20_000,
    });
    expect(value).toBe(39);
    expect(ci95).toEqual([at(0.025), at(0.975)]);
  });

  it('is the same for the same seed, and another for another', () => {
    const strata = strataOf(Generator.from(1), [6, 9], 2);
    const first = interquartileMeanOf(strata, { seed: 11 });
    expect(interquartileMeanOf(strata, { seed: 11 })).toEqual(first);
    const other = interquartileMeanOf(strata, { seed: 12 });
    expect(other.value).toBe(first.value);
    expect(other.ci95).not.toEqual(first.ci95);
  });

  it('follows shift and scale', () => {
    const strata = strataOf(Generator.from(2), [5, 8, 3], -1);
    const { value, ci95 } = interquartileMeanOf(strata, { seed: 4 });
    const changed = interquartileMeanOf(
      strata.map((runs) => runs.map((x) => 100 + 7 * x)),
      { seed: 4 },
    );
    expect(changed.value).toBeCloseTo(100 + 7 * value, 10);
    expect(changed.ci95).toEqual(ci95?.map((x) => expect.closeTo(100 + 7 * x, 10)));
  });

  it('knows no spread of a single run', () => {
    expect(stratifiedBootstrap([[4], [1, 3]], ({ all }) => meanOf(all), { seed: 1 })).toEqual({
      value: 8 / 3,
      ci95: null,
    });
  });

  it('refuses what it cannot resample', () => {
    const boot = (strata: number[][], options = { seed: 1 }) =>
      stratifiedBootstrap(strata, ({ all }) => meanOf(all), options);
    expect(() => boot([])).toThrow(R2poError);
    expect(() => boot([])).toThrow('expected one stratum or more in the sample, got none');
    expect(() => boot([[1], []])).toThrow('expected one value or more in stratum 1 of the sample, got none');
    expect(() => boot([[1, Infinity]])).toThrow('finite values in stratum 0 of the sample, got Infinity at position 1');
    for (const resamples of [0, 99, 1000.5, NaN]) {
      const options = { seed: 1, resamples };
      expect(() => boot([[1, 2]], options)).toThrow(`a whole number of resamples from 100 on, got ${resamples}`);
    }
    expect(() => boot([[1, 2]], { seed: -1 })).toThrow(R2poError);
    expect(() => stratifiedBootstrap([[1, 2]], () => NaN, { seed: 1 })).toThrow(
      'a finite statistic of the runs, got NaN',
    );
  });

  it('covers the interquartile mean nearly as often as it says', () => {
    const rng = Generator.from(5);
    const runs = 250;
    let covered = 0;
    for (let r = 0; r < runs; r++) {
      const strata = Array.from({ length: 5 }, () => normals(rng, 10, 2));
      const { ci95 } = interquartileMeanOf(strata, { seed: r, resamples: 300 });
      if (ci95 && ci95[0] <= 2 && 2 <= ci95[1]) covered++;
    }
    // Ten runs of five environments give 0.92, a little less than 0.95, as percentile intervals of few runs do.
    expect(covered / runs).toBeGreaterThan(0.88);
    expect(covered / runs).toBeLessThan(0.97);
  });
});

describe('probabilityOfImprovement', () => {
  it('is the mean over the strata of what all pairs say', () => {
    // 3 of 4 pairs and a tie in the other stratum's 2 pairs: (3 / 4 + 0.5 / 2) / 2
    const estimate = probabilityOfImprovement(
      [
        [5, 2],
        [7, 7],
      ],
      [[1, 3], [7]],
      { seed: 1 },
    );
    expect(estimate.value).toBe((3 / 4 + 1 / 2) / 2);
    expect(estimate.ci95).toBeNull();
  });

  it('has the limits that resampling the values themselves gives', () => {
    const rng = Generator.from(9);
    const coarse = (n: number, mean: number) => normals(rng, n, mean).map((x) => Math.round(2 * x));
    const x = [coarse(7, 1), coarse(5, 0.2), coarse(9, 0)];
    const y = [coarse(6, 0), coarse(8, 0), coarse(5, 0.5)];
    const options = { seed: 21, resamples: 500 };
    const slow = stratifiedBootstrap(
      [...x, ...y],
      ({ strata }) => [0, 1, 2].reduce((sum, s) => sum + mannWhitney(strata[s]!, strata[3 + s]!).superiority, 0) / 3,
      options,
    );
    const fast = probabilityOfImprovement(x, y, options);
    expect(fast.value).toBeCloseTo(slow.value, 14);
    expect(fast.ci95).toEqual(slow.ci95?.map((limit) => expect.closeTo(limit, 12)));
    expect(fast.ci95?.[0]).toBeLessThan(fast.value);
    expect(fast.ci95?.[1]).toBeGreaterThan(fast.value);
  });

  it('mirrors when the sides are swapped, and sees only the order within a stratum', () => {
    const side = fc.array(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 6 }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(side, side, (x, y) => {
        const options = { seed: 2, resamples: 100 };
        const estimate = probabilityOfImprovement(x, y, options);
        expect(probabilityOfImprovement(y, x, options).value).toBeCloseTo(1 - estimate.value, 12);
        const bend = (runs: number[], s: number) => runs.map((v) => 10 ** s * v ** 3 - s);
        expect(probabilityOfImprovement(x.map(bend), y.map(bend), options)).toEqual(estimate);
      }),
      { numRuns: 50 },
    );
  });

  it('is certain, interval and all, when every run beats every other', () => {
    expect(probabilityOfImprovement([[3, 4]], [[1, 2]], { seed: 1 })).toEqual({ value: 1, ci95: [1, 1] });
  });

  it('covers the true probability nearly as often as it says', () => {
    const rng = Generator.from(15);
    // P(X > Y) of two normals with unit spread whose means are sqrt(1 / 2) apart: Phi(1 / 2)
    const truth = 0.6914624612740131;
    const runs = 250;
    let covered = 0;
    for (let r = 0; r < runs; r++) {
      const sizes = [10, 8, 12];
      const x = strataOf(rng, sizes, Math.SQRT1_2);
      const { ci95 } = probabilityOfImprovement(x, strataOf(rng, sizes, 0), { seed: r, resamples: 300 });
      if (ci95 && ci95[0] <= truth && truth <= ci95[1]) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.89);
    expect(covered / runs).toBeLessThan(0.98);
  });

  it('refuses sides that do not match', () => {
    expect(() => probabilityOfImprovement([[1]], [[1], [2]], { seed: 1 })).toThrow(
      'expected as many strata in both samples, got 1 and 2',
    );
    expect(() => probabilityOfImprovement([], [], { seed: 1 })).toThrow('one stratum or more in the first sample');
    expect(() => probabilityOfImprovement([[1]], [[NaN]], { seed: 1 })).toThrow('in stratum 0 of the second sample');
  });
});
