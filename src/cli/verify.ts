/** `r2po verify`: checks runs against their records. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { AdapterError, DiffersError, UsageError } from '../base/errors.ts';
import { counted } from '../base/plain-number.ts';
import { checkTraining } from '../baselines/verify-training.ts';
import { left, tableOf } from '../report/tables/table.ts';
import { type Backend, type BackendChoice, backendIds } from '../rollout/backend.ts';
import { openBackend } from '../rollout/node/open.ts';
import { findRunFolders, type LeftOut } from '../runs/folder/find-runs.ts';
import { eventsName } from '../runs/journal/journal.ts';
import type { VerifyOptions, VerifyReport } from '../runs/verify/verify.ts';
import { verifyRun } from '../runs/verify/verify.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { brokenError } from './left-out.ts';
import { adapterOption, addOutputOptions, backendOption, trustEnvOption, trustMethodOption } from './options.ts';

interface Options {
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Checks runs against their records: whether every file is there, the digests of the record hold, summary, metrics ' +
        'and best policy follow from it, returns are inside what the environment can give, and the best policy gives its ' +
        'recorded results when it is played again: the same to the bit on the backend and adapter of the run, elsewhere ' +
        'within the tolerance of parity. Exit code 6 when something differs. What cannot be checked is said, and is no ' +
        'difference.',
    )
    .argument('<run...>', 'run folders, or folders of run folders')
    .addOption(backendOption())
    .addOption(adapterOption())
    .addOption(trustEnvOption())
    .addOption(trustMethodOption());
  addOutputOptions(command, io).action(async (paths: string[], options: Options) => verify(paths, options, io));
}

/** Run folders, those that have lost their manifest too. */
function foldersAt(paths: readonly string[]): { folders: readonly string[]; leftOut: readonly LeftOut[] } {
  const found = findRunFolders(paths, 'verify');
  const isRun = ({ path }: LeftOut) => existsSync(join(path, eventsName));
  const leftOut = found.leftOut.filter((one) => !isRun(one));
  const folders = [...found.folders, ...found.leftOut.filter(isRun).map(({ path }) => path)];
  if (folders.length === 0) {
    const why = leftOut.map(({ path, reason }) => `"${path}" ${reason}`).join('; ');
    throw new UsageError('verify', `expected a run folder or a folder of run folders, got none: ${why}`);
  }
  return { folders, leftOut };
}

/** Backends by the choice that opens them, for many runs. */
class OpenBackends {
  readonly #options: Options;
  readonly #io: Io;
  readonly #opened = new Map<BackendChoice, Backend>();

  constructor(options: Options, io: Io) {
    this.#options = options;
    this.#io = io;
  }

  /** The one that was asked for, else that of the run, else cpu. */
  readonly open: VerifyOptions['open'] = async (recorded) => {
    const { backend, adapter } = this.#options;
    const choice = backend ?? (adapter === undefined ? backendIds.find((id) => id === recorded) : 'auto') ?? 'cpu';
    try {
      return await this.#get(choice);
    } catch (error) {
      const isMissing = error instanceof AdapterError || error instanceof UsageError;
      if (backend !== undefined || adapter !== undefined || !isMissing) throw error;
      return await this.#get('cpu');
    }
  };

  async #get(choice: BackendChoice): Promise<Backend> {
    const known = this.#opened.get(choice);
    if (known) return known;
    const { adapter = null } = this.#options;
    const backend = await openBackend(choice, { adapter, note: (text) => this.#io.note(text) });
    this.#opened.set(choice, backend);
    return backend;
  }

  async close(): Promise<void> {
    for (const backend of this.#opened.values()) await backend.close();
  }
}

async function verify(paths: readonly string[], options: Options, io: Io): Promise<void> {
  const { folders, leftOut } = foldersAt(paths);
  for (const { path, reason } of leftOut) io.warn(`left out: ${path}: ${reason}`);
  const backends = new OpenBackends(options, io);
  const reports: VerifyReport[] = [];
  try {
    await withInterrupts(io, 'the verification', async (signal) => {
      for (const [i, folder] of folders.entries()) {
        io.status(folders.length === 1 ? null : `verifying ${i + 1} of ${folders.length}: ${folder}`);
        reports.push(await verifyRun(folder, { open: backends.open, signal, checkTraining }));
      }
    });
  } finally {
    io.status(null);
    await backends.close();
  }
  const different = reports.filter(({ difference }) => difference !== null);
  if (options.json) io.printJson(documentOf(reports, leftOut));
  else io.print(reports.length === 1 ? checksTable(reports[0]!, io) : runsTable(reports, io));
  if (different.length > 0) throw new DiffersError('verify', different.map(complaint).join('\n  '));
  const broken = brokenError('verify', leftOut);
  if (broken) throw broken;
}

function complaint({ folder, difference }: VerifyReport): string {
  const { check, detail, seq } = difference!;
  return `${folder}: ${check}${seq === null ? '' : ` at seq ${seq}`}: ${detail}`;
}

function documentOf(reports: readonly VerifyReport[], leftOut: readonly LeftOut[]) {
  return {
    ok: reports.every(({ difference }) => difference === null),
    runs: reports.map(({ folder, record, checks, difference }) => ({
      run: folder,
      ok: difference === null,
      format: record?.format ?? null,
      events: record?.events ?? 0,
      first_difference: difference && { check: difference.check, seq: difference.seq, detail: difference.detail },
      checks,
    })),
    left_out: leftOut,
  };
}

function checksTable({ folder, checks }: VerifyReport, io: Io): string {
  const rows = checks.map(({ check, result, detail }) => [check, mark(result, io), detail]);
  return io.table({ columns: [{ title: folder }, { title: '' }, { title: '' }], rows });
}

function mark(result: VerifyReport['checks'][number]['result'], io: Io): string {
  if (result === 'holds') return io.outColors.green(result);
  return result === 'differs' ? io.outColors.red(result) : result;
}

/** A run on each line. */
function runsTable(reports: readonly VerifyReport[], io: Io): string {
  const notChecked = ({ checks }: VerifyReport) =>
    checks.flatMap(({ check, result }) => (result === 'not checked' ? [check] : []));
  const table = tableOf(reports, {
    title: `${counted(reports.length, 'run')}`,
    columns: [
      left('run', ({ folder }) => folder),
      left('', ({ difference }) => mark(difference === null ? 'holds' : 'differs', io)),
      left('first difference', ({ difference }) =>
        difference === null
          ? ''
          : `${difference.check}${difference.seq === null ? '' : `, seq ${difference.seq}`}: ${difference.detail}`,
      ),
      left('not checked', (report) => notChecked(report).join(', ')),
    ],
  });
  return io.table(table);
}
