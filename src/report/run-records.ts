/** Runs for reports, read from the small files beside the journal. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { errorDetail, UsageError, unknownName } from '../base/errors.ts';
import { knownKeys } from '../config/schema.ts';
import { variantOf } from '../config/variants.ts';
import { archiveLayout } from '../interop/sb3/find.ts';
import { branchName, settingsOf } from '../runs/folder/identity.ts';
import { type Manifest, runIdentity } from '../runs/folder/manifest.ts';
import type { MetricsRow } from '../runs/folder/metrics.ts';
import { type FoundRuns, findRuns, RunCollection, readRun, StoredRun } from '../runs/folder/read-run.ts';
import { runNames } from '../runs/folder/run-names.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import { type ReadFiles, requireAgreement } from '../runs/verify/quick.ts';
import { originOf } from './answered-by.ts';
import { settingValue, unset, type WithSettings } from './settings.ts';

export interface ReportRun extends WithSettings {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly summary: RunSummary;
  readonly rows: readonly MetricsRow[];
  /** of its folder, with folders around it where another run of the report has the same; left out: not asked */
  readonly name?: string;
  /** name of the shipped variant of its method that the run is; left out: none, or not asked */
  readonly variant?: string;
}

/**
 * The runs in these run folders, or folders of run folders. Unreadable and duplicate runs are left out with a reason.
 * Throws a usage error for a path that does not exist.
 */
export function findReportRuns(paths: readonly string[]): FoundRuns<ReportRun> {
  const found = findRuns(paths, 'report');
  const collection = new RunCollection<ReportRun>(found.leftOut, 'the configuration, seed and model');
  for (const stored of found.runs) {
    try {
      const run = reportRun(stored);
      // Of a training that was imported more than once, the import with the most steps; windows differ in their length.
      const length = run.manifest.imported?.training ? run.summary.steps : run.rows.length;
      collection.add(run, `${runIdentity(run.manifest)} ${run.summary.model}`, length);
    } catch (error) {
      // A run that was stopped in its first moments has no files to read yet.
      const isNew = stored.manifest.status !== 'finished' && !existsSync(stored.path('summary.json'));
      if (isNew) collection.leave(stored.folder, errorDetail(error));
      else collection.leaveBroken(stored.folder, error);
    }
  }
  const names = runNames(collection.runs.map(({ folder }) => folder));
  return { runs: collection.runs.map((run, i) => ({ ...run, name: names[i]! })), leftOut: collection.leftOut };
}

/** Throws an `R2poError` with the file that is missing or damaged. */
export function readReportRun(folder: string): ReportRun {
  return reportRun(readRun(folder));
}

/** The small files of a run. Throws an `R2poError` for one that is damaged, and for a run whose files contradict each other. */
export function readAgreeing(stored: StoredRun): ReadFiles {
  const files = { summary: stored.summary(), rows: stored.metrics(), config: stored.writtenConfig() };
  requireAgreement(stored, files);
  return files;
}

function reportRun(stored: StoredRun): ReportRun {
  const { folder, manifest } = stored;
  const { summary, rows, config } = readAgreeing(stored);
  // A replay may repeat a run of the offline optimiser.
  const offline = summary.model_kind === 'replay' && originOf(stored.events().events) === 'offline';
  return {
    folder,
    manifest,
    summary: offline ? { ...summary, model_kind: 'offline' } : summary,
    rows,
    settings: settingsOf(config, manifest),
  };
}

/** Why a run has no number of its episodes or no times, as imported ones may; null: it has. */
export function uncounted({ manifest, rows }: ReportRun, what: 'episodes' | 'seconds'): string | null {
  const { imported } = manifest;
  const areOther = what === 'episodes' && imported?.layout === archiveLayout;
  if (!imported || (!areOther && rows.at(-1)?.[what] !== 0)) return null;
  return `its ${what === 'episodes' ? 'episodes' : 'times'} are not known`;
}

/** The runs, each with the name of the shipped variant of its method that it is. */
export async function withVariants(found: FoundRuns<ReportRun>): Promise<FoundRuns<ReportRun>> {
  const runs = found.runs.map(async (run) => {
    const variant = await variantOf(run.summary.env, run.summary.method, run.settings);
    return variant === null ? run : { ...run, variant };
  });
  return { ...found, runs: await Promise.all(runs) };
}

/** What tables call a run. */
export const nameOf = ({ name, folder }: Pick<ReportRun, 'name' | 'folder'>): string => name ?? basename(folder);

/** The facts of a run that are grouping keys. */
const facts: Readonly<Record<string, (run: ReportRun) => string>> = {
  env: ({ summary }) => summary.env,
  method: ({ variant, summary }) => variant ?? summary.method,
  model: ({ summary }) => summary.model,
  seed: ({ summary }) => String(summary.seed),
  run: nameOf,
  branch: ({ manifest }) => (manifest.branch ? branchName(manifest.branch) : '(none)'),
};

/** The value of a grouping key: a fact, a setting, or another dotted key of the configuration. */
export function groupValue(run: ReportRun, key: string): string {
  if (Object.hasOwn(facts, key)) return facts[key]!(run);
  if (run.settings.has(key)) return settingValue(run, key);
  return configValue(new StoredRun(run.folder, run.manifest).writtenConfig(), key);
}

/** Throws a usage error for a grouping key that no run can have: it would pool all of them. */
export function refuseUnknownKeys(runs: readonly ReportRun[], by: readonly string[]): void {
  const isKnown = (key: string): boolean =>
    Object.hasOwn(facts, key) || knownKeys.has(key) || runs.some((run) => groupValue(run, key) !== unset);
  const unknown = by.find((key) => !isKnown(key));
  if (unknown === undefined) return;
  const settings = new Set(runs.flatMap((run) => [...run.settings.keys()]));
  throw new UsageError('--by', unknownName('key', unknown, [...new Set([...Object.keys(facts), ...settings])]));
}

/** The value of a dotted key as a table shows it. */
export function configValue(config: unknown, key: string): string {
  let value = config;
  for (const part of key.split('.')) {
    const has = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    value = has ? (value as Record<string, unknown>)[part] : undefined;
  }
  return value === undefined ? unset : typeof value === 'object' ? JSON.stringify(value) : String(value);
}
