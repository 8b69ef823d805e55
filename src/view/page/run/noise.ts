/** Whether the difference between the last two policies of an iteration can be noise of their evaluation. */
import { welchOf } from '../../../stats/intervals.ts';
import type { Iteration } from '../../api/run.ts';
import type { Ci95 } from '../common/format.ts';
import type { Candidate } from './run-data.ts';

/** `paired`: the recorded test on common seeds; `approximate`: Welch's test, as if the episodes were independent. */
export interface Noise {
  readonly basis: 'paired' | 'approximate' | 'identical';
  readonly difference: number;
  readonly ci95: Ci95;
  /** two-sided: how often equal policies differ by this much or more */
  readonly p: number;
}

/** A difference with a higher p may be noise. */
export const noiseLevel = 0.05;

function sampleOf({ mean, std, episodes }: Candidate) {
  return mean === null || std === null || episodes < 2 ? null : { mean, variance: std * std, n: episodes };
}

/** null: there is one policy only, or no test is possible. */
export function noiseOf({ candidates, paired }: Iteration): Noise | null {
  const [first, second] = candidates.slice(-2);
  if (first === undefined || second === undefined || first.mean === null || second.mean === null) return null;
  const difference = second.mean - first.mean;
  const isSame = first.params.length === second.params.length && first.params.every((v, i) => v === second.params[i]);
  if (isSame) return { basis: 'identical', difference, ci95: null, p: 1 };
  if (paired !== null && paired.difference !== null && paired.p !== null && paired.ci95 !== null) {
    return { basis: 'paired', difference: paired.difference, ci95: paired.ci95, p: paired.p };
  }
  const samples = [sampleOf(second), sampleOf(first)] as const;
  if (samples[0] === null || samples[1] === null) return null;
  const { p } = welchOf(samples[0], samples[1]);
  return Number.isFinite(p) ? { basis: 'approximate', difference, ci95: null, p } : null;
}
