/** The recorded iterations of a run, for analyses. */

import type { Summary } from '../../evaluation/summary.ts';
import type { Method } from '../../methods/method.ts';
import type { RunEvent } from '../../runs/journal/events.ts';
import type { PairedTest } from '../../stats/intervals.ts';

/** A candidate that was played. */
export interface PlayedCandidate {
  readonly params: readonly number[];
  readonly summary: Summary;
}

/** The two candidates of an iteration by their order, whatever their labels are. */
export type PairRole = 'proposal' | 'revision';

/** One iteration that was decided; an incomplete last iteration is excluded. */
export interface DecidedIteration {
  readonly iteration: number;
  readonly kept: PairRole | null;
  readonly proposal: PlayedCandidate | null;
  /** the second candidate, from a critic or from a second search */
  readonly revision: PlayedCandidate | null;
  /** revision against proposal on their common seeds, where the run asked for it */
  readonly paired: PairedTest | null;
  readonly critic: {
    /** answered calls, including repair turns; 0: the critic was not called */
    readonly calls: number;
    /** the reply with the revision; null if it is not recorded or not usable */
    readonly reply: string | null;
  };
}

interface Draft {
  proposal: PlayedCandidate | null;
  revision: PlayedCandidate | null;
  paired: PairedTest | null;
  calls: number;
  reply: string | null;
}

const emptyDraft = (): Draft => ({ proposal: null, revision: null, paired: null, calls: 0, reply: null });

/** The decided iterations, in the order of the record; `candidates`: labels of the first and of the second of each. */
export function decidedIterations(
  events: readonly RunEvent[],
  [first, second]: Method['candidates'],
): DecidedIteration[] {
  const roleOf = (label: string | null): PairRole | null =>
    label === first ? 'proposal' : label !== null && label === second ? 'revision' : null;
  const drafts = new Map<number, Draft>();
  const draftOf = (iteration: number): Draft => {
    const draft = drafts.get(iteration) ?? emptyDraft();
    drafts.set(iteration, draft);
    return draft;
  };
  const decided: DecidedIteration[] = [];
  for (const event of events) {
    if (event.type === 'llm_call' && event.purpose === 'critic') {
      const draft = draftOf(event.iteration);
      draft.calls += 1;
      draft.reply = event.reply.text;
    } else if (event.type === 'parse_failed' && event.purpose === 'critic') {
      draftOf(event.iteration).reply = null;
    } else if (event.type === 'evaluated') {
      const draft = draftOf(event.iteration);
      const role = roleOf(event.candidate);
      if (role !== null) draft[role] = { params: event.params, summary: event.summary };
      if (role === 'revision') draft.paired = event.paired;
    } else if (event.type === 'iteration') {
      const { proposal, revision, paired, calls, reply } = draftOf(event.iteration);
      const { iteration, kept } = event;
      decided.push({ iteration, kept: roleOf(kept), proposal, revision, paired, critic: { calls, reply } });
      drafts.delete(iteration);
    }
  }
  return decided;
}

/** A proposal and its revision that can be compared. */
export interface Pair {
  readonly iteration: number;
  readonly kept: PairRole | null;
  readonly proposal: PlayedCandidate;
  readonly revision: PlayedCandidate;
  /** mean of the revision minus mean of the proposal */
  readonly delta: number;
  readonly paired: PairedTest | null;
  readonly reply: string | null;
}

/** Iterations with two candidates of the same size and finite means. */
export function pairsOf(iterations: readonly DecidedIteration[]): Pair[] {
  return iterations.flatMap(({ iteration, kept, proposal, revision, paired, critic }) => {
    if (proposal === null || revision === null || proposal.params.length !== revision.params.length) return [];
    const delta = revision.summary.mean - proposal.summary.mean;
    if (!Number.isFinite(delta)) return [];
    return [{ iteration, kept, proposal, revision, delta, paired, reply: critic.reply }];
  });
}

/** Whether the revision has the parameters of the proposal. */
export const isUnchanged = ({ proposal, revision }: Pair): boolean =>
  proposal.params.every((value, i) => value === revision.params[i]);

/** Returns of the proposal's episodes. */
export function proposalReturns({ proposal: { summary } }: Pair): { worst: number; median: number; best: number } {
  const { worst_episode, median_episode, best_episode } = summary;
  return { worst: worst_episode.return, median: median_episode.return, best: best_episode.return };
}

export type Direction = 'regression' | 'no_change' | 'improvement';

export const directions: readonly Direction[] = ['regression', 'no_change', 'improvement'];

/** A value for each direction. */
export function perDirection<T>(value: (direction: Direction) => T): Record<Direction, T> {
  return { regression: value('regression'), no_change: value('no_change'), improvement: value('improvement') };
}

export function directionOf(delta: number): Direction {
  if (delta === 0) return 'no_change';
  return delta < 0 ? 'regression' : 'improvement';
}
