/** Commands with many runs: their options, the list of runs, executing them in this process, and their report. */

import { type Command, Option } from 'commander';
import { quotedCommand } from '../base/command-line.ts';
import { exitCodes, R2poError, UsageError } from '../base/errors.ts';
import { prepareOutputFolder } from '../base/node/output-folder.ts';
import { counted, significant } from '../base/plain-number.ts';
import { modelOf } from '../config/schema.ts';
import { methodId } from '../methods/index.ts';
import { duration } from '../report/progress.ts';
import type { ReportOptions } from '../report/report.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { BudgetError } from '../runs/session/budget.ts';
import type { Shard, SweepRequest, SweepRun } from '../sweep/expand.ts';
import type { RunResult, SweepResult, SweepState } from '../sweep/local.ts';
import { sweepLines, totalLine } from '../sweep/progress.ts';
import type { SweepTraining, TrainingsOptions } from '../sweep/trainings.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { brokenError } from './left-out.ts';
import {
  adapterOption,
  addOutputOptions,
  backendOption,
  countOption,
  jobsOf,
  jobsOption,
  resumeCommandOf,
  withoutBudget,
} from './options.ts';

/** Options of every command with many runs. */
export interface SweepCommandOptions {
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly model?: string;
  readonly runsDir: string;
  readonly jobs?: number;
  readonly shard?: Shard;
  readonly failFast?: boolean;
  readonly dryRun?: boolean;
  readonly maxCalls?: number;
  readonly maxTokens?: number;
  readonly out?: string;
  readonly json?: boolean;
}

function readShard(text: string): Shard {
  const [index, of] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).slice(1).map(Number);
  if (index !== undefined && of !== undefined && index >= 1 && index <= of) return { index, of };
  throw new UsageError('--shard', `expected i/n with i in 1 ... n, such as 2/8, got "${text}"`);
}

export function addSweepOptions(command: Command, io: Io): Command {
  command
    .addOption(backendOption())
    .addOption(adapterOption())
    .option('--model <name>', 'model that answers the prompts (see "r2po list models")')
    .option('--runs-dir <dir>', 'folder for run folders', 'runs')
    .addOption(jobsOption())
    .addOption(
      new Option('--shard <i/n>', 'run only every n-th run, starting at the i-th; for job arrays').argParser(readShard),
    )
    .option('--fail-fast', 'stop starting runs after the first failure')
    .option('--dry-run', 'print the estimated cost and exit')
    .addOption(countOption('--max-calls', 'stop each run after this many model calls; it can be resumed'))
    .addOption(countOption('--max-tokens', 'stop each run after this many tokens; it can be resumed'))
    .option('--out <dir>', 'write the report into this folder: tables, curves and a page');
  return addOutputOptions(command, io);
}

export function requestOf(
  request: Pick<SweepRequest, 'configs' | 'axes'>,
  { backend, model, maxCalls, maxTokens, shard }: SweepCommandOptions,
): SweepRequest {
  return { ...request, flags: { backend, model, maxCalls, maxTokens }, shard: shard ?? null };
}

/** Throws a usage error for the first invalid run. */
export async function runsOf(
  request: Pick<SweepRequest, 'configs' | 'axes'>,
  options: SweepCommandOptions,
): Promise<SweepRun[]> {
  const { expandSweep } = await import('../sweep/expand.ts');
  const runs: SweepRun[] = [];
  for await (const run of expandSweep(requestOf(request, options))) runs.push(run);
  return runs;
}

export interface SweepEnd {
  /** for `--json` */
  readonly document: Readonly<Record<string, unknown>>;
  readonly folders: readonly string[];
  /** to be thrown after printing; null when every run is finished */
  readonly failure: unknown;
}

/** Trainings beside the searches of a sweep, and the Python that trains. */
export interface ManyTrainings {
  readonly trainings: readonly SweepTraining[];
  readonly python: string | undefined;
}

/** Executes the unfinished runs, and prints the report of all runs unless `--json` is set. */
export async function runAll(
  runs: readonly SweepRun[],
  report: Partial<ReportOptions>,
  options: SweepCommandOptions,
  io: Io,
  { trainings, python }: ManyTrainings = { trainings: [], python: undefined },
): Promise<SweepEnd> {
  const { isFailure, sweepHere } = await import('../sweep/local.ts');
  if (options.out !== undefined) prepareOutputFolder('--out', options.out);
  const argv = process.argv.slice(2);
  return withInterrupts(io, 'the sweep', async (signal) => {
    const common = {
      runsDir: options.runsDir,
      jobs: jobsOf(options.jobs),
      failFast: options.failFast ?? false,
      adapter: options.adapter ?? null,
      argv,
      command: resumeCommandOf(argv),
      signal,
      note: (text: string) => io.note(text),
      onState: (state: SweepState) => showState(state, io),
    };
    // First, so that a Python that is missing is reported before anything is run.
    const path = trainings.length === 0 ? null : await pythonFor(trainings, python, signal, io);
    const begun = performance.now();
    const { results: searched, sharing } = await sweepHere({ runs, ...common });
    const isHalted = common.failFast && searched.some(isFailure);
    const trained = path === null ? [] : await trainAll({ trainings, python: path, isHalted, ...common });
    io.status(null);
    const results = [...searched, ...trained];
    const seconds = (performance.now() - begun) / 1000;
    const open = results.filter(({ outcome }) => outcome !== 'finished');
    const { broken, ...shown } = await showResult({ results, sharing, seconds }, report, options, io);
    if (signal.aborted) return { ...shown, failure: signal.reason };
    return { ...shown, failure: open.length === 0 ? broken : notFinished(open, results.length, againOf(argv, open)) };
  });
}

