/**
 * The part of the verification that costs hardly more than reading the small files of a run, for reports over thousands of
 * them: summary, metrics and the end of the record agree, and rewards are inside what the environment can give.
 */
import { type Stats, statSync } from 'node:fs';
import { quotedCommand } from '../../base/command-line.ts';
import { R2poError } from '../../base/errors.ts';
import { isModulePath } from '../../base/module-path.ts';
import { findEnv } from '../../envs/registry.ts';
import type { MetricsRow } from '../folder/metrics.ts';
import type { StoredRun } from '../folder/read-run.ts';
import type { RunSummary } from '../folder/summary.ts';
import { firstDifference } from '../journal/difference.ts';
import { eventsName } from '../journal/journal.ts';
import { type JournalEnd, readJournalEnd, wholeChain } from '../journal/journal-end.ts';
import { outOfRange } from './consistency.ts';

/** Whole records up to this size are checked: about as much as the other files of a run. */
const smallRecord = 256 * 1024;

/** A record that is newer than the summary by more was changed later, and not copied with it, ms. */
const copySlack = 10_000;

/** What a reader of a run has read already. */
export interface ReadFiles {
  readonly summary: RunSummary;
  readonly rows: readonly MetricsRow[];
  /** content of `config.yaml` as it is written */
  readonly config: unknown;
}

/** Throws an `R2poError` with the reason for a run whose files contradict each other. */
export function requireAgreement(run: StoredRun, files: ReadFiles): void {
  const problem = problemOf(run, files);
  if (problem === null) return;
  throw new R2poError('run folder', `${problem}; "${quotedCommand(['verify', run.folder])}" shows all that differs`);
}

function problemOf(run: StoredRun, files: ReadFiles): string | null {
  const { record } = files.summary;
  const found = statSync(run.path(eventsName), { throwIfNoEntry: false });
  const end = found?.isFile() ? readJournalEnd(run.folder) : null;
  if (end !== null) return journalProblem(run, files, end, found!) ?? metricsProblem(files) ?? rangeProblem(files);
  // Earlier versions state no record, and somebody may keep the tables of their runs alone.
  return record && record.events > 0 ? `expected ${eventsName} of ${record.events} events, found none` : null;
}

function journalProblem(run: StoredRun, { summary }: ReadFiles, end: JournalEnd, found: Stats): string | null {
  const { record, status } = summary;
  const isFinished = status === 'finished' || run.manifest.status === 'finished';
  if (isFinished && end.type !== 'run_finished') {
    return `the run is finished by its files, and ${eventsName} does not end in run_finished`;
  }
  if (end.chained && !record) return 'expected "record" in summary.json, which says what it was made from, found none';
  if (record && record.events > end.events) {
    return `summary.json was made from ${record.events} events, ${eventsName} holds ${end.events}`;
  }
  if (record && record.events === end.events && record.digest !== end.digest) {
    return `the last line of ${eventsName} has another digest than summary.json states`;
  }
  if (record && isFinished && record.events < end.events) {
    return `${eventsName} goes on behind the ${record.events} events that summary.json was made from`;
  }
  const isNewer =
    found.mtimeMs > copySlack + (statSync(run.path('summary.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const chain = end.chained && (isNewer || found.size <= smallRecord) ? wholeChain(run.folder) : null;
  return chain ?? recheckProblem(summary, end);
}

/** The re-check is the number that reports are about, and one of the last events. */
function recheckProblem({ best }: RunSummary, { last }: JournalEnd): string | null {
  const event = last.findLast((line) => line.type === 'rechecked');
  if (!event || !best) return null;
  const holdout = event.holdout as { readonly summary?: unknown } | undefined;
  const pairs = [
    ['rechecked', event.summary, best.rechecked],
    ...(holdout === undefined ? [] : [['holdout', holdout.summary, best.holdout] as const]),
  ] as const;
  for (const [name, recorded, written] of pairs) {
    const { episodes, mean, ci95 } = (recorded ?? {}) as Record<string, unknown>;
    const difference = firstDifference({ episodes, mean, ci95 }, written ?? {});
    if (difference === null) continue;
    return `summary.json: expected best.${name}.${difference.path} ${difference.expected}, as ${eventsName} has it, got ${difference.got}`;
  }
  return null;
}

function metricsProblem({ summary, rows }: ReadFiles): string | null {
  const isFinished = summary.status === 'finished';
  const last = rows.at(-1);
  // A process may have been killed between the writing of the two.
  if (!last || (!isFinished && rows.length !== summary.iterations)) return null;
  const kept = rows.flatMap(({ mean }) => (mean === null ? [] : [mean]));
  const expected = {
    iterations: rows.length,
    mean_reward: kept.length === 0 ? null : kept.reduce((sum, mean) => sum + mean, 0) / kept.length,
    best_reward: last.best,
    final_reward: kept.at(-1) ?? null,
    best: last.best,
    ...(isFinished && {
      episodes: last.episodes,
      tokens: last.tokens,
      ...(last.calls !== null && { calls: last.calls }),
    }),
  };
  const { iterations, mean_reward, best_reward, final_reward, best, episodes, llm } = summary;
  const tokens = llm.prompt_tokens + llm.completion_tokens;
  const counts = { episodes, tokens, ...(last.calls !== null && { calls: llm.calls }) };
  const said = {
    iterations,
    mean_reward,
    best_reward,
    final_reward,
    best: best?.mean ?? null,
    ...(isFinished && counts),
  };
  const difference = firstDifference(expected, said);
  return (
    difference &&
    `summary.json: expected ${difference.path} ${difference.expected}, as metrics.csv has it, got ${difference.got}`
  );
}

/** Of environments of this package, by name and options. */
const ranges = new Map<string, readonly [number, number] | null>();

function rangeOf(env: string, config: unknown): readonly [number, number] | null {
  const options = (config as { readonly env_options?: unknown } | null)?.env_options ?? {};
  const key = JSON.stringify([env, options]);
  const known = ranges.get(key);
  if (known !== undefined) return known;
  let range: readonly [number, number] | null = null;
  try {
    range = isModulePath(env) ? null : findEnv(env, options as Record<string, unknown>).returnRange;
  } catch (error) {
    // An environment of somebody's own, or options of another version.
    if (!(error instanceof R2poError)) throw error;
  }
  ranges.set(key, range);
  return range;
}

function rangeProblem({ summary, config }: ReadFiles): string | null {
  if (summary.imported) return null;
  const range = rangeOf(summary.env, config);
  if (range === null) return null;
  const { mean_reward, best_reward, final_reward, best } = summary;
  const again = {
    'best.rechecked.mean': best?.rechecked?.mean ?? null,
    'best.holdout.mean': best?.holdout?.mean ?? null,
  };
  const rewards = { best_reward, mean_reward, final_reward, ...again };
  for (const [name, value] of Object.entries(rewards)) {
    const problem = value === null ? null : outOfRange(name, value, range);
    if (problem !== null) return `summary.json: ${problem}`;
  }
  return null;
}
