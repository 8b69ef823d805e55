/**
 * Whether the difference of a pair may be noise of the evaluation alone: both candidates are played on a few episodes,
 * and the mean of the second can be lower by chance.
 */

import type { Summary } from '../../evaluation/summary.ts';
import { welchOf } from '../../stats/intervals.ts';
import { directionOf, isUnchanged, type Pair } from './record.ts';

/**
 * Where a p comes from. `paired`: the recorded test of the common seeds. `approximate`: Welch's test from means, standard
 * deviations and numbers of episodes, as if the episodes were independent; they are played on common seeds, whose
 * differences mostly vary less, so it errs on the side of calling differences noise. `identical`: the parameters are the
 * same, so that any difference is noise.
 */
export type NoiseBasis = 'paired' | 'approximate' | 'identical';

export interface Noise {
  readonly basis: NoiseBasis;
  /** two-sided: how often equal policies differ by this much or more */
  readonly p: number;
}

/** A difference with a higher p may be noise; the level of `selection: paired`. */
const noiseLevel = 0.05;

const sampleOf = ({ mean, std, episodes }: Summary) =>
  std === null || episodes < 2 ? null : { mean, variance: std * std, n: episodes };

/** null for single episodes, which allow no test. */
export function noiseOf(pair: Pair): Noise | null {
  if (isUnchanged(pair)) return { basis: 'identical', p: 1 };
  // A test of a single pair of episodes has no interval and proves nothing.
  if (pair.paired !== null && pair.paired.ci95 !== null) return { basis: 'paired', p: pair.paired.p };
  const proposal = sampleOf(pair.proposal.summary);
  const revision = sampleOf(pair.revision.summary);
  if (proposal === null || revision === null) return null;
  return { basis: 'approximate', p: welchOf(revision, proposal).p };
}

/** Whether noise alone does not explain the change; null without a test. */
export function beyondNoise(pair: Pair): boolean | null {
  const noise = noiseOf(pair);
  return noise && noise.p <= noiseLevel;
}

export interface NoiseShare {
  readonly regressions: number;
  /** number of regressions with a test, by its basis */
  readonly judged: Readonly<Record<NoiseBasis, number>>;
  /** number of them with p > 0.05: noise alone can explain them */
  readonly within_noise: number;
  readonly share_within_noise: number | null;
  /**
   * Mean one-sided p over the tested regressions: under a flat prior, the expected share with the wrong sign. Lower than the
   * share within noise, which includes true but small changes.
   */
  readonly expected_wrong_sign: number | null;
}

/** The share of the regressions among these pairs that evaluation noise alone can explain. */
export function noiseShare(pairs: readonly Pair[]): NoiseShare {
  const regressions = pairs.filter(({ delta }) => directionOf(delta) === 'regression');
  const noises = regressions.map(noiseOf).filter((noise) => noise !== null);
  const judged = { paired: 0, approximate: 0, identical: 0 };
  for (const { basis } of noises) judged[basis] += 1;
  const within = noises.filter(({ p }) => p > noiseLevel).length;
  const share = (value: number): number | null => (noises.length === 0 ? null : value / noises.length);
  return {
    regressions: regressions.length,
    judged,
    within_noise: within,
    share_within_noise: share(within),
    expected_wrong_sign: share(noises.reduce((sum, { p }) => sum + p / 2, 0)),
  };
}
