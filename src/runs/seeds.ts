/**
 * Where every seed of a run comes from: the run's seed, what the seed is for, and a number, and nothing else. So a run
 * draws the same numbers whether it is interrupted and resumed or not, and whatever happened before in it.
 *
 * A base seed of episodes is 52 random bits; E episodes play `base ... base + E - 1`. Two purposes, or two iterations,
 * share an episode seed with a probability of about 2E / 2^52 (2^-31 for a million episodes).
 */
import { Generator } from '../base/rng/generator.ts';
import { type Entropy, SeedSequence } from '../base/rng/seed-sequence.ts';

/** Numbers that go into the seeds: changing one changes every run. */
const purposes = {
  warmupParameters: 1,
  warmupEpisode: 2,
  evaluation: 3,
  recheck: 4,
  model: 5,
  population: 6,
  comparison: 7,
  refinement: 8,
} as const;
export type SeedPurpose = keyof typeof purposes;

/** Four whole 32-bit words, so that no two inputs give the same words. */
function entropy(seed: number, purpose: SeedPurpose, index: number): Entropy {
  return [seed % 2 ** 32, Math.floor(seed / 2 ** 32), purposes[purpose], index];
}

/**
 * A seed in [0, 2^52). `seed`: the run's, in [0, 2^53). `index`: the warm-up (from 0) or the iteration (from 1), 0 where
 * there is only one, below 2^32.
 */
export function deriveSeed(seed: number, purpose: SeedPurpose, index: number): number {
  const [low, high] = new SeedSequence(entropy(seed, purpose, index)).generateState32(2);
  return (high! >>> 12) * 2 ** 32 + low!;
}

/**
 * First of the held-out episode seeds, which are the same for all runs. Every other seed of a run is below 2^52 + 2^28, as
 * an evaluation has at most 2^28 episodes, so no search plays one of these.
 */
export const holdoutSeed = 2 ** 52 + 2 ** 32;

/** A generator of its own for draws outside of episodes. */
export function deriveGenerator(seed: number, purpose: SeedPurpose, index: number): Generator {
  return Generator.from(entropy(seed, purpose, index));
}
