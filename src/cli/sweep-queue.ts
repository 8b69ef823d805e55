/** `r2po sweep --queue`: puts runs into a queue, and tells how they stand there. */
import { sleep } from '../base/async.ts';
import { UsageError } from '../base/errors.ts';
import { significant } from '../base/plain-number.ts';
import type { SweepRun } from '../sweep/expand.ts';
import type { JobEnd, QueuedRun, QueueStatus, SweepQueue } from '../sweep/queue/queue.ts';
import { listenForInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { openQueue } from './queue-options.ts';

export interface QueueOptions {
  readonly queue?: string | true;
  readonly wait?: boolean;
  readonly status?: boolean;
  readonly cancel?: boolean;
}

/** `r2po sweep --queue URL --status` and `--cancel`. */
export async function askQueue(options: QueueOptions & { readonly json?: boolean }, io: Io): Promise<void> {
  if (options.status && options.cancel) {
    throw new UsageError('--status', 'expected --status or --cancel, got both; give one after the other');
  }
  const queue = await openQueue(options.queue, io);
  try {
    if (options.cancel) {
      const cancelled = await queue.cancel();
      if (options.json) io.printJson(cancelled);
      else io.print(`${cancelled.dropped} runs dropped, ${cancelled.active} under way are stopped; their files stay`);
      return;
    }
    const status = await queue.status();
    if (options.json) io.printJson(status);
    else showStatus(status, io);
  } finally {
    await queue.close();
  }
}

function showStatus({ queue, counts, workers, active, delayed, failed }: QueueStatus, io: Io): void {
  io.print(`${queue}: ${countsLine(counts)}${workers === null ? '' : `, ${workers} workers`}`);
  const columns = ['env', 'method', 'model', 'seed'].map((title) => ({ title }));
  const table = (runs: readonly QueuedRun[], more: string[], cells: (run: QueuedRun) => (string | null)[]): void => {
    if (runs.length === 0) return;
    const rows = runs.map((run) => [run.env, run.method, run.model, run.seed, ...cells(run)]);
    io.print(`\n${io.table({ columns: [...columns, ...more.map((title) => ({ title }))], rows })}`);
  };
  table(active, ['iteration', 'best', 'runs at'], ({ progress }) => [
    progress ? `${progress.iteration}/${progress.iterations}` : null,
    progress?.best == null ? null : significant(progress.best, 5),
    progress?.worker ?? null,
  ]);
  table(delayed, ['waits'], ({ progress, reason }) => [progress?.waitsFor ?? reason]);
  table(failed, ['failed'], ({ reason }) => [reason]);
}

function countsLine({ waiting, delayed, active, completed, failed }: QueueStatus['counts']): string {
  return `${waiting} waiting, ${delayed} delayed, ${active} under way, ${completed} done, ${failed} failed`;
}

export interface EnqueueOptions {
  readonly queue: string | true | undefined;
  readonly runsDir: string;
  /** the user has named the folder: it must be the one of the queue's other runs and workers */
  readonly isPlaceGiven: boolean;
  readonly wait: boolean;
}

export interface Waited {
  readonly runs: readonly SweepRun[];
  readonly ends: readonly JobEnd[];
  readonly seconds: number;
}

/**
 * Puts the runs into the queue. Returns what was done for `--json`, and with `wait` what became of the runs. Throws the user's
 * interruption; the runs stay in the queue.
 */
export async function enqueueRuns(
  runs: AsyncIterable<SweepRun>,
  options: EnqueueOptions,
  io: Io,
): Promise<{ readonly document: Readonly<Record<string, unknown>>; readonly waited: Waited | null }> {
  const { markSharedFolder: claimPlace, isSharedFolderOf: isPlaceOf } = await import('../sweep/queue/shared-folder.ts');
  const { indexRuns } = await import('../runs/folder/folder.ts');
  const { runsDir } = options;
  const queue = await openQueue(options.queue, io);
  const interruption = listenForInterrupts(io, 'the wait');
  const { signal } = interruption;
  try {
    const begun = Date.now();
    if (options.isPlaceGiven) await claimPlace(queue, runsDir);
    const filesKnown = options.isPlaceGiven || (await isPlaceOf(queue, runsDir));
    const known = filesKnown ? indexRuns(runsDir) : null;
    const isFinished = known && (({ id }: SweepRun) => known.get(id)?.manifest.status === 'finished');
    const all: SweepRun[] = [];
    const remembered = async function* (): AsyncGenerator<SweepRun> {
      for await (const run of runs) {
        signal.throwIfAborted();
        if (options.wait) all.push(run);
        yield run;
      }
    };
    const done = await queue.enqueue(remembered(), isFinished, ({ added }) => io.status(`${added} runs queued`));
    io.status(null);
    const seconds = (Date.now() - begun) / 1000;
    const { added, again, known: there, finished } = done;
    io.note(
      `${added} runs queued${again > 0 ? ` (${again} of them again)` : ''} at ${queue.address.shown} in ` +
        `${seconds.toFixed(1)} s; ${there} were there, ${finished} are finished`,
    );
    const document = { queue: queue.address.shown, queued: added, again, known: there, finished, seconds };
    if (!options.wait) return { document, waited: null };
    const ends = await waitFor(queue, all, isFinished, signal, io);
    return { document, waited: { runs: all, ends, seconds: (Date.now() - begun) / 1000 } };
  } finally {
    interruption.dispose();
    await queue.close();
  }
}

/** ms between two looks at the queue */
const lookingTime = 1000;
/** Runs asked for in one look; the others have their turn later. */
const asked = 2000;

async function waitFor(
  queue: SweepQueue,
  runs: readonly SweepRun[],
  isFinished: ((run: SweepRun) => boolean) | null,
  signal: AbortSignal,
  io: Io,
): Promise<JobEnd[]> {
  const { jobIdOf } = await import('../sweep/queue/job.ts');
  const ends = runs.map((run): JobEnd => ({ state: isFinished?.(run) ? 'completed' : 'open' }));
  let open = [...runs.keys()].filter((i) => ends[i].state === 'open');
  let told = '';
  while (open.length > 0) {
    signal.throwIfAborted();
    const turn = open.slice(0, asked);
    for (const [k, end] of (await queue.ends(turn.map((i) => jobIdOf(runs[i].id)))).entries()) ends[turn[k]] = end;
    open = [...open.slice(asked), ...turn].filter((i) => ends[i].state === 'open');
    const count = (state: JobEnd['state']): number => ends.filter((end) => end.state === state).length;
    const line = `${count('completed')}/${runs.length} runs finished, ${count('failed')} failed, ${open.length} open`;
    if (io.live) io.status(line);
    else if (line !== told) io.note(line);
    told = line;
    if (open.length > 0) await sleep(lookingTime / 1000, signal).catch(() => {});
  }
  io.status(null);
  return ends;
}