async function trainAll(options: TrainingsOptions): Promise<readonly RunResult<SweepTraining>[]> {
  const { runTrainings } = await import('../sweep/trainings.ts');
  return runTrainings(options);
}

async function pythonFor(trainings: readonly SweepTraining[], python: string | undefined, signal: AbortSignal, io: Io) {
  const { openPython } = await import('../baselines/python-environment.ts');
  const { usesMujoco } = await import('../baselines/settings.ts');
  const mujoco = trainings.some(({ config }) => usesMujoco(config));
  return openPython({ python, note: (text) => io.note(text), mujoco, signal });
}

/** The command without the budgets that stopped runs: they would stop them again. */
export function againOf(argv: readonly string[], open: readonly Pick<RunResult, 'error'>[]): string {
  const exhausted = new Map(
    open.flatMap(({ error }) => {
      const cause = error?.cause instanceof BudgetError ? error.cause : error;
      return cause instanceof BudgetError ? [[cause.exhausted.key, cause.exhausted] as const] : [];
    }),
  );
  return quotedCommand([...exhausted.values()].reduce(withoutBudget, argv));
}

export function notFinished(open: readonly Pick<RunResult, 'outcome'>[], all: number, command: string): R2poError {
  const outcomes = [...new Set(open.map(({ outcome }) => outcome))];
  const counts = outcomes.map((name) => `${open.filter(({ outcome }) => outcome === name).length} ${name}`).join(', ');
  return new R2poError(
    'sweep',
    `${open.length} of ${all} runs are not finished (${counts}); continue with: ${command}`,
    {
      exitCode: exitCodes.someRunsFailed,
    },
  );
}

export function showState(state: SweepState, io: Io): void {
  const { ended } = state;
  if (ended && ended.outcome !== 'finished') {
    io.warn(`${ended.folder ?? ended.run.id}: ${ended.outcome}${ended.error ? `: ${ended.error.detail}` : ''}`);
  }
  if (io.live) io.status(sweepLines(state));
  else if (ended?.outcome === 'finished') {
    const again = ended.summary?.best?.rechecked;
    io.note(`${ended.folder}: re-checked ${again ? significant(again.mean, 5) : '-'} | ${totalLine(state)}`);
  }
}

/** `sharing` is null for runs of workers, where it is not known. */
type WatchedResult = Omit<SweepResult, 'sharing' | 'results'> & {
  readonly sharing: SweepResult['sharing'] | null;
  readonly results: readonly RunResult<SweepRun | SweepTraining>[];
};

export async function showResult(
  { results, sharing, seconds }: WatchedResult,
  asked: Partial<ReportOptions>,
  options: SweepCommandOptions,
  io: Io,
): Promise<Omit<SweepEnd, 'failure'> & { readonly broken: R2poError | null }> {
  const { makeReport, reportDocument, defaultReport } = await import('../report/report.ts');
  const { findReportRuns, withVariants } = await import('../report/run-records.ts');
  const { printReport, saveReportIn, defaultAxes } = await import('./show-report.ts');
  const folders = results.flatMap(({ folder }) => (folder === null ? [] : [folder]));
  const found = folders.length === 0 ? null : await withVariants(findReportRuns(folders));
  // A sweep over models has a group for each of them.
  const chosen = { ...defaultReport, axes: defaultAxes(options.out), allowMixed: true, ...asked };
  const report = found && found.runs.length > 0 ? makeReport(found, chosen) : null;
  const played = results.filter(({ outcome, already }) => outcome === 'finished' && !already).length;
  if (played > 0 && sharing) {
    io.note(
      `${counted(played, 'run')} in ${duration(seconds)}; ${counted(sharing.requests, 'evaluation')} in ${counted(sharing.calls, 'call')}`,
    );
  }
  // Unfinished runs are listed with their reasons already.
  const finished = new Set(results.flatMap(({ folder, outcome }) => (outcome === 'finished' ? [folder] : [])));
  const unread = found?.leftOut.filter(({ path }) => finished.has(path)) ?? [];
  for (const { path, reason } of unread) io.warn(`left out: ${path}: ${reason}`);
  const files = report && options.out !== undefined ? await saveReportIn(options.out, report, io) : [];
  // After saving: the reader of a pipe may end after a few lines, and this process with it.
  if (report && !options.json) printReport(report, io);
  const document = {
    seconds,
    ...(sharing && { evaluations: sharing.requests, evaluation_calls: sharing.calls }),
    runs: results.map(({ run, folder, outcome, already, error }) => ({
      id: run.id,
      env: run.config.env,
      method: methodId(run.config.method),
      model: 'sb3' in run.config ? 'none' : modelOf(run.config),
      seed: run.config.seed,
      folder,
      outcome,
      already,
      ...(error && { error: error.detail, exit_code: error.exitCode }),
    })),
    report: report && reportDocument(report),
  };
  return { document, folders, broken: brokenError('sweep', [...unread, ...files]) };
}
