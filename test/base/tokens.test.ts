/** The estimate of tokens, held to the rule written as a pattern. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { estimateTokens } from '../../src/base/tokens.ts';
import { anyText } from '../support/any-text.ts';

/** Words by eight letters, numbers by three digits, each symbol and each run of line breaks one token. */
function byPattern(text: string): number {
  let count = 0;
  for (const [piece] of text.matchAll(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]|\n+/gu)) {
    if (/\p{L}/u.test(piece)) count += Math.ceil(piece.length / 8);
    else if (/\p{N}/u.test(piece)) count += Math.ceil(piece.length / 3);
    else count += 1;
  }
  return count;
}

it('counts words, numbers, symbols and line breaks', () => {
  expect(estimateTokens('')).toBe(0);
  expect(estimateTokens(' \t\r ')).toBe(0);
  expect(estimateTokens('extraordinary')).toBe(2);
  expect(estimateTokens('params[12]: -3.1415')).toBe(10);
  expect(estimateTokens('a\n\n\nb')).toBe(3);
});

it('follows the pattern for any text', () => {
  const letters = fc.constantFrom(...'aZ09-.,[]{} \n\t\u2003\u00e9\u0661\u4e2d\u{1f600}\u{1d54a}\ud800');
  const text = fc.oneof(
    anyText(),
    fc.array(letters, { maxLength: 60 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(text, (sample) => {
      expect(estimateTokens(sample)).toBe(byPattern(sample));
    }),
    { numRuns: 2000 },
  );
});
