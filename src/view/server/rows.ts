/** Rows of the list of runs, from the small files of their folders. */
import { join } from 'node:path';
import { errorDetail } from '../../base/errors.ts';
import { configName } from '../../config/recorded.ts';
import { readAgreeing } from '../../report/run-records.ts';
import { readRunFile } from '../../runs/folder/files.ts';
import type { Manifest } from '../../runs/folder/manifest.ts';
import { readRun, type StoredRun } from '../../runs/folder/read-run.ts';
import type { RunSummary } from '../../runs/folder/summary.ts';
import { RecordFile } from '../../runs/journal/journal.ts';
import { readJournalEnd } from '../../runs/journal/journal-end.ts';
import { RunTotals } from '../../runs/journal/totals.ts';
import { meanInterval } from '../../stats/intervals.ts';
import type { RunRow } from '../api/index-of-runs.ts';
import { configFacts } from './config-facts.ts';
import { LockWatch } from './lock-watch.ts';
import { MetricsReading } from './metrics-reading.ts';
import { type FoundFolder, type ReadFile, type RunRoot, readFiles } from './run-root.ts';

/** Of a run that has none, or whose files contradict each other. */
const noOutcome = {
  iterations: 0,
  best: null,
  bestCi95: null,
  rechecked: null,
  episodes: 0,
  steps: 0,
  calls: 0,
  tokens: 0,
  costUsd: null,
  wallSeconds: 0,
} as const satisfies Partial<RunRow>;

const emptyRow = {
  ...noOutcome,
  problem: null,
  env: '',
  method: '',
  model: '',
  modelKind: '',
  seed: null,
  planned: null,
  started: null,
  updated: null,
  sparkline: [],
  branch: null,
} as const satisfies Partial<RunRow>;

const damagedRow = (id: string, problem: string, updated: string | null): RunRow => ({
  ...emptyRow,
  id,
  status: 'damaged',
  problem,
  updated,
  sparkline: [],
});

function bestInterval(
  best: RunSummary['best'],
  metrics: MetricsReading | null,
  episodes: number | null,
): [number, number] | null {
  const std = best && metrics ? metrics.deviation(best.iteration) : null;
  if (best === null || std === null || episodes === null || episodes < 2) return null;
  const [low, high] = meanInterval(best.mean, std / Math.sqrt(episodes), episodes);
  return [low, high];
}

/** Whether the record ends with a pause: whatever follows it, but a change of budget, ends it. */
function isPaused(folder: string): boolean {
  try {
    const last = readJournalEnd(folder)?.last.findLast(({ type, action }) => type !== 'control' || action !== 'budget');
    return last?.type === 'control' && last.action === 'pause';
  } catch {
    return false;
  }
}

function statusOf({ folder, manifest: { status } }: StoredRun, held: boolean): RunRow['status'] {
  if (held) return isPaused(folder) ? 'paused' : 'running';
  if (status === 'running') return 'unfinished';
  return status === 'finished' ? 'finished' : 'stopped';
}

/** `held`: whether a living process has the folder; `metricsOf`: reads its metrics. */
function rowOf(
  { id, folder }: FoundFolder,
  held: boolean,
  updated: string | null,
  metricsOf: (stored: StoredRun) => MetricsReading | null,
): RunRow {
  const stored = readRun(folder);
  const { manifest } = stored;
  const status = statusOf(stored, held);
  const of = (summary: RunSummary | null): RunRow => {
    const { planned, episodes } = configFacts(textOrEmpty(join(folder, configName)));
    const metrics = metricsOf(stored);
    const best = summary?.best ?? null;
    return {
      ...emptyRow,
      id,
      status,
      problem: problemOf(manifest, status),
      env: manifest.env,
      method: manifest.method,
      model: summary?.model ?? manifest.model,
      modelKind: summary?.model_kind ?? manifest.model_kind ?? '',
      seed: manifest.seed,
      iterations: summary?.iterations ?? 0,
      planned: manifest.iterations ?? planned,
      best: best?.mean ?? summary?.best_reward ?? null,
      bestCi95: bestInterval(best, metrics, episodes),
      rechecked: best?.rechecked ? { ...best.rechecked, ci95: best.rechecked.ci95 && [...best.rechecked.ci95] } : null,
      ...(summary && countsOf(summary)),
      started: manifest.created,
      updated,
      sparkline: metrics?.sparkline() ?? [],
      branch: manifest.branch ? { run: manifest.branch.run, iteration: manifest.branch.iteration } : null,
    };
  };
  try {
    return of(stored.summary());
  } catch (error) {
    // Before the end of its first iteration a run has none.
    if (status !== 'finished' && !hasFile(stored, 'summary.json')) return of(null);
    return { ...of(null), status: 'damaged', problem: errorDetail(error) };
  }
}

const countsOf = ({ episodes, steps, llm, wall_s }: RunSummary) => ({
  episodes,
  steps,
  calls: llm.calls,
  tokens: llm.prompt_tokens + llm.completion_tokens,
  costUsd: llm.cost_usd,
  wallSeconds: wall_s,
});

function problemOf({ stopped, imported }: Manifest, status: RunRow['status']): string | null {
  if (status === 'unfinished' && !imported)
    return 'its process is gone; "r2po run" with --resume goes on from its record';
  return status === 'stopped' ? (stopped?.reason ?? null) : null;
}

