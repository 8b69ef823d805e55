/** `r2po sweep`: many runs, on this machine or through a queue. */

import type { Command } from 'commander';
import { quotedCommand } from '../base/command-line.ts';
import { R2poError, UsageError } from '../base/errors.ts';
import { prepareOutputFolder } from '../base/node/output-folder.ts';
import { defaultGroupKeys } from '../report/groups.ts';
import type { RunResult } from '../sweep/local.ts';
import type { Io } from './io.ts';
import { refuseBeside, refuseWithout, trustEnvOption, trustMethodOption } from './options.ts';
import { addQueueOption, queueAddress, shownArguments } from './queue-options.ts';
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
      'Runs every combination of configurations and values, several in parallel, and prints their report. Finished runs ' +
        'are skipped and interrupted runs are resumed, so the same command can be repeated at any time.',
    )
    .argument(
      '[config...]',
      'configurations, such as cartpole/r2po or "cartpole/*", trainings such as cartpole/ppo, and key=a,b,c or seed=0..9',
    );
  addQueueOption(command)
    .addOption(trustEnvOption())
    .addOption(trustMethodOption())
    .option('--python <path>', 'Python that trains (see "r2po baseline --help")')
    .option('--wait', 'with --queue: wait until workers have finished the runs, and print their report')
    .option('--status', 'print the status of the queue and exit')
    .option('--cancel', 'remove queued runs and stop running ones; their files are kept');
  addSweepOptions(command, io).action(
    async (args: string[], options: SweepCommandOptions & QueueOptions & { python?: string }, self: Command) => {
      const { queue, status, cancel, wait = false } = options;
      if (status || cancel) {
        requireNothingElse(args, status ? '--status' : '--cancel', self);
        return askQueue(options, io);
      }
      if (queue === undefined) refuseWithout(self, '--queue', ['--wait', '--queue-prefix']);
      else {
        refuseBeside(
          self,
          '--queue',
          (flag) => ofTheMachine.includes(flag),
          'workers have their own (r2po worker -j N)',
        );
        if (!wait) refuseWithout(self, '--wait', ['--out']);
      }
      if (queue !== undefined) {
        await checkQueued(args, options);
        const isFolderGiven = self.getOptionValueSource('runsDir') === 'cli';
        if (!options.dryRun) return sweepQueue(args, { ...options, isFolderGiven }, io);
      }
      return sweep(args, options, self, io);
    },
  );
}

/** Options for the machine that plays: of a queue, each worker has its own. */
const ofTheMachine = ['--jobs', '--fail-fast', '--adapter', '--python'];

/** Whoever adds configurations or a dry run to a question about the queue means some of its runs, or none: both get all. */
function requireNothingElse(args: readonly string[], question: string, command: Command): void {
  if (args.length > 0) {
    throw new UsageError(
      question,
      `expected no configurations, got ${args.join(' ')}; leave them out: it is about all runs of the queue`,
    );
  }
  const used = ['--status', '--cancel', '--queue', '--queue-prefix', '--json', '--quiet'];
  refuseBeside(command, question, (flag) => !used.includes(flag));
}

async function sweep(
  args: readonly string[],
  options: SweepCommandOptions & { readonly python?: string },
  command: Command,
  io: Io,
): Promise<void> {
  const { splitArguments, variedKeys } = await import('../sweep/expand.ts');
  const { audience, expandTrainings, isTraining } = await import('../sweep/trainings.ts');
  const { configs, axes } = splitArguments(args);
  const names = configs.filter(isTraining);
  const searched = configs.filter((name) => !isTraining(name));
  requirePythonUse(names, options);
  if (names.length > 0 && searched.length === 0) {
    refuseWithout(command, 'a search', ['--model', '--max-calls', '--max-tokens']);
  }
  const both = names.length > 0 && searched.length > 0;
  const axesFor = (who: 'trainings' | 'searches') =>
    axes.filter((axis) => !both || ['both', who].includes(audience(axis)));
  const trainings = await expandTrainings(names, axesFor('trainings'), options.backend, options.shard ?? null);
  const runs = searched.length === 0 ? [] : await runsOf({ configs: searched, axes: axesFor('searches') }, options);
  const by = tableKeys(variedKeys(axesFor('searches')).filter(() => searched.length > 0));
  if (options.dryRun) return showPlan(runs, by, options, io, trainings);
  // What trainings are compared with first.
  const report = { by, ...(trainings.length > 0 && { published: true }) };
  const { document, failure } = await runAll(runs, report, options, io, { trainings, python: options.python });
  if (options.json) io.printJson(document);
  if (failure) throw failure;
}

function requirePythonUse(names: readonly string[], { python }: { readonly python?: string }): void {
  if (python === undefined || names.length > 0) return;
  throw new UsageError('--python', 'expected a training such as cartpole/ppo, got searches alone; leave --python out');
}

/** Refuses what cannot be queued, for a dry run too. */
async function checkQueued(args: readonly string[], choice: QueueOptions): Promise<void> {
  const { splitArguments } = await import('../sweep/expand.ts');
  const { isTraining } = await import('../sweep/trainings.ts');
  const { parseQueueAddress } = await import('../sweep/queue/address.ts');
  parseQueueAddress(queueAddress(choice));
  const training = splitArguments(args).configs.find(isTraining);
  if (training === undefined) return;
  throw new UsageError(
    '--queue',
    `expected searches, got the training ${training}; run it with a sweep without --queue`,
  );
}

/** Adds the runs to the queue; with `--wait`, prints their report as a local sweep does. */
async function sweepQueue(
  args: readonly string[],
  options: SweepCommandOptions & QueueOptions & { readonly isFolderGiven: boolean },
  io: Io,
): Promise<void> {
  const { queue, queuePrefix, runsDir, isFolderGiven, wait = false } = options;
  if (wait && options.out !== undefined) prepareOutputFolder('--out', options.out);
  const { expandSweep, splitArguments, variedKeys } = await import('../sweep/expand.ts');
  const request = splitArguments(args);
  const runs = expandSweep(requestOf(request, options));
  const { document, waited } = await enqueueRuns(runs, { queue, queuePrefix, runsDir, isFolderGiven, wait }, io);
  if (waited === null) {
    if (options.json) io.printJson(document);
    return;
  }
  const { indexRuns } = await import('../runs/folder/folder.ts');
  const known = indexRuns(runsDir);
  const results = waited.runs.map((run, i): RunResult => {
    const end = waited.ends[i]!;
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
  if (shown.broken) throw shown.broken;
}

/** Grouping keys of the report. */
function tableKeys(varied: readonly string[]): string[] {
  return [...new Set([...defaultGroupKeys, ...varied])];
}
