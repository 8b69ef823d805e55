/**
 * Runs as a report reads them: from the files that each run keeps beside its record. They are small, so that a thousand
 * runs are read in seconds, and the record has everything that they hold.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { R2poError } from '../base/errors.ts';
import { findRunFolders, type LeftOut } from '../runs/folder/find-runs.ts';
import { type Manifest, manifestName, readManifest, runIdentity } from '../runs/folder/manifest.ts';
import { type RunSummary, runSummarySchema } from '../runs/folder/summary.ts';
import { readEvents } from '../runs/journal/journal.ts';
import { originOf } from './answered-by.ts';

/** A row of `metrics.csv`, as far as curves need it. */
export interface CurveRow {
  readonly iteration: number;
  /** of the search so far */
  readonly episodes: number;
  readonly tokens: number;
  /** answered calls of the model; null for a run that was written when they were not counted by iteration */
  readonly calls: number | null;
  /** of the kept policy; null when the iteration kept none */
  readonly mean: number | null;
  /** highest kept mean so far */
  readonly best: number | null;
}

export interface RunRecord {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly summary: RunSummary;
  readonly rows: readonly CurveRow[];
}

export interface FoundRuns {
  readonly runs: readonly RunRecord[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * The runs in these paths: run folders, or folders that hold some. What cannot be read is left out with its reason, and so
 * is a run that was found before. Throws a usage error for a path that does not exist.
 */
export function findRuns(paths: readonly string[]): FoundRuns {
  const found = findRunFolders(paths, 'report');
  const kept = new Map<string, RunRecord>();
  const leftOut = [...found.leftOut];
  for (const folder of found.folders) {
    try {
      const run = readRun(folder);
      const identity = `${runIdentity(run.manifest)} ${run.summary.model}`;
      const twin = kept.get(identity);
      // It would count twice: the longer one stays.
      const [longer, shorter] = twin && twin.rows.length >= run.rows.length ? [twin, run] : [run, twin];
      kept.set(identity, longer);
      if (shorter) {
        leftOut.push({
          path: shorter.folder,
          reason: `has the configuration, seed and model of "${longer.folder}"`,
        });
      }
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      leftOut.push({ path: folder, reason: error.message });
    }
  }
  return { runs: [...kept.values()], leftOut };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new R2poError('report', `expected the file "${path}": ${(cause as Error).message}`, { cause });
  }
}

/** Throws `R2poError` that names the file when something is missing or damaged. */
export function readRun(folder: string): RunRecord {
  const manifest = readManifest(folder);
  if (manifest === null) throw new R2poError('report', `expected the file "${join(folder, manifestName)}"`);
  const path = join(folder, 'summary.json');
  let value: unknown;
  try {
    value = JSON.parse(readText(path));
  } catch (cause) {
    if (cause instanceof R2poError) throw cause;
    throw new R2poError('report', `expected JSON in "${path}": ${(cause as Error).message}`, { cause });
  }
  const parsed = runSummarySchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new R2poError('report', `"${path}" is no summary of a run: "${issue.path.join('.')}" ${issue.message}`);
  }
  const { data } = parsed;
  // The replies of a replay may be the optimiser's.
  const summary =
    data.model_kind === 'replay' && originOf(readEvents(folder).events) === 'offline'
      ? { ...data, model_kind: 'offline' as const }
      : data;
  return { folder, manifest, summary, rows: readRows(join(folder, 'metrics.csv')) };
}

/** Columns are found by their names, so that another version's may stand in another order. */
function readRows(path: string): CurveRow[] {
  const [header, ...lines] = readText(path).split('\n');
  const columns = header.split(',');
  const at = (name: string): number => {
    const column = columns.indexOf(name);
    if (column < 0) throw new R2poError('report', `expected a column "${name}" in "${path}", found ${header}`);
    return column;
  };
  const calls = columns.indexOf('llm_calls');
  const [iteration, episodes, mean, best, asked, answered] = [
    'iteration',
    'episodes',
    'mean',
    'best',
    'prompt_tokens',
    'completion_tokens',
  ].map(at);
  return lines
    .filter((line) => line !== '')
    .map((line, i) => {
      const cells = line.split(',');
      const number = (column: number): number => {
        const value = Number(cells[column]);
        if (cells[column] === undefined || cells[column] === '' || !Number.isFinite(value)) {
          const where = `${path}:${i + 2}`;
          throw new R2poError(
            'report',
            `expected a number under "${columns[column]}" in "${where}", got "${cells[column] ?? ''}"`,
          );
        }
        return value;
      };
      const optional = (column: number): number | null => (cells[column] === '' ? null : number(column));
      return {
        iteration: number(iteration),
        episodes: number(episodes),
        tokens: number(asked) + number(answered),
        calls: calls < 0 ? null : number(calls),
        mean: optional(mean),
        best: optional(best),
      };
    });
}

/** What a run may be grouped by: a fact of its summary, or a dotted key of its configuration. */
export function groupValue(run: RunRecord, key: string): string {
  const facts: Readonly<Record<string, string>> = {
    env: run.summary.env,
    method: run.summary.method,
    model: run.summary.model,
    seed: String(run.summary.seed),
    run: basename(run.folder),
  };
  if (Object.hasOwn(facts, key)) return facts[key];
  const path = join(run.folder, 'config.yaml');
  let config: unknown;
  try {
    config = parse(readText(path));
  } catch (cause) {
    if (cause instanceof R2poError) throw cause;
    const remedy = 'restore it, or leave the run out';
    throw new R2poError('report', `expected YAML in "${path}": ${(cause as Error).message}; ${remedy}`, { cause });
  }
  return configValue(config, key);
}

/** The value of a dotted key as a table shows it. */
export function configValue(config: unknown, key: string): string {
  let value = config;
  for (const part of key.split('.')) {
    const has = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    value = has ? (value as Record<string, unknown>)[part] : undefined;
  }
  return value === undefined ? '(default)' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
