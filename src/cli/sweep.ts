/** `r2po sweep`: many runs, on this machine. */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { exitCodes, R2poError, UsageError } from '../base/errors.ts';
import { significant } from '../base/plain-number.ts';
import { duration } from '../report/progress.ts';
import { sweepLines, totalLine } from '../report/sweep-progress.ts';
import { type BackendChoice, maxSeed } from '../rollout/backend.ts';
import type { Shard, SweepRun } from '../sweep/expand.ts';
import type { RunResult, SweepResult, SweepState } from '../sweep/local.ts';
import { listenForInterrupts } from './interrupt.ts';
import { formatTable, type Io } from './io.ts';
import { addOutputOptions, backendOption, countOption, quotedCommand, wholeNumber } from './options.ts';
import { printReport, saveReportIn, usualAxes } from './report.ts';

interface Options {
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
    .argument('<config...>', 'configurations, such as cartpole/r2po or "cartpole/*", and key=a,b,c or seed=0..9')
    .addOption(backendOption())
    .option('--model <name>', 'what answers the prompts, see "r2po list models"')
    .option('--runs-dir <dir>', 'where run folders are made', 'runs')
    .addOption(
      new Option('-j, --jobs <n>', 'runs at a time; twice the processors, and at least 8, when left out').argParser(
        wholeNumber('--jobs', 1, 10_000),
      ),
    )
    .addOption(new Option('--shard <i/n>', 'only every n-th run from the i-th on, for job arrays').argParser(readShard))
    .option('--fail-fast', 'begin no other run after one that did not finish')
    .option('--dry-run', 'say what the runs would take, and do nothing')
    .addOption(countOption('--max-calls', 'stop each run, resumable, after this many model calls', maxSeed))
    .addOption(countOption('--max-tokens', 'stop each run, resumable, after this many tokens', maxSeed))
    .option('--out <dir>', 'write the report there: tables, curves and a page');
  addOutputOptions(command, io).action(async (args: string[], options: Options) => run(args, options, io));
}

async function run(args: readonly string[], options: Options, io: Io): Promise<void> {
  const { expandSweep, splitArguments, variedKeys } = await import('../sweep/expand.ts');
  const { configs, axes } = splitArguments(args);
  const { backend, model, maxCalls, maxTokens, shard = null } = options;
  const flags = { backend, model, maxCalls, maxTokens };
  const runs: SweepRun[] = [];
  for await (const found of expandSweep({ configs, axes, flags, shard })) runs.push(found);
  if (options.dryRun) return showPlan(runs, options, io);
  const { sweepHere } = await import('../sweep/local.ts');
  const interruption = listenForInterrupts(io, 'the sweep');
  const argv = process.argv.slice(2);
  try {
    const result = await sweepHere({
      runs,
      runsDir: options.runsDir,
      jobs: options.jobs ?? Math.max(8, 2 * availableParallelism()),
      failFast: options.failFast ?? false,
      argv,
      command: quotedCommand(argv),
      signal: interruption.signal,
      note: (text) => io.note(text),
      onState: (state) => showState(state, io),
    });
    io.status(null);
    await showResult(result, ['env', 'method', 'model', ...variedKeys(axes)], options, io);
    if (interruption.signal.aborted) throw interruption.signal.reason;
    const open = result.results.filter(({ outcome }) => outcome !== 'finished');
    if (open.length > 0) throw notFinished(open, runs.length, quotedCommand(argv));
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

async function showResult(
  { results, sharing, seconds }: SweepResult,
  by: readonly string[],
  options: Options,
  io: Io,
): Promise<void> {
  const { makeReport, reportDocument, usualReport } = await import('../report/report.ts');
  const { findRuns } = await import('../report/run-records.ts');
  const folders = results.flatMap(({ folder }) => (folder === null ? [] : [folder]));
  // Whoever sweeps over models has them apart in the table.
  const axes = usualAxes(options.out);
  const asked = { ...usualReport, by: [...new Set(by)], axes, allowMixed: true };
  const found = folders.length === 0 ? null : findRuns(folders);
  const report = found && found.runs.length > 0 ? makeReport(found, asked) : null;
  const played = results.filter(({ outcome, already }) => outcome === 'finished' && !already).length;
  if (played > 0) {
    io.note(`${played} runs in ${duration(seconds)}; ${sharing.requests} evaluations in ${sharing.calls} calls`);
  }
  if (options.json) {
    io.printJson({
      seconds,
      evaluations: sharing.requests,
      evaluation_calls: sharing.calls,
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
    });
  } else if (report) printReport(report, io);
  if (options.out !== undefined && report) await saveReportIn(options.out, report, io);
}

async function showPlan(runs: readonly SweepRun[], options: Options, io: Io): Promise<void> {
  const { estimateSweep, totalOf } = await import('../sweep/estimate.ts');
  const { openCpuBackend } = await import('../rollout/cpu/backend.ts');
  const backend = openCpuBackend({ threads: 1 });
  const groups = await estimateSweep(runs, options.runsDir, backend).finally(() => backend.close());
  const total = totalOf(groups);
  if (options.json) {
    const listed = groups.map(({ config: _config, ...group }) => group);
    io.printJson({ groups: listed, total });
    return;
  }
  const count = (value: number): string => value.toLocaleString('en-US');
  const right = (title: string) => ({ title, align: 'right' as const });
  const columns = [
    { title: 'env' },
    { title: 'method' },
    { title: 'model' },
    right('runs'),
    right('finished'),
    right('begun'),
    right('calls each'),
    right('episodes each'),
    right('tokens each'),
    right('USD each'),
  ];
  const rows = groups.map(({ env, method, model, runs: all, finished, begun, each }) => [
    env,
    method,
    model,
    all,
    finished,
    begun,
    count(each.calls),
    count(each.episodes + each.recheck_episodes),
    count(each.prompt_tokens + each.completion_tokens),
    each.cost_usd === null ? 'no price' : each.cost_usd.toFixed(2),
  ]);
  io.print(formatTable(columns, rows, io.outColors));
  const cost = total.cost_usd === null ? 'cost unknown (no price)' : `about ${total.cost_usd.toFixed(2)} USD`;
  io.print(
    `\n${total.runs} runs, ${total.finished} of them finished; the others take ${count(total.calls)} model calls, ` +
      `${count(total.episodes)} episodes, about ${count(total.prompt_tokens + total.completion_tokens)} tokens, ${cost}`,
  );
}
