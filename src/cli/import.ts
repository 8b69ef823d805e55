/** `r2po import`: logs of other programs as run folders. */
import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { knownName, R2poError, UsageError } from '../base/errors.ts';
import { jsonText } from '../base/json.ts';
import { faultWords } from '../base/machine-fault.ts';
import { OutputFile } from '../base/node/atomic-file.ts';
import { counted } from '../base/plain-number.ts';
import { findEnv } from '../envs/registry.ts';
import type { SkippedFile } from '../interop/common/import-log.ts';
import type { ImportedRun } from '../interop/reference/import.ts';
import type { ImportedTraining } from '../interop/sb3/import.ts';
import { findMethod } from '../methods/index.ts';
import { left, right, tableOf } from '../report/tables/table.ts';
import type { Io } from './io.ts';
import { addOutputOptions, countOption, refuseBeside } from './options.ts';

interface Options {
  readonly runsDir: string;
  readonly env?: string;
  readonly method?: string;
  readonly model: string;
  readonly window: number;
  readonly out?: string;
  readonly json?: boolean;
}

type FormatName = (typeof formats)[number];
const formats = ['r2po', 'sb3'] as const;

type Imported = ImportedRun | ImportedTraining;

/** The logs of one format in a folder. */
interface Source {
  readonly found: readonly { readonly name: string; readonly load: () => Promise<Imported> }[];
  /** files that are not logs of this format */
  readonly passedOver: readonly SkippedFile[];
}

interface Format {
  readonly title: string;
  /** required content of the folder */
  readonly expected: string;
  readonly open: (folder: string, options: Options) => Promise<Source>;
}

const sources: Readonly<Record<FormatName, Format>> = {
  r2po: {
    title: 'runs of the reference',
    expected: 'a folder with overall_log.txt or episode_<k>/, or with subfolders of that kind',
    open: async (folder, { env, method, model, runsDir }) => {
      const { findReferenceRuns: findRuns } = await import('../interop/reference/find.ts');
      const { importRun } = await import('../interop/reference/import.ts');
      const where = {
        runsDir,
        env: env === undefined ? null : findEnv(env).id,
        method: method === undefined ? null : findMethod(method).id,
        model,
      };
      const passedOver: SkippedFile[] = [];
      const found = findRuns(folder, (path, error) =>
        passedOver.push({ path, expected: 'a readable folder', found: faultWords(error) }),
      );
      const load = (run: (typeof found)[number]) => () => importRun(run, { ...where, ...now() });
      return { found: found.map((run) => ({ name: run.source, load: load(run) })), passedOver };
    },
  },
  sb3: {
    title: 'trainings with Stable-Baselines3',
    expected:
      'a folder with monitor.csv, <n>.monitor.csv, evaluations.npz, progress.csv, a TensorBoard file or overall_log.txt, ' +
      'or with subfolders of that kind',
    open: async (folder, { env, method, window, runsDir }) => {
      const { findTrainings } = await import('../interop/sb3/find.ts');
      const { importTraining } = await import('../interop/sb3/import.ts');
      const { methodOf } = await import('../interop/sb3/subject.ts');
      const where = {
        runsDir,
        env: env === undefined ? null : findEnv(env),
        method: method === undefined ? null : methodOf(method),
        window,
      };
      const { found, skipped } = findTrainings(folder);
      const load = (one: (typeof found)[number]) => () => importTraining(one, { ...where, ...now() });
      return { found: found.map((one) => ({ name: one.names.join('/'), load: load(one) })), passedOver: skipped };
    },
  },
};

const now = () => ({ argv: process.argv.slice(2), now: Date.now() });

export function define(command: Command, io: Io): void {
  command
    .description(
      'Imports logs of the Python reference (r2po) or results of Stable-Baselines3 (sb3: monitor files, evaluations, ' +
        'scalars, and logs of the baselines of the reference) as run folders: one run or a folder with many. Imported ' +
        'runs can be reported, analysed and exported, but not resumed or replayed. A model of Stable-Baselines3 ' +
        'becomes a policy file. Unreadable parts are reported.',
    )
    .argument('<format>', formats.join(', '), (text: string) => knownName('import', 'format', text, formats))
    .argument('<dir>', 'folder of one run, of an experiment, or of all logs; sb3: or a model (.zip)')
    .option('--runs-dir <dir>', 'folder for run folders', 'runs')
    .option('--env <id>', 'environment, if the folder name (cartpole_props/run_1) does not contain it')
    .option('--method <id>', 'method, or algorithm of sb3 (ppo), if the folder name does not contain it')
    .option('--model <name>', 'r2po: model that answered the prompts, if the log does not name it', 'unknown')
    .addOption(countOption('--window', 'sb3: training episodes per averaging window', 100_000).default(20));
  command.option('--out <file>', 'sb3: policy file to write for a model (default: the name of the model, .json)');
  addOutputOptions(command, io).action(async (format: FormatName, folder: string, options: Options, self: Command) => {
    if (isModel(format, folder)) {
      refuseBeside(self, 'a model', (flag) => ['--runs-dir', '--method', '--model', '--window'].includes(flag));
      return importModel(folder, options, io);
    }
    refuseBeside(self, `logs of ${format}`, (flag) => idle[format].includes(flag));
    return importLogs(format, folder, options, io);
  });
}

