/** Many runs by one command: its options, the runs that it means, running them here, and their report. */
import { type Command, Option } from 'commander';
import { exitCodes, R2poError, UsageError } from '../base/errors.ts';
import { significant } from '../base/plain-number.ts';
import { duration } from '../report/progress.ts';
import type { ReportOptions } from '../report/report.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { maxSeed } from '../rollout/job-checks.ts';
import type { Shard, SweepRequest, SweepRun } from '../sweep/expand.ts';
import type { RunResult, SweepResult, SweepState } from '../sweep/local.ts';
import { sweepLines, totalLine } from '../sweep/progress.ts';
import { listenForInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { addOutputOptions, backendOption, countOption, jobsOf, jobsOption, quotedCommand } from './options.ts';

/** Of every command that makes many runs here. */
export interface SweepCommandOptions {
  readonly backend?: BackendChoice;
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
  if (of >= 1 && index >= 1 && index <= of) return { index, of };
  throw new UsageError('--shard', `expected i/n with i in 1 ... n, such as 2/8, got "${text}"`);
}

export function addSweepOptions(command: Command, io: Io): Command {
  command
    .addOption(backendOption())
    .option('--model <name>', 'what answers the prompts, see "r2po list models"')
    .option('--runs-dir <dir>', 'where run folders are made', 'runs')
    .addOption(jobsOption())
    .addOption(new Option('--shard <i/n>', 'only every n-th run from the i-th on, for job arrays').argParser(readShard))
    .option('--fail-fast', 'begin no other run after one that did not finish')
    .option('--dry-run', 'say what the runs would take, and do nothing')
    .addOption(countOption('--max-calls', 'stop each run, resumable, after this many model calls', maxSeed))
    .addOption(countOption('--max-tokens', 'stop each run, resumable, after this many tokens', maxSeed))
    .option('--out <dir>', 'write the report there: tables, curves and a page');
  return addOutputOptions(command, io);
}

export function requestOf(
  request: Pick<SweepRequest, 'configs' | 'axes'>,
  { backend, model, maxCalls, maxTokens, shard }: SweepCommandOptions,
): SweepRequest {
  return { ...request, flags: { backend, model, maxCalls, maxTokens }, shard: shard ?? null };
}

/** Throws a usage error for the first that is wrong. */
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
  /** to be thrown when all is printed; null when every run is finished */
  readonly failure: unknown;
}

/** Runs what is not finished, and prints the report of all, unless it is wanted as JSON. */
export async function runAll(
  runs: readonly SweepRun[],
  report: Partial<ReportOptions>,
  options: SweepCommandOptions,
  io: Io,
): Promise<SweepEnd> {
  const { sweepHere } = await import('../sweep/local.ts');
  const interruption = listenForInterrupts(io, 'the sweep');
  const argv = process.argv.slice(2);
  try {
    const result = await sweepHere({
      runs,
      runsDir: options.runsDir,
      jobs: jobsOf(options.jobs),
      failFast: options.failFast ?? false,
      argv,
      command: quotedCommand(argv),
      signal: interruption.signal,
      note: (text) => io.note(text),
      onState: (state) => showState(state, io),
    });
    io.status(null);
    const open = result.results.filter(({ outcome }) => outcome !== 'finished');
    const shown = await showResult(result, report, options, io);
    if (interruption.signal.aborted) return { ...shown, failure: interruption.signal.reason };
    return { ...shown, failure: open.length === 0 ? null : notFinished(open, runs.length, quotedCommand(argv)) };
  } finally {
    interruption.dispose();
  }
}

export function notFinished(open: readonly RunResult[], all: number, command: string): R2poError {
  const outcomes = [...new Set(open.map(({ outcome }) => outcome))];
  const counts = outcomes.map((name) => `${open.filter(({ outcome }) => outcome === name).length} ${name}`).join(', ');
  return new R2poError('sweep', `${open.length} of ${all} runs are not finished (${counts}); go on with: ${command}`, {
    exitCode: exitCodes.someRunsFailed,
  });
}

function showState(state: SweepState, io: Io): void {
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

/** Of runs in this process, or of those that workers did: what these shared is not known here. */
type WatchedResult = Omit<SweepResult, 'sharing'> & { readonly sharing: SweepResult['sharing'] | null };

export async function showResult(
  { results, sharing, seconds }: WatchedResult,
  asked: Partial<ReportOptions>,
  options: SweepCommandOptions,
  io: Io,
): Promise<Omit<SweepEnd, 'failure'>> {
  const { makeReport, reportDocument, usualReport } = await import('../report/report.ts');
  const { findReportRuns } = await import('../report/run-records.ts');
  const { printReport, saveReportIn, usualAxes } = await import('./show-report.ts');
  const folders = results.flatMap(({ folder }) => (folder === null ? [] : [folder]));
  const found = folders.length === 0 ? null : findReportRuns(folders);
  // Whoever sweeps over models has them apart in the table.
  const wanted = { ...usualReport, axes: usualAxes(options.out), allowMixed: true, ...asked };
  const report = found && found.runs.length > 0 ? makeReport(found, wanted) : null;
  const played = results.filter(({ outcome, already }) => outcome === 'finished' && !already).length;
  if (played > 0 && sharing) {
    io.note(`${played} runs in ${duration(seconds)}; ${sharing.requests} evaluations in ${sharing.calls} calls`);
  }
  if (report && !options.json) printReport(report, io);
  if (report && options.out !== undefined) await saveReportIn(options.out, report, io);
  const document = {
    seconds,
    ...(sharing && { evaluations: sharing.requests, evaluation_calls: sharing.calls }),
    runs: results.map(({ run, folder, outcome, already, error }) => ({
      id: run.id,
      env: run.config.env,
      method: run.config.method,
      model: run.config.model,
      seed: run.config.seed,
      folder,
      outcome,
      already,
      ...(error && { error: error.detail, exit_code: error.exitCode }),
    })),
    report: report && reportDocument(report),
  };
  return { document, folders };
}
