import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { summarise } from '../../../../src/evaluation/summary.ts';
import { niceWidth, Tally } from '../../../../src/view/page/play/tally.ts';

describe('a tally of returns', () => {
  it('has the mean, interval and successes of all episodes at once, however they are cut', () => {
    const values = fc.array(fc.double({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 59 }), (all, cut) => {
        const returns = Float64Array.from(all);
        const tally = new Tally(3);
        tally.add(returns.subarray(0, cut));
        tally.add(returns.subarray(cut));
        const view = tally.view();
        const zeros = new Uint32Array(returns.length).fill(1);
        const whole = summarise(returns, zeros, new Uint8Array(returns.length), { firstSeed: 0, successThreshold: 3 });
        expect(view.episodes).toBe(whole.episodes);
        expect(view.mean).toBeCloseTo(whole.mean, 6);
        expect(view.ci95![0]).toBeCloseTo(whole.ci95![0], 4);
        expect(view.success).toBeCloseTo(whole.success.rate, 12);
        expect([view.min, view.max]).toEqual([whole.min, whole.max]);
        expect(view.bins.reduce((sum, { count }) => sum + count, 0)).toBe(returns.length);
        expect(view.bins.length).toBeLessThanOrEqual(62);
      }),
    );
  });

  it('counts whole returns in bins of whole width', () => {
    const tally = new Tally(9);
    tally.add(Float64Array.of(7, 7, 8, 12));
    expect(tally.view()).toMatchObject({ binWidth: 1, success: 0.25 });
    expect(tally.view().bins).toEqual([
      { low: 7, count: 2 },
      { low: 8, count: 1 },
      { low: 12, count: 1 },
    ]);
    tally.add(Float64Array.of(500));
    expect(tally.view().binWidth).toBe(10);
  });

  it('has a bin for equal returns', () => {
    expect([niceWidth(0), niceWidth(0.3), niceWidth(7)]).toEqual([1, 0.5, 10]);
  });
});
