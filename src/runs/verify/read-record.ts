/** Reads the record of a run once, and collects what the checks need. */
import { R2poError } from '../../base/errors.ts';
import { type PickedEpisode, pickOf } from '../../evaluation/summary.ts';
import type { EpisodePick } from '../../rollout/statistics.ts';
import type { EventOf } from '../journal/events.ts';
import { RecordWalk } from '../journal/journal.ts';
import { type RecordEnd, RecordError } from '../journal/record.ts';
import { type KeptPolicy, RunTotals } from '../journal/totals.ts';
import type { ConsistencyCheck } from './consistency.ts';

/** A problem with an event; `seq` is null for the record as a whole. */
export interface EventProblem {
  readonly seq: number | null;
  /** type of the event, and what is wrong with it */
  readonly text: string;
}

/** An iteration that kept a policy. */
export interface KeptIteration {
  readonly iteration: number;
  readonly mean: number;
  /** the episode that its trajectory shows; null: it is not recorded */
  readonly shown: PickedEpisode | null;
}

export interface ReadRecord {
  readonly totals: RunTotals;
  readonly end: RecordEnd;
  readonly format: number;
  readonly torn: string | null;
  /** a line that is damaged or was changed, where the reading ended; null: none */
  readonly broken: EventProblem | null;
  /** the first event with numbers that cannot be */
  readonly inconsistent: EventProblem | null;
  /** digest of the line at which the summary says that the record ended; null: there is none */
  readonly markDigest: string | null;
  /** `seq` of each `iteration`, by its place */
  readonly iterationSeqs: readonly number[];
  readonly kept: readonly KeptIteration[];
  /** every policy that was the best one for a while, in order */
  readonly bests: readonly KeptPolicy[];
  /** how the best policy was evaluated; null: the record does not say */
  readonly bestEvaluation: EventOf<'evaluated'> | null;
  readonly recheck: EventOf<'rechecked'> | null;
  /** of the latest session; null: none has begun */
  readonly configHash: string | null;
  /** where the run goes on from another one, for the last time; null: it is no branch */
  readonly branched: { readonly event: EventOf<'branched'>; readonly digest: string | null } | null;
}

export interface ReadOptions {
  /** which episode the trajectories show */
  readonly representative: EpisodePick;
  readonly consistency: ConsistencyCheck;
  /** number of lines of the record when the summary was made; null: it does not say */
  readonly mark: number | null;
  /** called behind each line, with the totals up to there */
  readonly onLine: (totals: RunTotals, lines: number) => void;
}

/** The facts that follow from events one after the other. */
class Collector {
  readonly totals = new RunTotals();
  readonly iterationSeqs: number[] = [];
  readonly kept: KeptIteration[] = [];
  readonly bests: KeptPolicy[] = [];
  bestEvaluation: EventOf<'evaluated'> | null = null;
  recheck: EventOf<'rechecked'> | null = null;
  configHash: string | null = null;
  readonly #representative: EpisodePick;
  #evaluated = new Map<string, EventOf<'evaluated'>>();

  constructor(representative: EpisodePick) {
    this.#representative = representative;
  }

  add(event: Parameters<RunTotals['add']>[0]): void {
    this.totals.add(event);
    if (event.type === 'evaluated') this.#evaluated.set(event.candidate, event);
    else if (event.type === 'rechecked') this.recheck = event;
    else if (event.type === 'run_started') this.configHash = event.config_hash;
    else if (event.type === 'iteration') this.#iteration(event);
  }

  #iteration({ seq, iteration, kept, trial }: EventOf<'iteration'>): void {
    this.iterationSeqs.push(seq);
    const won = kept === null ? undefined : this.#evaluated.get(kept);
    if (trial) {
      const shown = won ? pickOf(won.summary, this.#representative) : null;
      this.kept.push({ iteration, mean: trial.mean, shown });
    }
    const { best } = this.totals;
    if (best && best !== this.bests.at(-1)) {
      this.bests.push(best);
      this.bestEvaluation = won ?? null;
    }
    this.#evaluated = new Map();
  }
}

/** Throws nothing for what is in the record. */
export function readRecord(folder: string, options: ReadOptions): ReadRecord {
  const { consistency, mark, onLine } = options;
  const walk = new RecordWalk(folder);
  const collected = new Collector(options.representative);
  let markDigest: string | null = null;
  let branched: ReadRecord['branched'] = null;
  /** of the line of the latest iteration, behind which a branch begins */
  let digest: string | null = null;
  let broken: EventProblem | null = null;
  let inconsistent: EventProblem | null = null;
  try {
    onLine(collected.totals, 0);
    for (const { event } of walk.lines()) {
      if (event?.type === 'branched') branched = { event, digest };
      if (event?.type === 'iteration') digest = walk.end.digest;
      if (event !== null) {
        collected.add(event);
        const problem = consistency.add(event);
        if (problem !== null) inconsistent ??= { seq: event.seq, text: `${event.type}: ${problem}` };
      }
      onLine(collected.totals, walk.count);
      if (walk.count === mark) markDigest = walk.end.digest;
    }
  } catch (error) {
    if (!(error instanceof R2poError)) throw error;
    broken = { seq: error instanceof RecordError ? error.line - 1 : null, text: error.detail };
  }
  return {
    ...collected,
    end: walk.end,
    format: walk.format,
    torn: walk.torn,
    broken,
    inconsistent,
    markDigest,
    branched,
  };
}
