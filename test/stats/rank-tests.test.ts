/** Rank tests against SciPy 1.17.1, and against counting every order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R2poError } from '../../src/base/errors.ts';
import { normalTail } from '../../src/stats/distributions.ts';
import { mannWhitney } from '../../src/stats/rank-tests.ts';

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

/** Few different values, so that ties and zeros are common, or many. */
const values = (minLength: number, maxLength: number) =>
  fc.oneof(
    fc.array(fc.integer({ min: -3, max: 3 }), { minLength, maxLength }),
    fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength, maxLength }),
  );

describe('normalTail', () => {
  // scipy.stats.norm.sf
  it.each([
    [-9, 1],
    [-3, 0.9986501019683699],
    [0, 0.5],
    [0.5, 0.3085375387259869],
    [1.96, 0.024997895148220435],
    [2.8, 0.002555130330427932],
    [2.9, 0.0018658133003840375],
    [6, 9.865876450376946e-10],
    [12, 1.776482112077653e-33],
    [30, 4.906713927147908e-198],
  ])('of %s is %s', (z, p) => {
    expect(normalTail(z) / p).toBeCloseTo(1, 11);
  });
});

describe('mannWhitney', () => {
  // scipy.stats.mannwhitneyu(a, b) of SciPy 1.17.1
  it.each([
    { name: 'three by four', a: [1.5, 2.5, 9], b: [4, 7, 8, 12], u: 3, p: 0.4, method: 'exact' },
    {
      name: 'ten by eight',
      a: [1.43, 0.43, 3.65, -0.61, 1.66, 0.86, 0.65, 2.07, -0.82, 0.02],
      b: [-0.11, 1.74, 0.09, 0.9, -1.86, -1.24, 0.97, -0.63],
      u: 54,
      p: 0.236985236985237,
      method: 'exact',
    },
    {
      name: 'eight by eight, apart',
      a: upTo(8).map((i) => i + 10),
      b: upTo(8),
      u: 64,
      p: 0.0001554001554001554,
      method: 'exact',
    },
    {
      name: 'ten by nine, too many for the exact distribution',
      a: [0.94, 1.73, -1.21, -0.2, 0.91, -0.55, 0.29, 0.96, 0.33, 0.73],
      b: [0.04, 1.33, 1.58, -0.39, -0.83, 0.89, 0.51, 0.25, -0.91],
      u: 51,
      p: 0.6533789106936937,
      method: 'normal',
    },
    { name: 'two by two with a tie', a: [1, 2], b: [2, 3], u: 0.5, p: 0.4142161782425252, method: 'normal' },
    {
      name: 'many ties',
      a: [1, 1, 1, 1, 0.5, 0.75, 1, 1, 1, 0.5],
      b: [0.5, 0.5, 1, 0.25, 0.75, 0.5, 0.25, 0, 0.5, 0.5],
      u: 86,
      p: 0.004519813444515487,
      method: 'normal',
    },
    { name: 'one by seven, in the middle', a: [3.5], b: upTo(7), u: 3, p: 1, method: 'exact' },
    {
      name: 'thirty by thirty, apart',
      a: upTo(30).map((i) => 3 * i + 97),
      b: upTo(30).map((i) => 3 * i - 2),
      u: 900,
      p: 3.019859359162157e-11,
      method: 'normal',
    },
  ])('agrees with SciPy: $name', ({ a, b, u, p, method }) => {
    const test = mannWhitney(a, b);
    expect(test).toMatchObject({ u, method });
    expect(test.p / p).toBeCloseTo(1, 11);
    expect(test.superiority).toBeCloseTo(u / (a.length * b.length), 14);
  });

  it('counts the orders exactly: every choice of n of n + m ranks for the first sample', () => {
    for (const [n, m] of [
      [2, 3],
      [4, 4],
      [5, 3],
      [3, 9],
      [6, 6],
    ]) {
      const ranks = upTo(n! + m!);
      const chosen: number[][] = [];
      const choose = (from: number, picked: number[]): void => {
        if (picked.length === n) chosen.push(picked);
        else for (let r = from; r <= n! + m!; r++) choose(r + 1, [...picked, r]);
      };
      choose(1, []);
      const middle = (n! * m!) / 2;
      const us = chosen.map((a) => a.reduce((sum, r) => sum + r, 0) - (n! * (n! + 1)) / 2);
      chosen.forEach((a, i) => {
        const extreme = us.filter((u) => Math.abs(u - middle) >= Math.abs(us[i]! - middle)).length;
        const test = mannWhitney(
          a,
          ranks.filter((r) => !a.includes(r)),
        );
        expect(test.u).toBe(us[i]);
        expect(test.p).toBeCloseTo(extreme / chosen.length, 12);
      });
    }
  });

  it('keeps its digits where there are more orders than a double counts', () => {
    // Apart, one order of C(508, 8) is as extreme as this on each side: 2 / C(508, 8).
    let orders = 1n;
    for (let i = 1n; i <= 8n; i++) orders = (orders * (500n + i)) / i;
    const test = mannWhitney(
      upTo(8),
      upTo(500).map((i) => i + 8),
    );
    expect((test.p * Number(orders)) / 2).toBeCloseTo(1, 12);
    // In the middle, two of the tails are everything.
    const between = mannWhitney(
      [0.5, 70.5, 140.5, 210.5, 290.5, 360.5, 430.5, 500.5].map((x) => x - 0.25),
      upTo(500),
    );
    expect(between).toMatchObject({ method: 'exact' });
    expect(between.p).toBeGreaterThan(0.95);
    expect(between.p).toBeLessThanOrEqual(1);
  });

  it('proves nothing when all values are equal', () => {
    expect(mannWhitney([4, 4, 4], [4, 4])).toEqual({
      u: 3,
      p: 1,
      method: 'normal',
      superiority: 0.5,
      rankBiserial: 0,
    });
  });

  it('mirrors when the samples are swapped, and sees only the order', () => {
    fc.assert(
      fc.property(values(1, 15), values(1, 15), (a, b) => {
        const test = mannWhitney(a, b);
        const swapped = mannWhitney(b, a);
        const pairs = a.flatMap((x) => b.map((y) => (x > y ? 1 : x === y ? 0.5 : 0)) as number[]);
        expect(test.u).toBe(pairs.reduce((sum, x) => sum + x, 0));
        expect(swapped.u).toBe(a.length * b.length - test.u);
        expect(swapped.p).toBeCloseTo(test.p, 12);
        expect(swapped.rankBiserial).toBeCloseTo(-test.rankBiserial, 12);
        expect(test.p).toBeGreaterThan(0);
        expect(test.p).toBeLessThanOrEqual(1);
        const bend = (x: number) => 7 + x ** 3;
        expect(mannWhitney(a.map(bend), b.map(bend))).toEqual(test);
      }),
    );
  });

  it('takes zero and minus zero for the same value', () => {
    expect(mannWhitney([0], [-0]).superiority).toBe(0.5);
    expect(mannWhitney([-0, 1], [0, 0]).superiority).toBe(0.75);
  });

  it('refuses empty samples and values that are not finite', () => {
    expect(() => mannWhitney([], [1])).toThrow(R2poError);
    expect(() => mannWhitney([], [1])).toThrow('expected one value or more in the first sample, got none');
    expect(() => mannWhitney([1], [])).toThrow('expected one value or more in the second sample, got none');
    expect(() => mannWhitney([1, 2], [3, NaN])).toThrow('finite values in the second sample, got NaN at position 1');
    expect(() => mannWhitney([1, 2, -Infinity], [3])).toThrow('got -Infinity at position 2');
  });
});
