/**
 * Whether the difference of a pair may be noise of the evaluation alone: both candidates are played on a few episodes,
 * and the mean of the second can be lower by chance.
 */

import type { Summary } from '../../evaluation/summary.ts';
import { welchOf } from '../../stats/intervals.ts';
import { directionOf, type Pair } from './record.ts';

/**
 * Where a p comes from. `paired`: the recorded test of the common seeds. `approximate`: Welch's test from means, standard
 * deviations and numbers of episodes, as if the episodes were independent; they are played on common seeds, whose
 * differences mostly vary less, so it calls too much noise rather than too little. `identical`: the parameters are the
 * same, so that any difference is noise.
 */
export type NoiseBasis = 'paired' | 'approximate' | 'identical';

export interface Noise {
  readonly basis: NoiseBasis;
  /** two-sided: how often equal policies differ by this much or more */
  readonly p: number;
}

/** A difference with a higher p cannot be told from noise; the level of `selection: paired`. */
export const noiseLevel = 0.05;

const samePolicy = ({ proposal, revision }: Pair): boolean =>
  proposal.params.every((value, i) => value === revision.params[i]);

const sampleOf = ({ mean, std, episodes }: Summary) =>
  std === null || episodes < 2 ? null : { mean, variance: std * std, n: episodes };

/** null where single episodes leave nothing to judge by. */
export function noiseOf(pair: Pair): Noise | null {
  if (samePolicy(pair)) return { basis: 'identical', p: 1 };
  // A test of a single pair of episodes has no interval and proves nothing.
  if (pair.paired !== null && pair.paired.ci95 !== null) return { basis: 'paired', p: pair.paired.p };
  const proposal = sampleOf(pair.proposal.summary);
  const revision = sampleOf(pair.revision.summary);
  if (proposal === null || revision === null) return null;
  return { basis: 'approximate', p: welchOf(revision, proposal).p };
}

/** A change that noise alone does not explain; null where that cannot be judged. */
export function beyondNoise(pair: Pair): boolean | null {
  const noise = noiseOf(pair);
  return noise && noise.p <= noiseLevel;
}

export interface NoiseShare {
  readonly regressions: number;
  /** of them, those that can be judged, by what they are judged by */
  readonly judged: Readonly<Record<NoiseBasis, number>>;
  /** judged ones with p > 0.05: noise alone can explain them */
  readonly within_noise: number;
  readonly share_within_noise: number | null;
  /**
   * Mean over the judged ones of the one-sided p: the share whose sign is expected to be wrong when nothing is known
   * beforehand about the true differences. Lower than the share within noise, which also holds true but small changes.
   */
  readonly expected_wrong_sign: number | null;
}

/** How far evaluation noise alone explains the regressions among these pairs. */
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