function textOrEmpty(path: string): string {
  try {
    return readRunFile(path);
  } catch {
    return '';
  }
}

function hasFile(stored: StoredRun, name: ReadFile): boolean {
  try {
    readRunFile(stored.path(name));
    return true;
  } catch {
    return false;
  }
}

/** What a run has done by its record. Throws a usage error for one that is damaged. */
function outcomeOfRecord(folder: string): Partial<RunRow> {
  const record = new RecordFile(folder);
  const totals = new RunTotals({ keepsRows: false });
  for (const event of record.walk((bytes, value) => record.lines.read(bytes, value))) if (event) totals.add(event);
  const { sessions, wallSeconds, latest, best, episodes, steps, answered, tokens } = totals;
  if (sessions === 0) return {};
  return {
    ...{ episodes, steps, tokens, wallSeconds },
    iterations: latest?.iteration ?? 0,
    best: best?.mean ?? null,
    calls: answered.calls,
  };
}

/** The row of a run that no process has, checked. */
function checkedRow(row: RunRow, folder: string): RunRow {
  try {
    const stored = readRun(folder);
    const hasNone = stored.manifest.status !== 'finished' && !hasFile(stored, 'summary.json');
    if (hasNone) return { ...row, ...outcomeOfRecord(folder) };
    readAgreeing(stored);
    return row;
  } catch (error) {
    return { ...row, ...noOutcome, status: 'damaged', problem: errorDetail(error) };
  }
}

interface KnownRow {
  readonly signature: string;
  readonly row: RunRow;
  /** whether its files have been compared with each other and with its record */
  readonly isChecked: boolean;
}

/** A process that has the folder writes one file after the other. */
const isWritten = ({ status }: RunRow): boolean => ['finished', 'stopped', 'unfinished'].includes(status);

/** Makes rows; one whose files have not changed is not made again. */
export class RowReader {
  readonly #root: RunRoot;
  readonly #locks: LockWatch;
  readonly #known = new Map<string, KnownRow>();
  /** of runs that go on, whose metrics grow */
  readonly #metrics = new Map<string, MetricsReading>();

  constructor(root: RunRoot, locks = new LockWatch()) {
    this.#root = root;
    this.#locks = locks;
  }

  read(found: FoundFolder): RunRow {
    const { id, folder } = found;
    const { stats, problem } = this.#root.filesOf(folder);
    const held = problem === null && stats.has('run.lock') && this.#isHeld(folder);
    const parts = readFiles.map((name) => {
      const file = stats.get(name);
      // The lock changes with every sign of life.
      return file && name !== 'run.lock' ? `${file.size} ${file.mtimeMs} ${file.ino}` : '';
    });
    const signature = [held, found.problem, problem, ...parts].join('|');
    const known = this.#known.get(folder);
    if (known?.signature === signature) return known.row;
    const times = [...stats].flatMap(([name, file]) => (name === 'run.lock' ? [] : [file.mtimeMs]));
    const updated = times.length === 0 ? null : new Date(Math.max(...times)).toISOString();
    const row = this.#row(found, problem, held, updated);
    this.#known.set(folder, { signature, row: known && isSame(known.row, row) ? known.row : row, isChecked: false });
    return this.#known.get(folder)!.row;

    function isSame(before: RunRow, now: RunRow): boolean {
      return before.id === id && JSON.stringify(before) === JSON.stringify(now);
    }
  }

  /**
   * The same of a run that is checked as reports do, which leave out one whose files contradict each other or its record: it
   * is damaged, also where `read` is asked from now on. One that has no summary yet gets the numbers of its record. That takes
   * as long as reading four rows, mostly for `config.yaml`.
   */
  readChecked(found: FoundFolder): RunRow {
    const row = this.read(found);
    const known = this.#known.get(found.folder)!;
    if (known.isChecked) return row;
    const checked = isWritten(row) ? checkedRow(row, found.folder) : row;
    this.#known.set(found.folder, { ...known, row: checked, isChecked: true });
    return checked;
  }

  #row(found: FoundFolder, link: string | null, held: boolean, updated: string | null): RunRow {
    const problem = found.problem ?? link;
    if (problem !== null) return damagedRow(found.id, problem, updated);
    try {
      return rowOf(found, held, updated, (stored) => this.#metricsOf(stored, held));
    } catch (error) {
      return damagedRow(found.id, errorDetail(error), updated);
    }
  }

  #metricsOf(stored: StoredRun, held: boolean): MetricsReading | null {
    const { folder } = stored;
    const metrics = (held ? this.#metrics.get(folder) : null) ?? new MetricsReading();
    if (held) this.#metrics.set(folder, metrics);
    else this.#metrics.delete(folder);
    try {
      metrics.update(stored.path('metrics.csv'));
      return metrics;
    } catch {
      return null;
    }
  }

  #isHeld(folder: string): boolean {
    try {
      return this.#locks.isHeld(folder);
    } catch {
      // A lock that cannot be read says nothing.
      return false;
    }
  }

  /** Forgets folders that are gone. */
  keepOnly(folders: ReadonlySet<string>): void {
    for (const known of [this.#known, this.#metrics]) {
      for (const folder of known.keys()) if (!folders.has(folder)) known.delete(folder);
    }
  }
}
