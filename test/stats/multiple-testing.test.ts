/** Holm's adjustment, against the columns published with R2PO (arXiv 2605.08315) and against its definition. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R2poError } from '../../src/base/errors.ts';
import { holm } from '../../src/stats/multiple-testing.ts';

/**
 * Raw and Holm p of the two significance tables of arXiv 2605.08315 (R2PO against each baseline on ten environments: Nim,
 * Pong, Swimmer, MountainCarContinuous, MountainCar, InvertedDoublePendulum, InvertedPendulum, FrozenLake, CartPole,
 * Maze), digits as printed.
 */
const published: Readonly<Record<string, readonly (readonly [raw: string, adjusted: string])[]>> = {
  'mean reward against ProPS': [
    ['1.5e-8', '1.1e-7'],
    ['4.2e-6', '1.7e-5'],
    ['9.6e-8', '5.8e-7'],
    ['2.0e-5', '6.0e-5'],
    ['3.2e-10', '2.6e-9'],
    ['0.0052', '0.0052'],
    ['1.1e-6', '5.7e-6'],
    ['6.5e-13', '6.5e-12'],
    ['0.0008', '0.0015'],
    ['4.2e-12', '3.8e-11'],
  ],
  'mean reward against ProPS+': [
    ['1.5e-12', '1.5e-11'],
    ['3.5e-5', '0.0002'],
    ['0.0010', '0.0031'],
    ['0.0004', '0.0021'],
    ['3.7e-11', '3.3e-10'],
    ['0.0091', '0.0161'],
    ['0.0002', '0.0013'],
    ['1.8e-7', '1.4e-6'],
    ['0.0005', '0.0021'],
    ['0.0081', '0.0161'],
  ],
  'mean reward against the best of SB3': [
    ['0.0002', '0.0008'],
    ['9.5e-5', '0.0005'],
    ['6.4e-9', '5.1e-8'],
    ['0.7004', '1.0000'],
    ['2.4e-9', '2.2e-8'],
    ['0.0085', '0.0256'],
    ['1.1e-7', '8.0e-7'],
    ['5.1e-11', '5.1e-10'],
    ['1.6e-7', '9.6e-7'],
    ['0.9878', '1.0000'],
  ],
  'best reward against ProPS': [
    ['0.0268', '0.1338'],
    ['0.0196', '0.1177'],
    ['0.0043', '0.0299'],
    ['0.0387', '0.1338'],
    ['3.1e-6', '2.7e-5'],
    ['0.0862', '0.1724'],
    ['0.0306', '0.1338'],
    ['1.2e-8', '1.2e-7'],
    ['0.1446', '0.1724'],
    ['0.0002', '0.0016'],
  ],
  'best reward against ProPS+': [
    ['1.0000', '1.0000'],
    ['0.1259', '0.8815'],
    ['0.3011', '1.0000'],
    ['0.8155', '1.0000'],
    ['0.0011', '0.0115'],
    ['0.1281', '0.8815'],
    ['0.0377', '0.3394'],
    ['0.3146', '1.0000'],
    ['0.0636', '0.5086'],
    ['1.0000', '1.0000'],
  ],
  'best reward against the best of SB3': [
    ['0.1934', '0.5803'],
    ['0.0251', '0.1257'],
    ['1.8e-9', '1.1e-8'],
    ['6.6e-14', '5.2e-13'],
    ['7.6e-21', '6.9e-20'],
    ['0.0630', '0.2522'],
    ['1.0e-29', '1.0e-28'],
    ['2.2e-10', '1.5e-9'],
    ['0.3434', '0.6869'],
    ['1.0000', '1.0000'],
  ],
};

/** The numbers that print as `text`: half a unit of its last digit to both sides, within 0 ... 1. */
function printedRange(text: string): [number, number] {
  const [digits, exponent = '0'] = text.split('e');
  const half = 0.5 * 10 ** (Number(exponent) - (digits!.split('.')[1] ?? '').length);
  return [Math.max(0, Number(text) - half), Math.min(1, Number(text) + half)];
}

/** Which rows cannot be `adjust` of raw p-values that print as given; `adjust` grows with every raw p. */
function contradictions(
  rows: (typeof published)[string],
  adjust: (p: readonly number[]) => readonly number[],
): number[] {
  const least = adjust(rows.map(([raw]) => printedRange(raw)[0]));
  const most = adjust(rows.map(([raw]) => printedRange(raw)[1]));
  return rows.flatMap(([, adjusted], i) => {
    const [low, high] = printedRange(adjusted);
    const slack = 1e-12 * high;
    return least[i]! <= high + slack && most[i]! >= low - slack ? [] : [i];
  });
}

describe('holm', () => {
  // The raw values are printed with one to four digits, so each adjusted value is only known to lie between Holm of the
  // smallest and of the largest numbers that print like that. The published column has to meet that range.
  it.each(Object.entries(published))('of the published p-values is the published column: %s', (_, rows) => {
    expect(contradictions(rows, holm)).toEqual([]);
  });

  it('differs on those tables from Bonferroni, no adjustment, and Holm without its running maximum', () => {
    const others: ((p: readonly number[]) => number[])[] = [
      (p) => p.map((x) => Math.min(1, x * p.length)),
      (p) => [...p],
      (p) => p.map((x) => Math.min(1, x * p.filter((y) => y >= x).length)),
    ];
    for (const other of others) {
      expect(Object.values(published).flatMap((rows) => contradictions(rows, other)).length).toBeGreaterThan(2);
    }
  });

  it('works the example by hand', () => {
    // sorted 0.005 x 5, 0.01 x 4, 0.03 x 3, 0.04 x 2 (raised to the 0.09 before it), 0.5 x 1
    expect(holm([0.04, 0.005, 0.5, 0.01, 0.03])).toEqual([0.09, 0.025, 0.5, 0.04, 0.09]);
    expect(holm([0.6, 0.3, 0.7])).toEqual([1, 0.9, 1].map((p) => expect.closeTo(p, 15)));
    expect(holm([0.02, 0.02])).toEqual([0.04, 0.04]);
    expect(holm([0.2])).toEqual([0.2]);
    expect(holm([])).toEqual([]);
  });

  it('rejects what the step-down procedure rejects, at any level', () => {
    const family = fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.01, 0.02, 1)));
    fc.assert(
      fc.property(family, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (p, alpha) => {
        const order = p.map((_, i) => i).sort((i, j) => p[i]! - p[j]!);
        const accepted = order.findIndex((i, rank) => (p.length - rank) * p[i]! > alpha);
        const rejected = order.slice(0, accepted === -1 ? p.length : accepted);
        const adjusted = holm(p);
        expect(new Set(adjusted.flatMap((q, i) => (q <= alpha ? [i] : [])))).toEqual(new Set(rejected));
        p.forEach((raw, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(raw);
          expect(adjusted[i]).toBeLessThanOrEqual(1);
          p.forEach((other, j) => {
            if (raw === other) expect(adjusted[i]).toBe(adjusted[j]);
            if (raw < other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
          });
        });
      }),
    );
  });

  it.each([NaN, -0.1, 1.01, Infinity])('refuses %s as a p-value and says where it is', (p) => {
    expect(() => holm([0.5, p])).toThrow(R2poError);
    expect(() => holm([0.5, p])).toThrow(`[stats] expected p-values from 0 to 1, got ${p} at position 1`);
  });
});