/** Options that have no effect on an import of logs. */
const idle: Readonly<Record<FormatName, readonly string[]>> = {
  r2po: ['--window', '--out'],
  sb3: ['--model', '--out'],
};

const isModel = (format: FormatName, path: string): boolean => format === 'sb3' && path.toLowerCase().endsWith('.zip');

/** Writes the policy of one model as a policy file. */
async function importModel(path: string, { env, out, json }: Options, io: Io): Promise<void> {
  const { readModel } = await import('../interop/sb3/model.ts');
  const policy = readModel(path, env === undefined ? null : findEnv(env));
  const target = out ?? `${basename(path).replace(/\.zip$/i, '')}.json`;
  if (existsSync(target))
    throw new UsageError('--out', `expected a new file, got "${target}", which exists; name another`);
  const file = await OutputFile.create('--out', target);
  await file.write(jsonText(policy.document));
  await file.finish();
  const { kind, params, options } = policy.document;
  const about = { kind, options: options ?? {}, params: params.length };
  if (json) io.printJson({ source: path, written: target, env: policy.env.id, policy: about, notes: policy.notes });
  else {
    io.print(`${target}: ${kind} policy of ${policy.env.id} with ${counted(params.length, 'parameter')}`);
    for (const note of policy.notes) io.note(note);
  }
}

async function importLogs(format: FormatName, folder: string, options: Options, io: Io): Promise<void> {
  const { title, expected, open } = sources[format];
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError('import', `expected ${expected}, got "${folder}", which is not a folder`);
  }
  const { found, passedOver } = await open(folder, options);
  if (found.length === 0) {
    const but = passedOver.map(({ path, found: what }) => `; skipped ${path}: ${what}`).join('');
    throw new UsageError('import', `no ${title} found in "${folder}"; expected ${expected}${but}`);
  }
  const runs: Imported[] = [];
  for (const [index, { name, load }] of found.entries()) {
    io.status(`importing ${index + 1} of ${found.length}: ${name}`);
    runs.push(await load());
  }
  io.status(null);
  const imported = runs.filter((run) => run.folder !== null);
  const count = (value: (run: Imported) => number): number => runs.reduce((n, run) => n + value(run), 0);
  const totals = {
    runs: imported.length,
    already_imported: runs.filter((run) => run.already).length,
    iterations: count((run) => run.iterations),
    files_read: count((run) => run.files_read),
    files_skipped: count((run) => run.files_skipped.length) + passedOver.length,
    lines_skipped: count((run) => run.lines_skipped.length),
  };
  if (options.json) io.printJson({ source: folder, ...totals, unreadable: passedOver, imports: runs });
  else {
    const columns = [
      left('log', ({ source }: Imported) => source),
      left('method', ({ method }: Imported) => method),
      right('iterations', ({ iterations }: Imported) => iterations),
      right('files', (run: Imported) => run.files_read),
      right('skipped', ({ files_skipped, lines_skipped }: Imported) =>
        [
          ...(files_skipped.length > 0 || lines_skipped.length === 0 ? [String(files_skipped.length)] : []),
          ...(lines_skipped.length > 0 ? [counted(lines_skipped.length, 'line')] : []),
        ].join(', '),
      ),
      left(
        'run folder',
        ({ folder, already }: Imported) => folder && `${folder}${already ? ' (already imported)' : ''}`,
      ),
    ];
    io.print(io.table(tableOf(runs, { columns })));
    for (const note of runs.flatMap((run) => run.notes.map((text) => `${run.source}: ${text}`))) io.note(note);
    for (const { path, expected: wanted, found: got } of [...passedOver, ...runs.flatMap((run) => run.files_skipped)]) {
      io.warn(`skipped ${path}: expected ${wanted}, got ${got}`);
    }
    for (const { path, expected: wanted, found: got } of runs.flatMap((run) => run.lines_skipped)) {
      io.warn(`${path}: 1 line skipped: expected ${wanted}, got ${got}`);
    }
  }
  if (imported.length === 0) {
    throw new R2poError(
      'import',
      `expected at least one usable log in "${folder}", got none of ${found.length}; see the skipped files above`,
    );
  }
}
