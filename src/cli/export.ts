/** `r2po export`: runs as logs of the Python reference, or as one table. */
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { R2poError, UsageError } from '../base/errors.ts';
import { type Backend, backendChoices } from '../rollout/backend.ts';
import type { Io } from './io.ts';
import { addOutputOptions } from './options.ts';

interface Options {
  readonly format: (typeof formats)[number];
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const formats = ['reference', 'csv'] as const;
const tableName = 'runs.csv';

export function define(command: Command, io: Io): void {
  command
    .description(
      'Writes runs as logs of the Python reference, which its own scripts read, or as one CSV with a row per iteration ' +
        'and candidate. For the logs, the episodes of a run are played again from their seeds.',
    )
    .argument('<runs...>', 'run folders')
    .addOption(new Option('--format <name>', 'what to write').choices(formats).default('csv'))
    .requiredOption('--out <dir>', 'folder to write into; made when missing')
    .option('--force', 'replace what is there');
  addOutputOptions(command, io).action(async (runs: string[], options: Options) => {
    const written =
      options.format === 'csv' ? await exportTable(runs, options, io) : await exportLogs(runs, options, io);
    if (options.json) io.printJson({ format: options.format, written });
    else for (const path of written) io.print(path);
  });
}

async function exportTable(runs: readonly string[], { out, force }: Options, io: Io): Promise<string[]> {
  const { requireRun } = await import('../experiment/folder.ts');
  const { readEvents } = await import('../experiment/journal.ts');
  const { csvHeader, csvRows } = await import('../report/run-csv.ts');
  const manifests = runs.map(requireRun);
  const path = join(out, tableName);
  if (existsSync(path) && !force) {
    throw new UsageError('--out', `expected a new file, got "${path}", which exists; add --force to replace it`);
  }
  const draft = `${path}.tmp`;
  try {
    mkdirSync(out, { recursive: true });
    writeFileSync(draft, csvHeader());
    for (const [index, run] of runs.entries()) {
      const { events, torn } = readEvents(run);
      if (torn !== null) io.warn(torn);
      appendFileSync(draft, csvRows(basename(resolve(run)), manifests[index], events));
    }
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    if (cause instanceof R2poError) throw cause;
    throw new UsageError('--out', `cannot write "${path}": ${(cause as Error).message}`, cause);
  }
  return [path];
}

async function exportLogs(folders: readonly string[], { out, force }: Options, io: Io): Promise<string[]> {
  const { clearTarget, exportRun, exportTargets, openExportableRun } = await import(
    '../experiment/reference/export.ts'
  );
  const { openBackend } = await import('../rollout/open.ts');
  const runs = [];
  for (const folder of folders) runs.push(await openExportableRun(folder));
  const targets = exportTargets(runs, out);
  for (const target of targets) clearTarget(target, force === true);
  const backends = new Map<string, Backend>();
  try {
    for (const [index, run] of runs.entries()) {
      io.status(`exporting ${index + 1} of ${runs.length}: ${run.folder}`);
      let backend: Backend | null = null;
      if (run.backend !== null) {
        const choice = backendChoices.find((name) => name === run.backend) ?? 'auto';
        backend = backends.get(choice) ?? (await openBackend(choice, (text) => io.note(text)));
        backends.set(choice, backend);
      }
      await exportRun(run, targets[index], backend);
    }
  } finally {
    io.status(null);
    for (const backend of backends.values()) await backend.close();
  }
  return [...targets];
}
