import { describe, expect, it } from 'vitest';
import {
  agoText,
  costText,
  durationText,
  estimateText,
  manyText,
  numberText,
  pText,
  shareText,
  shortCount,
} from '../../../src/view/page/common/format.ts';

describe('numbers on the page', () => {
  it('are as precise as their interval', () => {
    expect(estimateText(412.34567, [402.1, 422.6])).toBe('412.3 [402.1, 422.6]');
    expect(estimateText(-0.04, null)).toBe('−0.04');
    expect(estimateText(null, null)).toBe('–');
    expect(estimateText(3, [null, 4])).toBe('3');
  });

  it.each([
    [shortCount(999), '999'],
    [shortCount(12_345), '12.3k'],
    [shortCount(999_999), '1M'],
    [shortCount(2_500_000_000), '2.5G'],
    [manyText(5001, 'run'), '5,001 runs'],
    [manyText(1, 'run'), '1 run'],
    [costText(0.01234), '$0.012'],
    [costText(4.2), '$4.20'],
    [costText(null), '–'],
    [durationText(0.0421), '42.1 ms'],
    [durationText(59.99), '1 min 00 s'],
    [durationText(185.4), '3 min 05 s'],
    [durationText(3599.7), '1 h 00 min'],
    [durationText(7620), '2 h 07 min'],
    [durationText(86_399), '1 d 00 h'],
    [numberText(-1234.56), '−1235'],
    [pText(0.00003), '< 0.0001'],
    [pText(0.0314), '0.031'],
    [shareText(0.8754), '87.5 %'],
    [agoText('2026-03-10T09:00:00Z', Date.parse('2026-03-10T12:30:00Z')), '3 h ago'],
    [agoText(null), '–'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });
});
