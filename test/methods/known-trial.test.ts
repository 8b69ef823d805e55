/** Trials are found by their parameters as numbers, in a list that grows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownTrial } from '../../src/methods/known-trial.ts';
import type { Trial } from '../../src/methods/method.ts';

const trial = (params: readonly number[]): Trial => ({ kind: 'iteration', params, mean: 0 });

describe('knownTrial', () => {
  it.each([1, 3, 80])('finds the first trial that a search through %i parameters finds', (length) => {
    const value = fc.constantFrom(0, -0, 1, -1.5, 1e-300, 0.1 + 0.2);
    const params = fc.tuple(value, value).map(([a, b]) => [a, b, ...Array(length).fill(0.5)].slice(-length - 1, -1));
    fc.assert(
      fc.property(fc.array(fc.array(params, { maxLength: 4 }), { maxLength: 5 }), fc.array(params), (steps, played) => {
        const trials: Trial[] = [];
        const here = played.map(trial);
        for (const step of steps) {
          for (const asked of [...step, ...played]) {
            const expected = [...trials, ...here].findIndex(({ params: there }) =>
              asked.every((v, i) => v === there[i]),
            );
            expect(knownTrial(trials, here, asked)).toBe(expected < 0 ? null : expected);
          }
          trials.push(...step.map(trial));
        }
      }),
      { numRuns: 60 },
    );
  });
});
