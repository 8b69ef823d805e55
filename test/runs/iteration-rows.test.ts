/** The rows of a run are kept as numbers and come back as they were. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type IterationRow, IterationRows } from '../../src/runs/journal/iteration-rows.ts';

const count = fc.nat();
const outcome = fc.double();
const maybe = fc.option(outcome);
const label = fc.constantFrom('proposal', 'revision', 'sample');

const row: fc.Arbitrary<IterationRow> = fc.record({
  ...{ iteration: count, episodes: count, steps: count },
  kept: fc.option(label),
  ...{ mean: maybe, std: maybe, median: maybe, min: maybe, max: maybe, best: maybe },
  candidates: fc.dictionary(label, outcome, { noNullPrototype: true }),
  ...{ unusable_replies: count, prompt_tokens: count, completion_tokens: count, llm_seconds: outcome, wall_s: outcome },
  ...{ llm_calls: count, cached_tokens: fc.option(count), cache_write_tokens: fc.option(count) },
  reasoning_tokens: fc.option(count),
});

it('gives each row back, null and NaN told apart, from both ends', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), fc.nat(9), (given, start) => {
      const rows = new IterationRows();
      for (const one of given) rows.push(one);
      expect(rows.length).toBe(given.length);
      expect([...rows]).toEqual(given);
      expect(rows.from(start)).toEqual(given.slice(start));
      expect([rows.at(-1), rows.at(2)]).toEqual([given.at(-1), given.at(2)]);
      expect([...rows].map(({ candidates }) => Object.keys(candidates))).toEqual(
        given.map(({ candidates }) => Object.keys(candidates)),
      );
    }),
  );
});
