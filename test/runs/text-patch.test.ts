/** Prompts are recorded as patches of earlier ones: every text comes back to the bit, and a patch is short. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPatch, makePatch } from '../../src/runs/journal/text-patch.ts';
import { anyText } from '../support/any-text.ts';

/** The text that a patch gives back; the text itself where there is none. */
function restored(base: string, text: string): string | null {
  const pieces = makePatch(base, text);
  return pieces === null ? text : applyPatch(base, JSON.parse(JSON.stringify(pieces)));
}

/** Any code units: halves of surrogate pairs too, and few different lines, so that much of them repeats. */
const pieces = fc.oneof(
  anyText(),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('a line\n', 'another line that is longer than a copy\n', '\n', '\ud83d', '\ude00', 'x'), {
      maxLength: 40,
    })
    .map((parts) => parts.join('')),
);

describe('a patch', () => {
  it('restores any sequence of texts to the bit', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 6 }), (texts) => {
        let before = '';
        for (const text of texts) {
          expect(restored(before, text)).toBe(text);
          before = text;
        }
      }),
      { numRuns: 500 },
    );
  });

  /** Lines of a history, each of which says which one it is. */
  const lines = (from: number, to: number) =>
    Array.from(
      { length: to - from },
      (_, i) => `trial ${from + i}: params = [${from + i}, 7]; mean_reward = ${i % 3}\n`,
    ).join('');

  it('holds only what is new, where a history grows at its end and loses lines at its front', () => {
    const prompt = (from: number, to: number, iteration: number) =>
      `The rules.\n${lines(0, 9)}Excerpts:\n${lines(from, to)}\nIteration ${iteration} of 100.\nAnswer.`;
    const base = prompt(99, 399, 7);
    for (const text of [prompt(99, 402, 8), prompt(129, 402, 8), `One more sentence.\n${base}`, base]) {
      const pieces = makePatch(base, text)!;
      expect(applyPatch(base, pieces)).toBe(text);
      expect(JSON.stringify(pieces).length).toBeLessThan(300);
    }
  });

  it('is not made where it would be as long as the text', () => {
    expect(makePatch('one\n', 'quite another text\n')).toBeNull();
    expect(makePatch('', '')).toBeNull();
    expect(applyPatch('short', [[2, 9]])).toBeNull();
  });

  it('of a huge text is made in a moment', () => {
    const base = lines(0, 40_000);
    const started = performance.now();
    expect(restored(base, `${base.slice(500)}${lines(1, 3)}`)).toBe(`${base.slice(500)}${lines(1, 3)}`);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
