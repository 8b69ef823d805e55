/** Reads run folders, for reports, analyses, rankings and exports alike. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { aText, checkArgument, either, listOf } from '../../base/arguments.ts';
import { errorDetail, R2poError } from '../../base/errors.ts';
import { configName } from '../../config/recorded.ts';
import type { Config } from '../../config/schema.ts';
import { type EventLog, readEvents, type WholeEvent, walkEvents } from '../journal/journal.ts';
import { type RunTotals, totalsOf } from '../journal/totals.ts';
import { parseRunFile, readRunYaml } from './files.ts';
import { findRunFolders, type LeftOut } from './find-runs.ts';
import { readRunConfig, requireRun } from './folder.ts';
import type { Manifest } from './manifest.ts';
import { type MetricsRow, readMetrics } from './metrics.ts';
import { type RunSummary, runSummarySchema } from './summary.ts';

/**
 * A run in its folder. Files are read at each call: summary and metrics are small, so that a thousand runs
 * are read in seconds; the journal has everything. Methods throw an `R2poError` that names the file.
 */
export class StoredRun {
  readonly folder: string;
  readonly manifest: Manifest;

  constructor(folder: string, manifest: Manifest) {
    this.folder = folder;
    this.manifest = manifest;
  }

  /** path of a file of the run */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** `summary.json` */
  summary(): RunSummary {
    const path = this.path('summary.json');
    const parsed = runSummarySchema.safeParse(parseRunFile(path, 'JSON', JSON.parse));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new R2poError(
      'run folder',
      `"${path}" is not the summary of a run: "${issue?.path.join('.')}" ${issue?.message}`,
    );
  }

  /** rows of `metrics.csv`, one per iteration */
  metrics(): MetricsRow[] {
    return readMetrics(this.path('metrics.csv'));
  }

  /** checked and resolved, as the run resumes with it */
  config(): Promise<Config> {
    return readRunConfig(this.folder);
  }

  /** as it is written, unchecked, so that it may name an environment or method of another version */
  writtenConfig(): unknown {
    return readRunYaml(this.path(configName));
  }

  /** the journal, with the texts of calls left as they are stored */
  events(): EventLog {
    return readEvents(this.folder);
  }

  /** the events with the texts of the calls, one after the other */
  wholeEvents(): Generator<WholeEvent> {
    return walkEvents(this.folder);
  }

  /** counts, best policy and iterations, from the journal */
  totals(): RunTotals {
    return totalsOf(this.events().events);
  }
}

/** Throws a usage error when the folder is not a run, or its manifest is damaged. */
export function readRun(folder: string): StoredRun {
  checkArgument('readRun', 'folder', folder, aText);
  return new StoredRun(folder, requireRun(folder));
}

/** Files of each run that is saved for the first time. */
const savedFiles = ['summary.json', 'metrics.csv'];

/** Runs that were read, each once, and what was left out. */
export interface FoundRuns<T> {
  readonly runs: readonly T[];
  readonly leftOut: readonly LeftOut[];
}

/** Collects runs; of those with the same identity only the longest is kept. */
export class RunCollection<T extends { readonly folder: string }> {
  readonly leftOut: LeftOut[];
  readonly #kept = new Map<string, { readonly run: T; readonly length: number }>();
  readonly #same: string;

  /** `same`: what runs of one identity share, for messages */
  constructor(leftOut: readonly LeftOut[], same: string) {
    this.leftOut = [...leftOut];
    this.#same = same;
  }

  get runs(): T[] {
    return [...this.#kept.values()].map(({ run }) => run);
  }

  add(run: T, identity: string, length: number): void {
    const added = { run, length };
    const twin = this.#kept.get(identity);
    const [longer, shorter] = twin && twin.length >= length ? [twin, added] : [added, twin];
    this.#kept.set(identity, longer);
    if (shorter) this.leave(shorter.run.folder, `has ${this.#same} of "${longer.run.folder}"`);
  }

  leave(path: string, reason: string): void {
    this.leftOut.push({ path, reason });
  }

  /** A run that should have been read. */
  leaveBroken(path: string, error: unknown): void {
    this.leftOut.push({ path, reason: errorDetail(error), broken: true });
  }
}

/**
 * The runs in these paths, which are run folders or folders of runs. A damaged run is left out with its reason. Throws a
 * usage error of `unit` for a path that does not exist.
 */
export function findRuns(paths: readonly string[], unit: string): FoundRuns<StoredRun> {
  const found = findRunFolders(paths, unit);
  const leftOut = [...found.leftOut];
  const runs = found.folders.flatMap((folder) => {
    try {
      return [readRun(folder)];
    } catch (error) {
      leftOut.push({ path: folder, reason: errorDetail(error), broken: true });
      return [];
    }
  });
  return { runs, leftOut };
}

/**
 * As `findRuns`, for programs. A run that has no summary or metrics yet is left out; "readRun" reads its manifest and its
 * record.
 */
export function readRuns(paths: string | readonly string[]): FoundRuns<StoredRun> {
  checkArgument('readRuns', 'paths', paths, either(aText, listOf(aText)));
  const found = findRuns(typeof paths === 'string' ? [paths] : paths, 'readRuns');
  const runs: StoredRun[] = [];
  const leftOut = [...found.leftOut];
  for (const run of found.runs) {
    const missing = savedFiles.find((name) => !existsSync(run.path(name)));
    const reason = `expected ${missing}, found none; the run is starting, or ended before it was saved`;
    if (missing === undefined) runs.push(run);
    else leftOut.push({ path: run.folder, reason });
  }
  return { runs, leftOut };
}
