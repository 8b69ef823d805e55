/** Two-by-two tables, against numbers worked out by hand or by R and SciPy's published examples. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fisherExact, mantelHaenszel, oddsRatio, type TwoByTwo } from '../../src/stats/contingency.ts';
import { welch, welchOf } from '../../src/stats/intervals.ts';

function table(a: number, b: number, c: number, d: number): TwoByTwo {
  return { cases: { met: a, unmet: b }, controls: { met: c, unmet: d } };
}

const count = fc.integer({ min: 0, max: 40 });
const anyTable = fc.tuple(count, count, count, count).map((counts) => table(...counts));

const transposed = ({ cases, controls }: TwoByTwo): TwoByTwo =>
  table(cases.met, controls.met, cases.unmet, controls.unmet);
const withRowsSwapped = ({ cases, controls }: TwoByTwo): TwoByTwo => ({ cases: controls, controls: cases });

describe('oddsRatio', () => {
  it("is the ratio of the products, with Woolf's interval", () => {
    // (12 * 35) / (20 * 7) = 3; log se = sqrt(1/12 + 1/20 + 1/7 + 1/35) = sqrt(0.30476190) = 0.55205245
    const found = oddsRatio(table(12, 20, 7, 35));
    expect(found?.estimate).toBeCloseTo(3, 12);
    // 3 * exp(-+ 1.95996398 * 0.55205245) = 3 * exp(-+ 1.08200293)
    expect(found?.ci95[0]).toBeCloseTo(3 * Math.exp(-1.08200293), 6);
    expect(found?.ci95[1]).toBeCloseTo(3 * Math.exp(1.08200293), 6);
    expect(found?.corrected).toBe(false);
  });

  it('adds half a count to every cell where one is empty', () => {
    // (5.5 * 4.5) / (0.5 * 3.5) = 24.75 / 1.75
    const found = oddsRatio(table(5, 0, 3, 4));
    expect(found?.estimate).toBeCloseTo(24.75 / 1.75, 12);
    expect(found?.corrected).toBe(true);
  });

  it.each([
    ['no case', table(0, 0, 3, 4)],
    ['no control', table(3, 4, 0, 0)],
    ['the criterion never met', table(0, 3, 0, 4)],
    ['the criterion always met', table(3, 0, 4, 0)],
  ])('says nothing for a table with %s', (_, empty) => {
    expect(oddsRatio(empty)).toBeNull();
    expect(fisherExact(empty)).toBe(1);
  });

  it('turns round when the groups are swapped, and is the same for the transposed table', () => {
    fc.assert(
      fc.property(anyTable, (t) => {
        const found = oddsRatio(t);
        const swapped = oddsRatio(withRowsSwapped(t));
        expect(oddsRatio(transposed(t)) === null).toBe(found === null);
        expect(swapped === null).toBe(found === null);
        if (!found || !swapped) return;
        expect(swapped.estimate * found.estimate).toBeCloseTo(1, 9);
        expect(swapped.ci95[0] * found.ci95[1]).toBeCloseTo(1, 9);
        expect(oddsRatio(transposed(t))?.estimate).toBeCloseTo(found.estimate, 9);
        expect(found.ci95[0]).toBeLessThanOrEqual(found.estimate);
        expect(found.ci95[1]).toBeGreaterThanOrEqual(found.estimate);
      }),
    );
  });

  it('refuses values that are not counts', () => {
    expect(() => oddsRatio(table(1.5, 2, 3, 4))).toThrow('whole counts');
    expect(() => fisherExact(table(-1, 2, 3, 4))).toThrow('whole counts');
  });
});

describe('fisherExact', () => {
  it.each([
    // Fisher's tea: C(4,k) C(4,4-k) / 70 = 1, 16, 36, 16, 1; those no likelier than 16/70 make 34/70
    [table(3, 1, 1, 3), 34 / 70],
    // the twins of R's help page: p = 0.0005367241
    [table(2, 15, 10, 3), 0.0005367241],
    // SciPy's example, whales and sharks: 0.0349650349...
    [table(8, 2, 1, 5), 0.03496503496503495],
  ])('gives the known p', (t, p) => {
    expect(fisherExact(t)).toBeCloseTo(p, 9);
  });

  it('does not overflow, and stays small where groups differ', () => {
    expect(fisherExact(table(20_000, 10_000, 10_000, 20_000))).toBeLessThan(1e-100);
    expect(fisherExact(table(20_000, 20_000, 10_000, 10_000))).toBeCloseTo(1, 6);
  });

  it('is a probability, the same for swapped and transposed tables', () => {
    fc.assert(
      fc.property(anyTable, (t) => {
        const p = fisherExact(t);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(fisherExact(withRowsSwapped(t))).toBeCloseTo(p, 9);
        expect(fisherExact(transposed(t))).toBeCloseTo(p, 9);
      }),
    );
  });
});

describe('mantelHaenszel', () => {
  it('is the odds ratio of a single table, with the same interval', () => {
    // For one stratum the variance of Robins, Breslow and Greenland is Woolf's.
    const one = table(12, 20, 7, 35);
    const found = mantelHaenszel([one]);
    expect(found?.estimate).toBeCloseTo(3, 12);
    expect(found?.ci95[0]).toBeCloseTo(oddsRatio(one)?.ci95[0] ?? Number.NaN, 9);
  });

  it('does not attribute a difference between the strata to the criterion', () => {
    // Odds ratio 1 in each: 30 * 3 = 10 * 9, 2 * 54 = 18 * 6. Added up: (32 * 57) / (28 * 15) = 4.34.
    const strata = [table(30, 10, 9, 3), table(2, 18, 6, 54)];
    expect(oddsRatio(table(32, 28, 15, 57))?.estimate).toBeGreaterThan(4.3);
    expect(mantelHaenszel(strata)?.estimate).toBeCloseTo(1, 12);
    // R = 20*30/100 + 5*40/100 = 8, S = 10*40/100 + 10*45/100 = 8.5
    expect(mantelHaenszel([table(20, 10, 40, 30), table(5, 10, 45, 40)])?.estimate).toBeCloseTo(8 / 8.5, 12);
  });

  it('is null where there is nothing to divide', () => {
    expect(mantelHaenszel([])).toBeNull();
    expect(mantelHaenszel([table(0, 0, 0, 0), table(3, 0, 4, 0)])).toBeNull();
  });
});

describe('welchOf', () => {
  it('gives from moments what welch gives from values', () => {
    // 1 2 3 4: mean 2.5, variance 5/3; 2 4 9: mean 5, variance 13
    const found = welchOf({ mean: 2.5, variance: 5 / 3, n: 4 }, { mean: 5, variance: 13, n: 3 });
    const expected = welch([1, 2, 3, 4], [2, 4, 9]);
    expect(found.t).toBeCloseTo(expected.t, 12);
    expect(found.df).toBeCloseTo(expected.df, 12);
    expect(found.p).toBeCloseTo(expected.p, 12);
  });
});
