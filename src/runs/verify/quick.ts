/**
 * The part of the verification that costs hardly more than reading the small files of a run, for reports over thousands of
 * them: manifest, configuration, summary, metrics, best policy and the end of the record agree, and rewards are inside what
 * the environment can give.
 */
import { existsSync, type Stats, statSync } from 'node:fs';
import { quotedCommand } from '../../base/command-line.ts';
import { R2poError } from '../../base/errors.ts';
import { isModulePath } from '../../base/module-path.ts';
import { isSection } from '../../config/layers.ts';
import { configName, manifestName } from '../../config/recorded.ts';
import type { Config } from '../../config/schema.ts';
import { findEnv } from '../../envs/registry.ts';
import { runHash } from '../folder/identity.ts';
import type { MetricsRow } from '../folder/metrics.ts';
import type { StoredRun } from '../folder/read-run.ts';
import type { RunSummary } from '../folder/summary.ts';
import { firstDifference } from '../journal/difference.ts';
import { eventsName } from '../journal/journal.ts';
import { type JournalEnd, readJournalEnd, wholeChain } from '../journal/journal-end.ts';
import { isOrderlyStop, type RunStatus } from '../journal/totals.ts';
import { outOfRange } from './consistency.ts';
import { readJsonFile } from './derived-files.ts';

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

/** `from`: what has the expected values, with its verb */
function summaryProblem(from: string, expected: unknown, got: unknown, path = ''): string | null {
  const found = firstDifference(expected, got, path);
  return found && `summary.json: expected ${found.path} ${found.expected}, as ${from}, got ${found.got}`;
}

function problemOf(run: StoredRun, files: ReadFiles): string | null {
  const { manifest } = run;
  const { summary, config } = files;
  const { record } = summary;
  const found = statSync(run.path(eventsName), { throwIfNoEntry: false });
  const end = found ? readJournalEnd(run.folder) : null;
  if (end === null) {
    // Earlier versions state no record, and somebody may keep the tables of their runs alone.
    return record && record.events > 0 ? `expected ${eventsName} of ${record.events} events, found none` : null;
  }
  return (
    identityProblem(manifest, summary) ??
    configProblem(manifest, config) ??
    journalProblem(run, files, end, found!) ??
    metricsProblem(files) ??
    bestProblem(run, summary) ??
    rangeProblem(files)
  );
}

/** What ran, by the manifest. */
function identityProblem(manifest: StoredRun['manifest'], summary: RunSummary): string | null {
  const { env, method, seed, status, backend, adapter, model, model_kind, models } = manifest;
  const isFinished = status === 'finished';
  // A process writes them one after the other: until the run is finished, the summary may be that of an earlier session.
  const hasEnded = isFinished || summary.status === 'finished';
  const isSameSession = backend !== null && (hasEnded || status === summary.status);
  const expected = {
    ...{ env, method, seed },
    ...(isFinished && { status }),
    ...(isSameSession && { backend, adapter, model, model_kind, ...(models && { models }) }),
  };
  const said = Object.fromEntries(Object.keys(expected).map((key) => [key, summary[key as keyof typeof expected]]));
  return summaryProblem(`${manifestName} has it`, expected, said);
}

/** A training has a hash of its own, and its settings are no configuration of a search. */
function configProblem({ config_hash: hash, branch, imported }: StoredRun['manifest'], config: unknown): string | null {
  if (imported?.training) return null;
  const found = isSection(config) ? runHash(config as unknown as Config, branch) : 'no keys';
  return found === hash
    ? null
    : `${configName}: expected the configuration ${hash}, as ${manifestName} has it, got ${found}: it was changed`;
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
  return chain ?? statusProblem(summary, end) ?? recheckProblem(summary, end);
}

/** Without a statement of its record, a summary may be older than the last event. */
function statusProblem({ status, record }: RunSummary, { events, last }: JournalEnd): string | null {
  if (record?.events !== events) return null;
  return summaryProblem(`${eventsName} has it`, { status: statusAfter(last.at(-1)!) }, { status });
}

function statusAfter({ type, exit_code }: JournalEnd['last'][number]): RunStatus {
  if (type === 'run_finished') return 'finished';
  if (type !== 'run_stopped') return 'running';
  return isOrderlyStop(Number(exit_code)) ? 'stopped' : 'failed';
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
    const problem = summaryProblem(`${eventsName} has it`, { episodes, mean, ci95 }, written ?? {}, `best.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}

/** The best policy, in its own file: a search that goes on may write one of the two first, and a training has no parameters. */
function bestProblem(run: StoredRun, { best, status }: RunSummary): string | null {
  const path = run.path('best.json');
  if (!best || status === 'running' || run.manifest.imported?.training || !existsSync(path)) return null;
  const written = readJsonFile(path);
  const params = isSection(written) ? written.params : undefined;
  return summaryProblem('best.json has it', params, best.params, 'best.params');
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
  return summaryProblem('metrics.csv has it', expected, said);
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
