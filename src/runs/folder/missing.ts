/**
 * What the journal of a run does not hold although its other files say that it was done. Such a run must not be resumed:
 * the files would be written anew with less in them.
 */
import { R2poError, UsageError } from '../../base/errors.ts';
import { counted } from '../../base/plain-number.ts';
import { type EventLog, endsFinished, eventsName, JournalReader } from '../journal/journal.ts';
import type { RecordEnd } from '../journal/record.ts';
import { type RunTotals, totalsOf } from '../journal/totals.ts';
import type { Manifest } from './manifest.ts';
import type { MetricsRow } from './metrics.ts';
import { readRun, type StoredRun } from './read-run.ts';
import type { RunSummary } from './summary.ts';

/** What a journal holds. */
export interface Held extends Pick<RunTotals, 'status' | 'rows' | 'answered' | 'episodes' | 'steps'> {
  readonly end: RecordEnd;
  /** of the line at which the journal ended when the summary was made; null: there is no such line */
  readonly summaryDigest: string | null;
}

/** What the files beside the journal say; null: a file is missing or cannot be read. */
export interface Claims {
  readonly manifest: Pick<Manifest, 'status'>;
  readonly summary: Pick<RunSummary, 'status' | 'iterations' | 'llm' | 'episodes' | 'steps' | 'record'> | null;
  readonly metrics: readonly Pick<MetricsRow, 'calls' | 'episodes'>[] | null;
}

type Counts = Readonly<Record<'iterations' | 'model calls' | 'episodes' | 'steps', number>>;

function heldCounts({ rows, answered, episodes, steps }: Held): Counts {
  return { iterations: rows.length, 'model calls': answered.calls, episodes, steps };
}

function summaryCounts({ iterations, llm, episodes, steps }: NonNullable<Claims['summary']>): Counts {
  return { iterations, 'model calls': llm.calls, episodes, steps };
}

function metricsCounts(rows: NonNullable<Claims['metrics']>): Partial<Counts> {
  const last = rows.at(-1);
  return { iterations: rows.length, ...(last && { 'model calls': last.calls ?? 0, episodes: last.episodes }) };
}

/** `summary.json counts more than events.jsonl: 6 iterations (2), 12 model calls (5)`; empty where no count is higher. */
function higherCounts(file: string, counts: Partial<Counts>, held: Counts): string[] {
  const higher = (Object.keys(held) as (keyof Counts)[])
    .filter((key) => (counts[key] ?? 0) > held[key])
    .map((key) => `${counts[key]} ${key} (${held[key]})`);
  return higher.length === 0 ? [] : [`${file} counts more than ${eventsName}: ${higher.join(', ')}`];
}

function otherJournal(summary: Claims['summary'], { end, summaryDigest }: Held): string[] {
  const record = summary?.record;
  if (!record) return [];
  if (record.events > end.events) {
    return [`summary.json was made from ${counted(record.events, 'event')}, ${eventsName} holds ${end.events}`];
  }
  if (record.events === 0 || record.digest === summaryDigest) return [];
  return [`summary.json was made from another ${eventsName}: line ${record.events} has another digest`];
}

/** What a journal lacks of what the other files of its run say, in words; empty: nothing. */
export function missingFrom(held: Held, { manifest, summary, metrics }: Claims): string[] {
  const finished = [
    ...(manifest.status === 'finished' ? ['run.json'] : []),
    ...(summary?.status === 'finished' ? ['summary.json'] : []),
  ].join(' and ');
  const counts = heldCounts(held);
  return [
    ...(held.status !== 'finished' && finished !== ''
      ? [`the run is finished by ${finished}, and ${eventsName} does not end in run_finished`]
      : []),
    ...(summary ? higherCounts('summary.json', summaryCounts(summary), counts) : []),
    ...(metrics ? higherCounts('metrics.csv', metricsCounts(metrics), counts) : []),
    ...otherJournal(summary, held),
  ];
}

/** What `read` gives; null for a file that is missing or cannot be read, which states nothing. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof R2poError) return null;
    throw error;
  }
}

function claimsOf(run: StoredRun): Claims {
  return { manifest: run.manifest, summary: readable(() => run.summary()), metrics: readable(() => run.metrics()) };
}

/** A journal that was compared with the other files of its run. */
export interface ComparedJournal {
  /** reads on from where the comparison ended */
  readonly reader: JournalReader;
  readonly log: EventLog;
  /** what the journal lacks, in words; empty: nothing */
  readonly missing: readonly string[];
  /** model calls that the other files state and the journal lacks */
  readonly lostCalls: number;
  /** what helps where there is no copy of the journal */
  readonly remedy: string;
}

/**
 * Compares the journal of a run with its other files, and changes nothing. Throws a usage error when the folder is not a run
 * or the journal is damaged.
 */
export function compareJournal(folder: string): ComparedJournal {
  // First the other files: a process that writes this run meanwhile appends to the journal before it writes them.
  const run = readRun(folder);
  const claims = claimsOf(run);
  const reader = new JournalReader(folder, claims.summary?.record?.events);
  const log = reader.read();
  const { status, rows, answered, episodes, steps } = totalsOf(log.events);
  const held = { status, rows, answered, episodes, steps, end: log.end, summaryDigest: reader.markDigest };
  const stated = Math.max(claims.summary?.llm.calls ?? 0, claims.metrics?.at(-1)?.calls ?? 0);
  const lostCalls = Math.max(0, stated - answered.calls);
  const remedy = remedyOf(run.manifest, lostCalls);
  return { reader, log, missing: missingFrom(held, claims), lostCalls, remedy };
}

/** The usage error of a run whose journal lacks something. */
export function refusalOf(folder: string, { missing, remedy }: ComparedJournal): UsageError {
  return new UsageError(
    'run folder',
    `expected in "${folder}" a journal of everything that was done, got less: ${missing.join('; ')}; ` +
      `nothing was changed; restore ${eventsName} from a copy, or ${remedy}`,
  );
}

function remedyOf({ imported }: Manifest, lostCalls: number): string {
  // Snapshots that were evaluated are removed: a training cannot be continued from an earlier one.
  if (imported?.training?.resume !== undefined) return 'move the folder away and train again';
  if (imported) return 'move the folder away and import it again';
  const calls = lostCalls > 0 ? `, and makes ${counted(lostCalls, 'lost model call')} again` : '';
  return `use "r2po run ... --resume --repair", which keeps the old files, continues from the journal${calls}`;
}

/** The journal of a run. Throws a usage error when it lacks what the other files say; reads only. */
export function requireWholeJournal(folder: string): EventLog {
  const compared = compareJournal(folder);
  if (compared.missing.length > 0) throw refusalOf(folder, compared);
  return compared.log;
}

/** Whether a run is finished: its manifest says so, and its journal ends so. Reads only the end of the journal. */
export function isFinished({ folder, manifest }: { readonly folder: string; readonly manifest: Manifest }): boolean {
  return manifest.status === 'finished' && endsFinished(folder);
}
