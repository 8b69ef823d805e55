/** `r2po sweep --queue`: adds runs to a queue, and prints its status. */
import { sleep } from '../base/async.ts';
import { UsageError } from '../base/errors.ts';
import { counted, significant } from '../base/plain-number.ts';
import { type ColumnOf, left, tableOf } from '../report/tables/table.ts';
import type { KnownRun } from '../runs/folder/folder.ts';
import type { SweepRun } from '../sweep/expand.ts';
import type { JobEnd, QueuedRun, QueueStatus, SweepQueue } from '../sweep/queue/queue.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { type QueueChoice, withQueue } from './queue-options.ts';

export interface QueueOptions extends QueueChoice {
  readonly wait?: boolean;
  readonly status?: boolean;
  readonly cancel?: boolean;
}

/** `r2po sweep --queue URL --status` and `--cancel`. */
export async function askQueue(options: QueueOptions & { readonly json?: boolean }, io: Io): Promise<void> {
  if (options.status && options.cancel) {
    throw new UsageError('--status', 'expected --status or --cancel, got both; use one at a time');
  }
  await withQueue(options, io, async (queue) => {
    if (options.cancel) {
      const cancelled = await queue.cancel();
      const { dropped, active } = cancelled;
      if (options.json) io.printJson(cancelled);
      else
        io.print(
          `${counted(dropped, 'queued run')} removed, ${counted(active, 'running one')} stopped; their files are kept`,
        );
      return;
    }
    const status = await queue.status();
    if (options.json) io.printJson(status);
    else showStatus(status, io);
  });
}

function showStatus({ queue, counts, workers, active, delayed, refused, failed }: QueueStatus, io: Io): void {
  io.print(`${queue}: ${countsLine(counts)}${workers === null ? '' : `, ${counted(workers, 'worker')}`}`);
  const table = (runs: readonly QueuedRun[], ...more: ColumnOf<QueuedRun>[]): void => {
    if (runs.length > 0) io.print(`\n${io.table(tableOf(runs, { columns: [...runColumns, ...more] }))}`);
  };
  table(
    active,
    left('iteration', ({ progress }) => progress && `${progress.iteration}/${progress.iterations}`),
    left('best', ({ progress }) => (progress?.best == null ? null : significant(progress.best, 5))),
    left('worker', ({ progress }) => progress?.worker ?? null),
  );
  table(
    [...delayed, ...refused],
    left('waiting for', ({ progress, reason }) => progress?.waitsFor ?? reason),
  );
  table(
    failed,
    left('reason', ({ reason }) => reason),
  );
}

const runColumns = (['env', 'method', 'model', 'seed'] as const).map((key) => left(key, (run: QueuedRun) => run[key]));

function countsLine({ waiting, delayed, active, completed, failed }: QueueStatus['counts']): string {
  return `${waiting} waiting, ${delayed} delayed, ${active} running, ${completed} finished, ${failed} failed`;
}

export interface EnqueueOptions extends QueueChoice {
  readonly runsDir: string;
  /** `--runs-dir` is set: it must be the shared folder of the queue */
  readonly isFolderGiven: boolean;
  readonly wait: boolean;
}

export interface Waited {
  readonly runs: readonly SweepRun[];
  readonly ends: readonly JobEnd[];
  readonly seconds: number;
}

/**
 * Adds the runs to the queue. Returns the document for `--json`, and with `wait` the results of the runs. When the user
 * interrupts, it throws and the runs stay in the queue.
 */
export async function enqueueRuns(
  runs: AsyncIterable<SweepRun>,
  options: EnqueueOptions,
  io: Io,
): Promise<{ readonly document: Readonly<Record<string, unknown>>; readonly waited: Waited | null }> {
  const { markSharedFolder, isSharedFolderOf } = await import('../sweep/queue/shared-folder.ts');
  const { indexRuns } = await import('../runs/folder/folder.ts');
  const { isFinished } = await import('../runs/folder/missing.ts');
  const { runsDir } = options;
  const enqueue = async (queue: SweepQueue, signal: AbortSignal) => {
    const started = performance.now();
    if (options.isFolderGiven) await markSharedFolder(queue, runsDir);
    const filesKnown = options.isFolderGiven || (await isSharedFolderOf(queue, runsDir));
    const known = filesKnown ? indexRuns(runsDir) : null;
    const isDone = (run: KnownRun | undefined): boolean => run !== undefined && isFinished(run);
    const isKnown = known && (({ id }: SweepRun) => isDone(known.get(id)));
    const all: SweepRun[] = [];
    const remembered = async function* (): AsyncGenerator<SweepRun> {
      for await (const run of runs) {
        signal.throwIfAborted();
        if (options.wait) all.push(run);
        yield run;
      }
    };
    const done = await queue.enqueue(remembered(), isKnown, ({ added }) =>
      io.status(`${counted(added, 'run')} queued`),
    );
    io.status(null);
    const seconds = (performance.now() - started) / 1000;
    const { added, again, known: there, finished } = done;
    io.note(
      `${counted(added, 'run')} queued${again > 0 ? ` (${again} of them repeated)` : ''} at ${queue.address.shown} in ` +
        `${seconds.toFixed(1)} s; ${there} were already queued, ${finished} are finished`,
    );
    const document = { queue: queue.address.shown, queued: added, again, known: there, finished, seconds };
    if (!options.wait) return { document, waited: null };
    const ends = await waitFor(queue, all, isKnown, signal, io);
    return { document, waited: { runs: all, ends, seconds: (performance.now() - started) / 1000 } };
  };
  return withQueue(options, io, (queue) => withInterrupts(io, 'the wait', (signal) => enqueue(queue, signal)));
}

const pollingSeconds = 1;
/** Maximum number of runs per poll; the others follow in the next. */
const pollSize = 2000;

async function waitFor(
  queue: SweepQueue,
  runs: readonly SweepRun[],
  isFinished: ((run: SweepRun) => boolean) | null,
  signal: AbortSignal,
  io: Io,
): Promise<JobEnd[]> {
  const { jobIdOf } = await import('../sweep/queue/job.ts');
  const ends = runs.map((run): JobEnd => ({ state: isFinished?.(run) ? 'completed' : 'open' }));
  let open = [...runs.keys()].filter((i) => ends[i]!.state === 'open');
  let printed = '';
  while (open.length > 0) {
    signal.throwIfAborted();
    const polled = open.slice(0, pollSize);
    for (const [k, end] of (await queue.ends(polled.map((i) => jobIdOf(runs[i]!.id)))).entries())
      ends[polled[k]!] = end;
    open = [...open.slice(pollSize), ...polled].filter((i) => ends[i]!.state === 'open');
    const count = (state: JobEnd['state']): number => ends.filter((end) => end.state === state).length;
    const line = `${count('completed')}/${runs.length} runs finished, ${count('failed')} failed, ${open.length} open`;
    if (io.live) io.status(line);
    else if (line !== printed) io.note(line);
    printed = line;
    if (open.length > 0) await sleep(pollingSeconds, signal).catch(() => {});
  }
  io.status(null);
  return ends;
}
