/** `r2po import`: logs of other programs as run folders of ours. */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { R2poError, UsageError, unknownName } from '../base/errors.ts';
import { findEnv } from '../envs/index.ts';
import type { ImportedRun } from '../experiment/reference/import.ts';
import { findMethod } from '../methods/index.ts';
import { formatTable, type Io } from './io.ts';
import { addOutputOptions } from './options.ts';

interface Options {
  readonly runsDir: string;
  readonly env?: string;
  readonly method?: string;
  readonly model: string;
  readonly json?: boolean;
}

const formats = ['r2po'] as const;

export function define(command: Command, io: Io): void {
  command
    .description(
      'Reads logs of the Python reference (one run, or a folder with many) into run folders. They are marked as ' +
        'imported: they can be exported and read, not resumed or replayed. What cannot be read is accounted for.',
    )
    .argument('<format>', formats.join(', '), (text: string) => {
      if ((formats as readonly string[]).includes(text)) return text;
      throw new UsageError('import', unknownName('format', text, formats));
    })
    .argument('<dir>', 'folder of a run, of an experiment, or of all logs')
    .option('--runs-dir <dir>', 'where run folders are made', 'runs')
    .option('--env <id>', 'environment, where the name of the folder does not say it (cartpole_props/run_1)')
    .option('--method <id>', 'method, where the name of the folder does not say it')
    .option('--model <name>', 'what answered the prompts, where the log does not say it', 'unknown');
  addOutputOptions(command, io).action(async (_format: string, folder: string, options: Options) =>
    importLogs(folder, options, io),
  );
}

async function importLogs(folder: string, options: Options, io: Io): Promise<void> {
  const { findRuns } = await import('../experiment/reference/find.ts');
  const { importRun } = await import('../experiment/reference/import.ts');
  const env = options.env === undefined ? null : findEnv(options.env).id;
  const method = options.method === undefined ? null : findMethod(options.method).id;
  const expected = 'a folder with overall_log.txt or episode_<k>/ in it, or such folders below it';
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError('import', `expected ${expected}, got "${folder}", which is no folder`);
  }
  const unreadable: { path: string; expected: string; found: string }[] = [];
  const found = findRuns(folder, (path, error) =>
    unreadable.push({ path, expected: 'a readable folder', found: (error as Error).message }),
  );
  if (found.length === 0) {
    throw new UsageError('import', `no runs of the reference found in "${folder}"; expected ${expected}`);
  }
  const where = { runsDir: options.runsDir, env, method, model: options.model };
  const runs: ImportedRun[] = [];
  for (const [index, run] of found.entries()) {
    io.status(`importing ${index + 1} of ${found.length}: ${run.source}`);
    runs.push(await importRun(run, { ...where, argv: process.argv.slice(2), now: Date.now() }));
  }
  io.status(null);
  const imported = runs.filter((run) => run.folder !== null);
  const count = (value: (run: ImportedRun) => number): number => runs.reduce((n, run) => n + value(run), 0);
  const totals = {
    runs: imported.length,
    already_imported: runs.filter((run) => run.already).length,
    iterations: count((run) => run.iterations),
    files_read: count((run) => run.files_read),
    files_skipped: count((run) => run.files_skipped.length) + unreadable.length,
  };
  if (options.json) io.printJson({ source: folder, ...totals, unreadable, imports: runs });
  else {
    const columns = [
      { title: 'log' },
      { title: 'method' },
      { title: 'iterations', align: 'right' as const },
      { title: 'files', align: 'right' as const },
      { title: 'skipped', align: 'right' as const },
      { title: 'run folder' },
    ];
    const rows = runs.map((run) => [
      run.source,
      run.method,
      run.iterations,
      run.files_read,
      run.files_skipped.length,
      run.folder === null ? null : `${run.folder}${run.already ? ' (was there)' : ''}`,
    ]);
    io.print(formatTable(columns, rows, io.outColors));
    for (const note of runs.flatMap((run) => run.notes.map((text) => `${run.source}: ${text}`))) io.note(note);
    for (const { path, expected: wanted, found: got } of [...unreadable, ...runs.flatMap((run) => run.files_skipped)]) {
      io.warn(`skipped ${path}: expected ${wanted}, got ${got}`);
    }
  }
  if (imported.length === 0) {
    throw new R2poError(
      'import',
      `none of the ${found.length} logs in "${folder}" could be used; see what was skipped`,
    );
  }
}
