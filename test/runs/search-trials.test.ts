/** Trials of a search give back what they were made of. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Player } from '../../src/runs/drivers/player.ts';
import { SearchTrials } from '../../src/runs/drivers/search-trials.ts';

const number = fc.double({ noNaN: true });
const policy = fc.record({ mean: number, params: fc.tuple(number, number, number) });
const made = fc.record({
  candidates: fc.uniqueArray(fc.record({ label: fc.constantFrom('proposal', 'revision', 'third'), of: policy }), {
    minLength: 1,
    selector: ({ label }) => label,
  }),
  proposed: fc.array(policy, { maxLength: 3 }),
  kept: fc.nat(),
  episode: fc.record({
    ...{ episodes: fc.nat(), seed: fc.nat() },
    picked: fc.record({ index: fc.nat(), seed: fc.nat(), return: number, length: fc.nat() }),
  }),
});

it('has its policies, its kept one, and plays the episode that was picked', async () => {
  const played: unknown[] = [];
  const player = { replay: async (...asked: unknown[]) => played.push(asked) } as unknown as Player;
  await fc.assert(
    fc.asyncProperty(fc.array(made, { maxLength: 5 }), async (all) => {
      const trials = new SearchTrials(player);
      const expected = all.map(({ candidates, proposed, kept, episode }) => {
        const played = candidates.map(({ label, of }) => ({ label, ...of }));
        return { candidates: played, proposed, kept: played[kept % played.length]!, episode };
      });
      const got = expected.map(({ candidates, proposed, kept, episode }) =>
        trials.add({ kept: kept.label, candidates }, proposed, episode),
      );
      for (const [i, trial] of got.entries()) {
        const { candidates, proposed, kept, episode } = expected[i]!;
        expect([trial.kind, trial.mean, trial.params]).toEqual(['iteration', kept.mean, kept.params]);
        expect([trial.candidates, trial.proposed]).toEqual([candidates, proposed]);
        await trial.trace();
        expect(played.at(-1)).toEqual([kept.params, episode]);
      }
    }),
    { numRuns: 60 },
  );
});

it('keeps labels with a comma apart from two labels', () => {
  const trials = new SearchTrials({} as Player);
  const episode = { episodes: 1, seed: 1, picked: { index: 0, seed: 1, return: 2, length: 2 } };
  const labelsOf = (labels: string[]) => {
    const candidates = labels.map((label) => ({ label, params: [1], mean: 2 }));
    return trials.add({ kept: labels[0]!, candidates }, [], episode).candidates?.map(({ label }) => label);
  };
  expect([labelsOf(['a', 'b']), labelsOf(['a,b'])]).toEqual([['a', 'b'], ['a,b']]);
});
