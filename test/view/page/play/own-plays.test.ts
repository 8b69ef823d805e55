import { expect, it } from 'vitest';
import { mostOwnPlays, OwnPlays } from '../../../../src/view/page/play/own-plays.ts';

it('lets a page that nobody touches come to rest, and play again once somebody does', () => {
  const plays = new OwnPlays();
  const taken = (count: number) => Array.from({ length: count }, () => plays.take()).filter(Boolean).length;
  expect(taken(mostOwnPlays + 7)).toBe(mostOwnPlays);
  plays.touch();
  expect(taken(3)).toBe(3);
});
