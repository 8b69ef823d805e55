/** Runs written as logs of the Python reference, and such logs read. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { exportRun, exportTargets, openExportableRun } from '../../src/interop/reference/export.ts';
import { findReferenceRuns } from '../../src/interop/reference/find.ts';
import { type ImportedRun, importRun } from '../../src/interop/reference/import.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { temporaryFolder } from './experiment.ts';

/** What `--model` says is `ollama/test`. */
export async function importAll(root: string, runsDir = temporaryFolder()): Promise<ImportedRun[]> {
  const failures: string[] = [];
  const runs = findReferenceRuns(root, (folder) => failures.push(folder));
  expect(failures).toEqual([]);
  const done: ImportedRun[] = [];
  const options = { runsDir, env: null, method: null, model: 'ollama/test', argv: ['import'], now: 1_000_000 };
  for (const run of runs) done.push(await importRun(run, options));
  return done;
}

/** Exports one run; the tree of what was written, by path. */
export async function exported(folder: string): Promise<{ root: string; files: Record<string, string> }> {
  const root = temporaryFolder();
  const run = await openExportableRun(folder);
  const [target] = exportTargets([run], root);
  const backend = run.backend === null ? null : openCpuBackend({ threads: 1 });
  try {
    await exportRun(run, target!, backend);
  } finally {
    await backend?.close();
  }
  return { root, files: tree(root) };
}

export function tree(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile());
  return Object.fromEntries(files.sort().map((path) => [relative(root, path), readFileSync(path, 'utf8')]));
}
