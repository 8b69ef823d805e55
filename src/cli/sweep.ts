/** `r2po sweep`: many runs, on this machine or through a queue. */
import type { Command } from 'commander';
import { R2poError, UsageError } from '../base/errors.ts';
import { defaultGroupKeys } from '../report/groups.ts';
import type { RunResult } from '../sweep/local.ts';
import type { Io } from './io.ts';
import { quotedCommand } from './options.ts';
import { addQueueOption, shownArguments } from './queue-options.ts';
import {
  addSweepOptions,
  notFinished,
  requestOf,
  runAll,
  runsOf,
  type SweepCommandOptions,
  showResult,
} from './run-many.ts';
import { showPlan } from './sweep-plan.ts';
import { askQueue, enqueueRuns, type QueueOptions } from './sweep-queue.ts';

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
