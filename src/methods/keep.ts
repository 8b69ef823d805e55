/** Decides which candidate of an iteration is kept. */
import { significant } from '../base/plain-number.ts';
import type { PairedTest } from '../stats/intervals.ts';
import type { CandidateLabel, Method } from './method.ts';

export interface Candidate {
  readonly label: CandidateLabel;
  readonly params: readonly number[];
  readonly mean: number;
  /** paired test against the previous candidate; null or omitted: the means decide */
  readonly paired?: PairedTest | null;
  /** candidates of which it is the best; left out: it was played alone */
  readonly among?: number;
}

/** Two means differ if the paired test's p value is at most this. */
const significance = 0.05;

/** The kept candidate and a one-sentence reason; null: none may be kept. */
export interface Decision {
  readonly kept: Candidate | null;
  readonly why: string;
}

function shown({ label, mean, among = 1 }: Candidate): string {
  return `the ${label} (mean ${significant(mean, 6)}${among === 1 ? '' : `, the best of ${among}`})`;
}

/**
 * Applies the keep rule to the evaluated candidates, in the order in which they were made. `best` takes the highest mean;
 * ties go to the later candidate: equal means, or of two candidates p > 0.05 in the paired test. A label takes the
 * candidate of that name. A mean that is not a finite number never wins, whatever the rule says.
 */
export function keepCandidate(rule: Method['keep'], candidates: readonly Candidate[]): Decision {
  const usable = candidates.filter((candidate) => Number.isFinite(candidate.mean));
  if (usable.length === 0) return { kept: null, why: 'no candidate has a finite mean' };
  if (usable.length === 1) {
    const [only] = usable;
    const others = candidates.length - 1;
    return { kept: only!, why: `${shown(only!)} is the only ${others === 0 ? 'candidate' : 'one with a finite mean'}` };
  }
  if (rule !== 'best') {
    const named = usable.find((candidate) => candidate.label === rule) ?? usable[usable.length - 1];
    return { kept: named!, why: `the method always keeps the ${named!.label}` };
  }
  const [former, latter] = usable;
  if (usable.length === 2 && latter!.paired && latter!.paired.p > significance) {
    const p = `p = ${significant(latter!.paired.p, 2)} on common seeds`;
    return {
      kept: latter!,
      why: `${shown(latter!)} and ${shown(former!)} cannot be told apart (${p}); the later one is kept`,
    };
  }
  const best = usable.reduce((a, b) => (b.mean >= a.mean ? b : a));
  const rest = usable.filter((candidate) => candidate !== best);
  const tied = rest.some((candidate) => candidate.mean === best.mean);
  const others = rest.map(shown).join(' and ');
  return {
    kept: best,
    why: `${shown(best)} ${tied ? 'ties with' : 'beats'} ${others}${tied ? '; a tie goes to the later one' : ''}`,
  };
}
