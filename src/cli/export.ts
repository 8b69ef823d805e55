/** `r2po export`: runs as logs of the Python reference, as one table, or as their model calls. */
import { appendFileSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { errorCode, UsageError } from '../base/errors.ts';
import { cannotWriteFile } from '../base/machine-fault.ts';
import { isStdout, OutputFile, writeDraft } from '../base/node/atomic-file.ts';
import { makeFolder } from '../base/node/make-folder.ts';
import { prepareOutputFolder, refuseStdoutBesideJson } from '../base/node/output-folder.ts';
import type { TidyRow } from '../interop/tidy/rows.ts';
import { type Backend, backendChoices } from '../rollout/backend.ts';
import { findRunFolders } from '../runs/folder/find-runs.ts';
import { runNames } from '../runs/folder/run-names.ts';
import type { Io } from './io.ts';
import { brokenError, Survivors } from './left-out.ts';
import { addOutputOptions, trustEnvOption, trustMethodOption } from './options.ts';

interface Options {
  readonly format: (typeof formats)[number];
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const tableFormats = ['csv', 'parquet'] as const;
type TableFormat = (typeof tableFormats)[number];
const formats = ['reference', ...tableFormats, 'calls'] as const;

export function define(command: Command, io: Io): void {
  command
    .description(
      'Exports runs as one table (CSV or Parquet) with a row per iteration and candidate, or as logs that the scripts ' +
        'of the Python reference read. For the logs, the episodes of a run are replayed from their seeds. The format ' +
        '"calls" writes every model call as a line of JSON: seq, iteration, purpose, attempt, messages, reply, usage.',
    )
    .argument('<run...>', 'run folders, or folders of run folders')
    .addOption(new Option('--format <name>', 'output format').choices(formats).default('csv'))
    .requiredOption('--out <path>', 'output folder, created if missing; for the format "calls", a file')
    .addOption(trustEnvOption())
    .addOption(trustMethodOption())
    .option('--force', 'overwrite existing files');
  addOutputOptions(command, io).action(async (paths: string[], options: Options) => {
    const runs = runFolders(paths, io);
    const { format } = options;
    const survivors = new Survivors(io);
    const written =
      format === 'calls'
        ? await exportCalls(runs, options, survivors, io)
        : format === 'reference'
          ? await exportLogs(runs, options, survivors, io)
          : await exportTable(runs, format, options, survivors, io);
    const { leftOut } = survivors;
    if (options.json) io.printJson({ format, written, left_out: leftOut });
    else for (const path of written) io.print(path);
    const broken = brokenError('export', leftOut);
    if (broken) throw broken;
  });
}

/** A named path without runs is an error; one found inside of a folder is a warning. */
function runFolders(paths: readonly string[], io: Io): readonly string[] {
  const { folders, leftOut } = findRunFolders(paths, 'export');
  for (const { path, reason } of leftOut) {
    if (paths.includes(path)) {
      throw new UsageError(
        'export',
        `expected a run folder or a folder of run folders, got "${path}", which ${reason}`,
      );
    }
    io.warn(`left out: ${path}: ${reason}`);
  }
  return folders;
}

/** Paths of the regular files that were written: a pipe, or the file behind stdout, has the calls and nothing else. */
async function exportCalls(
  folders: readonly string[],
  { out, force, json }: Options,
  survivors: Survivors,
  io: Io,
): Promise<string[]> {
  const { walkEvents } = await import('../runs/journal/journal.ts');
  const { requireWholeJournal } = await import('../runs/folder/missing.ts');
  const { callLines } = await import('../interop/calls.ts');
  refuseStdoutBesideJson('--out', out, json);
  const found = statSync(out, { throwIfNoEntry: false });
  if (found?.isDirectory())
    throw new UsageError('--out', `expected a file, got the folder "${out}"; name a file in it`);
  const isFile = (found?.isFile() ?? true) && !isStdout(out);
  if (found && isFile && !force) {
    throw new UsageError('--out', `expected a new file, got "${out}", which exists; add --force to replace it`);
  }
  const whole: string[] = [];
  for (const folder of folders) {
    // A run whose journal is damaged further behind leaves no half of its calls in the file.
    if ((await survivors.attempt(folder, () => requireWholeJournal(folder))) !== null) whole.push(folder);
  }
  survivors.requireSome(whole.length);
  const file = await OutputFile.create('--out', out);
  try {
    const names = runNames(whole);
    for (const [i, folder] of whole.entries()) {
      const events = walkEvents(folder, (torn) => io.warn(torn));
      const name = folders.length === 1 ? null : names[i]!;
      for (const line of callLines(events, name)) await file.write(line);
    }
  } catch (error) {
    await file.discard();
    throw error;
  }
  await file.finish();
  return isFile ? [out] : [];
}

/** Writes rows into a draft file, which is renamed when complete. */
interface TableWriter {
  add(rows: readonly TidyRow[]): void;
  finish(): void;
}

const tables: Readonly<Record<TableFormat, { name: string; open: (draft: string) => Promise<TableWriter> }>> = {
  csv: {
    name: 'runs.csv',
    open: async (draft) => {
      const { csvHeader, csvRow } = await import('../interop/tidy/csv.ts');
      writeFileSync(draft, csvHeader(), { flag: 'wx' });
      return { add: (rows) => appendFileSync(draft, rows.map(csvRow).join('')), finish: () => {} };
    },
  },
  parquet: {
    name: 'runs.parquet',
    open: async (draft) => {
      const { TidyParquet } = await import('../interop/tidy/parquet.ts');
      return new TidyParquet(draft);
    },
  },
};

async function exportTable(
  runs: readonly string[],
  format: TableFormat,
  { out, force }: Options,
  survivors: Survivors,
  io: Io,
): Promise<string[]> {
  const { readRun } = await import('../runs/folder/read-run.ts');
  const { requireWholeJournal } = await import('../runs/folder/missing.ts');
  const { IterationOwners, iterationNames } = await import('../runs/branch/shared-iterations.ts');
  const { tidyRows } = await import('../interop/tidy/rows.ts');
  const { name, open } = tables[format];
  const path = join(out, name);
  if (existsSync(path) && !force) {
    throw new UsageError('--out', `expected a new file, got "${path}", which exists; add --force to replace it`);
  }
  try {
    makeFolder(out);
    await writeDraft(path, async (draft) => {
      const table = await open(draft);
      let read = 0;
      const owners = new IterationOwners();
      const names = runNames(runs);
      for (const [i, folder] of runs.entries()) {
        const rows = await survivors.attempt(folder, () => {
          const run = readRun(folder);
          const { events, torn } = requireWholeJournal(folder);
          if (torn !== null) io.warn(torn);
          const shared = owners.add(folder, iterationNames(events));
          if (shared !== null) {
            io.warn(`${folder}: its rows up to iteration ${shared.count} are those of ${shared.of}; count them once`);
          }
          return tidyRows(names[i]!, run.manifest, events);
        });
        if (rows === null) continue;
        read++;
        table.add(rows);
      }
      survivors.requireSome(read);
      table.finish();
    });
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    throw cannotWriteFile('--out', path, cause);
  }
  return [path];
}

async function exportLogs(
  folders: readonly string[],
  { out, force }: Options,
  survivors: Survivors,
  io: Io,
): Promise<string[]> {
  const { clearTarget, exportRun, exportTargets, foreignRuns, mixedExperiments, openExportableRun } = await import(
    '../interop/reference/export.ts'
  );
  const { openBackend } = await import('../rollout/node/open.ts');
  const { requireRun } = await import('../runs/folder/folder.ts');
  const runs = [];
  for (const folder of folders) {
    const manifest = await survivors.attempt(folder, () => requireRun(folder));
    if (manifest === null) continue;
    if (manifest.imported?.training && folders.length > 1) {
      survivors.leave(folder, 'an imported training has rewards only; export it with --format csv');
      continue;
    }
    const run = await survivors.attempt(folder, () => openExportableRun(folder));
    if (run === null) continue;
    if (run.events.some(({ type }) => type === 'iteration')) runs.push(run);
    else survivors.leave(folder, 'it has no iteration, and the logs of the reference have nothing else');
  }
  survivors.requireSome(runs.length);
  if (runs.length === 0)
    throw new UsageError('export', 'expected runs with iterations and policies, got none; use --format csv');
  for (const { folder, changed } of runs) if (changed !== null) io.warn(`${folder}: ${changed}`);
  for (const text of mixedExperiments(runs)) io.warn(`${text}; the scripts of the reference pool them`);
  const targets = exportTargets(runs, out);
  const others = foreignRuns(targets);
  if (others.length > 0) {
    io.warn(`runs of an earlier export are beside these: ${others.join(', ')}; the scripts of the reference pool them`);
  }
  for (const target of targets) {
    clearTarget(target, force === true);
    prepareOutputFolder('--out', target);
  }
  const backends = new Map<string, Backend>();
  const written: string[] = [];
  try {
    for (const [index, run] of runs.entries()) {
      io.status(`exporting ${index + 1} of ${runs.length}: ${run.folder}`);
      let backend: Backend | null = null;
      if (run.backend !== null) {
        const choice = backendChoices.find((name) => name === run.backend) ?? 'auto';
        backend = backends.get(choice) ?? (await openBackend(choice, { note: (text) => io.note(text) }));
        backends.set(choice, backend);
      }
      const target = targets[index]!;
      const done = await survivors.attempt(run.folder, () => exportRun(run, target, backend).then(() => target));
      if (done !== null) written.push(done);
    }
    survivors.requireSome(written.length);
  } finally {
    io.status(null);
    for (const backend of backends.values()) await backend.close();
  }
  return written;
}
