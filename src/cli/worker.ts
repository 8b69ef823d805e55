/** `r2po worker`: executes runs from a queue; any number of workers on any machines. */
import type { Command } from 'commander';
import { exitCodes, R2poError, UsageError } from '../base/errors.ts';
import { prepareOutputFolder } from '../base/node/output-folder.ts';
import { counted, significant } from '../base/plain-number.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { trustedEndpoint } from '../runs/models/recorded-endpoints.ts';
import type { RunEnd } from '../sweep/queue/job-attempt.ts';
import type { SweepQueue } from '../sweep/queue/queue.ts';
import type { WorkerCounts } from '../sweep/queue/worker.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import {
  adapterOption,
  addOutputOptions,
  backendOption,
  jobsOf,
  jobsOption,
  trustEnvOption,
  trustMethodOption,
} from './options.ts';
import { addQueueOption, type QueueChoice, shownArguments, withQueue } from './queue-options.ts';

interface Options extends QueueChoice {
  readonly jobs?: number;
  readonly runsDir: string;
  readonly publish?: string;
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly untilEmpty?: boolean;
  readonly trustEndpoint: readonly string[];
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command.description(
    'Executes runs that "r2po sweep --queue" has added to a queue, until it is stopped. Ctrl-C and SIGTERM save the ' +
      'running runs and return them to the queue; runs of a killed worker are continued by another one.',
  );
  addQueueOption(command)
    .addOption(jobsOption())
    .option('--runs-dir <dir>', 'folder for run folders, shared by all workers, or local with --publish', 'runs')
    .option('--publish <dir>', 'shared folder to which runs are copied if --runs-dir is a local disk')
    .addOption(backendOption())
    .addOption(adapterOption())
    .addOption(trustEnvOption())
    .addOption(trustMethodOption())
    .option(
      '--trust-endpoint <url>',
      'base URL of a model endpoint that may get keys and headers where a job names it; can be repeated',
      (text, before: readonly string[]) => [...before, trustedEndpoint(text)],
      [],
    )
    .option('--until-empty', 'exit when no run is left for this worker');
  addOutputOptions(command, io).action(async (options: Options) => runWorker(options, io));
}

async function runWorker(options: Options, io: Io): Promise<void> {
  const { workerName, workOn } = await import('../sweep/queue/worker.ts');
  const { markSharedFolder } = await import('../sweep/queue/shared-folder.ts');
  const { directoryStore } = await import('../sweep/queue/published-runs.ts');
  const { runsDir, publish, backend = 'auto' } = options;
  if (publish !== undefined && publish === runsDir) {
    throw new UsageError('--publish', 'expected another folder than --runs-dir, got the same; leave --publish out');
  }
  const work = async (queue: SweepQueue, signal: AbortSignal): Promise<void> => {
    if (publish === undefined) await markSharedFolder(queue, runsDir);
    else prepareOutputFolder('--publish', publish);
    // Before a job is taken: each would fail here for good, though other workers can play it.
    prepareOutputFolder('--runs-dir', runsDir);
    const jobs = jobsOf(options.jobs);
    io.note(`worker: up to ${jobs} parallel runs from ${queue.address.shown}`);
    const counts = await workOn({
      queue,
      runsDir,
      store: publish === undefined ? null : directoryStore(publish),
      jobs,
      backend: backend === 'auto' ? null : backend,
      adapter: options.adapter ?? null,
      untilEmpty: options.untilEmpty ?? false,
      endpoints: options.trustEndpoint,
      argv: shownArguments(),
      signal,
      note: (text) => io.note(text),
      warn: (text) => io.warn(text),
      onEnd: (end) => showEnd(end, io),
    });
    if (options.json) io.printJson(counts);
    else io.print(countsLine(counts));
    if (signal.aborted) throw signal.reason;
    if (counts.failed + counts.left > 0) throw notDone(counts);
  };
  await withInterrupts(io, 'the worker', (signal) =>
    withQueue(options, io, (queue) => work(queue, signal), workerName()),
  );
}

function showEnd({ id, folder, outcome, summary, reason }: RunEnd, io: Io): void {
  const name = folder ?? id;
  if (outcome === 'failed' || outcome === 'cancelled') io.warn(`${name}: ${reason}`);
  else if (outcome === 'returned') io.note(`${name}: returned to the queue: ${reason}`);
  else if (outcome === 'already') io.note(`${name}: already finished`);
  else {
    const again = summary?.best?.rechecked;
    io.note(`${name}: re-checked ${again ? significant(again.mean, 5) : '-'}`);
  }
}

function countsLine({ finished, already, failed, cancelled, returned }: WorkerCounts): string {
  const more = cancelled > 0 ? `, ${cancelled} cancelled` : '';
  return `${counted(finished, 'run')} finished, ${already} already finished, ${counted(failed, 'attempt')} failed, ${returned} returned to the queue${more}`;
}

function notDone({ failed, left }: WorkerCounts): R2poError {
  return new R2poError(
    'worker',
    `${failed} attempts failed here, and ${left} runs wait for another worker; see "r2po sweep --status --queue ..."`,
    { exitCode: exitCodes.someRunsFailed },
  );
}
