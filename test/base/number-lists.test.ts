/** Lists of numbers come back as they were given. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NumberLists } from '../../src/base/number-lists.ts';

it('gives every list back, over the ends of blocks too', () => {
  const list = fc.oneof(
    fc.array(fc.double(), { maxLength: 5 }),
    fc.constantFrom(5000, 9000, 20_000).map((length) => Array<number>(length).fill(0.5)),
  );
  fc.assert(
    fc.property(fc.array(list, { maxLength: 12 }), (lists) => {
      const kept = new NumberLists();
      expect(lists.map((one) => kept.push(one))).toEqual([...lists.keys()]);
      expect(kept.length).toBe(lists.length);
      for (const [i, one] of lists.entries()) {
        expect([...kept.view(i)]).toEqual(one);
        if (one.length > 0) expect(kept.at(i, one.length - 1)).toBe(one.at(-1));
      }
    }),
    { numRuns: 40 },
  );
});
