/** `r2po sweep`: many runs, on this machine or through a queue. */
import { type Command, Option } from 'commander';
import { exitCodes, R2poError, UsageError } from '../base/errors.ts';
import { significant } from '../base/plain-number.ts';
import { defaultGroupKeys } from '../report/groups.ts';
import { duration } from '../report/progress.ts';
import type { ReportOptions } from '../report/report.ts';
import { type ColumnOf, left, right, tableOf } from '../report/tables/table.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { maxSeed } from '../rollout/job-checks.ts';
import type { Shard, SweepRequest, SweepRun } from '../sweep/expand.ts';
import type { RunResult, SweepResult, SweepState } from '../sweep/local.ts';
import { sweepLines, totalLine } from '../sweep/progress.ts';
import { listenForInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { addOutputOptions, backendOption, countOption, jobsOf, jobsOption, quotedCommand } from './options.ts';
import { addQueueOption, shownArguments } from './queue-options.ts';
import { askQueue, enqueueRuns, type QueueOptions } from './sweep-queue.ts';

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

export function define(command: Command, io: Io): void {
  command
    .description(
      'Runs every combination of configurations and values, some at a time in one process, and ends with their report. ' +
        'What is finished is skipped and what was broken off goes on, so the same command can be given again at any time.',
    )
    .argument('[config...]', 'configurations, such as cartpole/r2po or "cartpole/*", and key=a,b,c or seed=0..9');
  addQueueOption(command)
    .option('--wait', 'with --queue: wait until workers have done the runs, and end with their report')
    .option('--status', 'how the runs of the queue stand, and no more')
    .option('--cancel', 'drop what waits in the queue and stop what is under way; the files stay');
  addSweepOptions(command, io).action(
    async (args: string[], options: SweepCommandOptions & QueueOptions, self: Command) => {
      const { queue, status, cancel, wait } = options;
      if (status || cancel) return askQueue(options, io);
      if (queue !== undefined && !options.dryRun) {
        const isPlaceGiven = self.getOptionValueSource('runsDir') === 'cli';
        return sweepThere(args, { ...options, isPlaceGiven }, io);
      }
      if (wait)
        throw new UsageError('--wait', 'expected --queue beside it, got none; a sweep without a queue always waits');
      return sweep(args, options, io);
    },
  );
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

async function sweep(args: readonly string[], options: SweepCommandOptions, io: Io): Promise<void> {
  const { splitArguments, variedKeys } = await import('../sweep/expand.ts');
  const request = splitArguments(args);
  const runs = await runsOf(request, options);
  const by = tableKeys(variedKeys(request.axes));
  if (options.dryRun) return showPlan(runs, by, options, io);
  const { document, failure } = await runAll(runs, { by }, options, io);
  if (options.json) io.printJson(document);
  if (failure) throw failure;
}

/** The runs go to workers; with `--wait` it ends as a sweep in this process does. */
async function sweepThere(
  args: readonly string[],
  options: SweepCommandOptions & QueueOptions & { readonly isPlaceGiven: boolean },
  io: Io,
): Promise<void> {
  const { queue, runsDir, isPlaceGiven, wait = false } = options;
  for (const [given, option] of [
    [options.jobs, '--jobs'],
    [options.failFast, '--fail-fast'],
  ] as const) {
    if (given === undefined) continue;
    throw new UsageError(option, 'expected it without --queue, got both; each worker has its own: r2po worker -j N');
  }
  const { expandSweep, splitArguments, variedKeys } = await import('../sweep/expand.ts');
  const request = splitArguments(args);
  const runs = expandSweep(requestOf(request, options));
  const { document, waited } = await enqueueRuns(runs, { queue, runsDir, isPlaceGiven, wait }, io);
  if (waited === null) {
    if (options.json) io.printJson(document);
    return;
  }
  const { indexRuns } = await import('../runs/folder/folder.ts');
  const known = indexRuns(runsDir);
  const results = waited.runs.map((run, i): RunResult => {
    const end = waited.ends[i];
    const outcome = end.state === 'completed' ? 'finished' : end.state === 'failed' ? 'failed' : 'waiting';
    const error = end.state === 'failed' ? new R2poError('queue', end.reason) : null;
    return { run, folder: known.get(run.id)?.folder ?? null, outcome, already: false, summary: null, error };
  });
  for (const { run, folder, error } of results) if (error) io.warn(`${folder ?? run.id}: ${error.detail}`);
  const by = tableKeys(variedKeys(request.axes));
  const result = { results, sharing: null, seconds: waited.seconds };
  const shown = await showResult(result, { by }, options, io);
  if (options.json) io.printJson({ ...document, ...shown.document });
  const open = results.filter(({ outcome }) => outcome !== 'finished');
  if (open.length > 0) throw notFinished(open, results.length, quotedCommand(shownArguments()));
}

/** Keys that the table of a sweep tells apart. */
function tableKeys(varied: readonly string[]): string[] {
  return [...new Set([...defaultGroupKeys, ...varied])];
}

function requestOf(
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

function notFinished(open: readonly RunResult[], all: number, command: string): R2poError {
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

async function showResult(
  { results, sharing, seconds }: WatchedResult,
  asked: Partial<ReportOptions>,
  options: SweepCommandOptions,
  io: Io,
): Promise<Omit<SweepEnd, 'failure'>> {
  const { makeReport, reportDocument, usualReport } = await import('../report/report.ts');
  const { findReportRuns } = await import('../report/run-records.ts');
  const { printReport, saveReportIn, usualAxes } = await import('./report.ts');
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

/** What the runs that are not finished would take; `by` are the keys that tell them apart. */
export async function showPlan(
  runs: readonly SweepRun[],
  by: readonly string[],
  options: SweepCommandOptions,
  io: Io,
): Promise<void> {
  const { estimateSweep, totalOf } = await import('../sweep/estimate.ts');
  const { configValue } = await import('../report/run-records.ts');
  const { openCpuBackend } = await import('../rollout/cpu/node/backend.ts');
  const backend = openCpuBackend({ threads: 1 });
  const groups = await estimateSweep(runs, options.runsDir, backend).finally(() => backend.close());
  const total = totalOf(groups);
  if (options.json) {
    const listed = groups.map(({ config: _config, ...group }) => group);
    io.printJson({ groups: listed, total });
    return;
  }
  const count = (value: number): string => value.toLocaleString('en-US');
  const columns: ColumnOf<(typeof groups)[number]>[] = [
    ...by.map((key) => left(key, ({ config }: (typeof groups)[number]) => configValue(config, key))),
    right('runs', ({ runs: all }) => all),
    right('finished', ({ finished }) => finished),
    right('begun', ({ begun }) => begun),
    right('calls each', ({ each }) => count(each.calls)),
    right('episodes each', ({ each }) => count(each.episodes + each.recheck_episodes)),
    right('tokens each', ({ each }) => count(each.prompt_tokens + each.completion_tokens)),
    right('USD each', ({ each }) => (each.cost_usd === null ? 'no price' : each.cost_usd.toFixed(2))),
  ];
  io.print(io.table(tableOf(groups, { title: '', columns })));
  const cost = total.cost_usd === null ? 'cost unknown (no price)' : `about ${total.cost_usd.toFixed(2)} USD`;
  io.print(
    `\n${total.runs} runs, ${total.finished} of them finished; the others take ${count(total.calls)} model calls, ` +
      `${count(total.episodes)} episodes, about ${count(total.prompt_tokens + total.completion_tokens)} tokens, ${cost}`,
  );
}
