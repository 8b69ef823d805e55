/** Takes runs from a queue and plays them, some at a time, until it is told to stop. */

import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import type { Job, Worker } from 'bullmq';
import { sleep } from '../../base/async.ts';
import { InterruptedError, R2poError } from '../../base/errors.ts';
import type { ResolvedConfig } from '../../config/resolve.ts';
import type { BackendChoice } from '../../rollout/backend.ts';
import { ensureRunFolder, runFolderName, withPrices } from '../../runs/folder/folder.ts';
import { runHash } from '../../runs/folder/identity.ts';
import { type Manifest, readManifest, usedBackend } from '../../runs/folder/manifest.ts';
import type { RunSummary } from '../../runs/folder/summary.ts';
import { heartbeatMs, patience } from '../../runs/journal/heartbeat.ts';
import type { Progress } from '../../runs/run.ts';
import { RunPool } from '../../runs/run-pool.ts';
import { judge, longWait, reasonOf } from './classify-failure.ts';
import { type JobData, type JobProgress, type JobResult, readJob } from './job.ts';
import type { RunStore } from './published-runs.ts';
import type { SweepQueue } from './queue.ts';

type RunJob = Job<JobData, JobResult, string>;

/** Workers that a run may lose to crashes before it counts as what makes them crash. */
const mostCrashes = 10;
/** ms between two messages about one run to Redis */
const tellingTime = 2000;
/** ms that a worker which stops waits for Redis */
const shutdownTime = 5000;
/** More than any sweep has: the engine only keeps a pause that all workers keep to where there is a limit. */
const noLimit = { max: 1_000_000_000, duration: 1000 };

export interface QueueWorkerOptions {
  readonly queue: SweepQueue;
  /** where run folders are made: shared by all workers, unless there is a store */
  readonly runsDir: string;
  /** null: `runsDir` is what all machines see */
  readonly store: RunStore | null;
  /** most runs at a time */
  readonly jobs: number;
  /** takes no runs that are to be played by another one; null: takes all, and plays what it can */
  readonly backend: Exclude<BackendChoice, 'auto'> | null;
  /** ends once no run is left that this worker can do */
  readonly untilEmpty: boolean;
  /** of the manifests; must hold no password */
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly onEnd?: (end: RunEnd) => void;
}

/** A run that this worker is done with. */
export interface RunEnd {
  /** of the job */
  readonly id: string;
  readonly folder: string | null;
  /** `returned`: it goes on later, here or elsewhere */
  readonly outcome: 'finished' | 'already' | 'failed' | 'cancelled' | 'returned';
  readonly summary: RunSummary | null;
  /** why it is not finished; null when it is */
  readonly reason: string | null;
}

export interface WorkerCounts {
  readonly finished: number;
  readonly already: number;
  /** attempts that failed */
  readonly failed: number;
  readonly cancelled: number;
  readonly returned: number;
  /** runs that are left, and wait for another worker */
  readonly left: number;
}

/** How status and results call a worker of this process. */
export function workerName(): string {
  return `${hostname()}:${process.pid}`;
}

/**
 * Works until the signal fires or, if wanted, nothing is left to do. Runs under way are then stopped and saved, and go back to
 * the queue. Throws what keeps this machine from going on with any run, such as a full disk, after giving its runs back.
 */
export async function workOn(options: QueueWorkerOptions): Promise<WorkerCounts> {
  const worker = new QueueWorker(options);
  try {
    return await worker.work();
  } finally {
    await worker.close();
  }
}

/** One run under way. */
interface Active {
  readonly round: number;
  readonly controller: AbortController;
}

class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #pool: RunPool;
  readonly #engine: Worker<JobData, JobResult, string>;
  readonly #name = workerName();
  readonly #active = new Set<Active>();
  /** jobs that this worker gave back because it cannot play them */
  readonly #unfit = new Set<string>();
  readonly #counts = { finished: 0, already: 0, failed: 0, cancelled: 0, returned: 0 };
  readonly #heartbeat = heartbeatMs();
  /** fires when the worker stops, for whatever reason */
  readonly #stop = new AbortController();
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  /** why no run can go on here */
  #failure: Error | null = null;

  constructor(options: QueueWorkerOptions) {
    const { queue, jobs, note, warn } = options;
    this.#options = options;
    this.#pool = new RunPool({ note, jobs });
    this.#engine = new queue.packages.Worker(queue.address.name, (job, token) => this.#process(job, token ?? ''), {
      connection: queue.redis,
      skipVersionCheck: true,
      autorun: false,
      concurrency: jobs,
      name: this.#name,
      limiter: noLimit,
      lockDuration: 12 * this.#heartbeat,
      stalledInterval: 6 * this.#heartbeat,
      maxStalledCount: mostCrashes,
      // Shorter than the usual 15 s where tests ask for it.
      runRetryDelay: Math.min(15_000, this.#heartbeat),
    });
    this.#engine.on('error', (error) => {
      // The connection itself tells when it breaks and comes back.
      if (/lock/i.test(error.message))
        warn(`Redis gave a run of this worker to another one (${error.message}); its files decide`);
    });
    this.#engine.on('stalled', (id) => note(`the worker of ${id} is gone; it goes on from its record`));
  }

  async work(): Promise<WorkerCounts> {
    const { signal, untilEmpty } = this.#options;
    const stop = (): void => this.#stop.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const looking = setInterval(() => void this.#look(), this.#heartbeat);
    const running = this.#engine.run();
    running.catch((error: Error) => this.#fail(error));
    try {
      await (untilEmpty ? this.#untilEmpty() : this.#stopped);
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(looking);
      this.#stop.abort();
      await this.#giveBack();
    }
    if (this.#failure) throw this.#failure;
    return { ...this.#counts, left: this.#unfit.size };
  }

  /** Stops the worker, and with it all that it runs. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#stop.abort(this.#failure);
    for (const { controller } of this.#active) controller.abort(this.#failure);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #untilEmpty(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#active.size === 0 && (await this.#isEmpty())) return;
      await Promise.race([sleep(Math.min(500, this.#heartbeat) / 1000), this.#stopped]);
    }
  }

  /** true when all that is left are runs for others */
  async #isEmpty(): Promise<boolean> {
    const { queue } = this.#options;
    const unfit = [...this.#unfit];
    const ends = unfit.length > 0 ? await queue.ends(unfit) : [];
    for (const [i, { state }] of ends.entries()) if (state !== 'open') this.#unfit.delete(unfit[i]);
    const { waiting, delayed, active } = await queue.counts();
    return waiting + delayed + active <= this.#unfit.size && this.#active.size === 0;
  }

  /** Stops the runs under way and waits until they are back in the queue; not for ever, should Redis be gone. */
  async #giveBack(): Promise<void> {
    for (const { controller } of this.#active) controller.abort(this.#stop.signal.reason);
    // Ends its timers as well, which a close that waits for Redis leaves running.
    await this.#engine.pause(true);
    const closed = this.#engine.close();
    while (this.#active.size > 0) await sleep(0.02);
    const patient = new AbortController();
    await Promise.race([closed, sleep(shutdownTime / 1000, patient.signal).catch(() => {})]);
    patient.abort();
  }

  /** Stops runs of a sweep that was cancelled. */
  async #look(): Promise<void> {
    if (this.#active.size === 0) return;
    const round = await this.#options.queue.round().catch(() => 0);
    for (const active of this.#active) if (active.round < round) active.controller.abort(cancelled());
  }

  async #process(job: RunJob, token: string): Promise<JobResult> {
    const { UnrecoverableError } = this.#options.queue.packages;
    const id = job.id ?? '';
    let read: Awaited<ReturnType<typeof readJob>>;
    try {
      read = await readJob(id, job.data);
      if (read.round < (await this.#options.queue.round())) throw cancelled();
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      const outcome = error instanceof CancelledError ? 'cancelled' : 'failed';
      this.#end({ id, folder: null, outcome, summary: null, reason: error.message });
      throw new UnrecoverableError(error.message);
    }
    const active: Active = { round: read.round, controller: new AbortController() };
    this.#active.add(active);
    if (this.#stop.signal.aborted) active.controller.abort(this.#stop.signal.reason);
    const folder = join(this.#options.runsDir, runFolderName(read.config));
    try {
      const { summary } = await this.#play(job, read, folder, active.controller.signal);
      const already = summary === null;
      this.#end({ id, folder, outcome: already ? 'already' : 'finished', summary, reason: null });
      return { worker: this.#name, already };
    } catch (error) {
      return await this.#endWithout(job, token, folder, error, active);
    } finally {
      this.#active.delete(active);
    }
  }

  /** Brings a run to its end, from wherever its files stand. The summary is null when it was finished before. */
  async #play(
    job: RunJob,
    { config, yaml }: Pick<ResolvedConfig, 'config' | 'yaml'>,
    folder: string,
    signal: AbortSignal,
  ): Promise<{ readonly summary: RunSummary | null }> {
    const { store, runsDir, backend, argv, note } = this.#options;
    const name = runFolderName(config);
    const id = runHash(config);
    const isDone = (manifest: Manifest | null): boolean =>
      manifest?.status === 'finished' && manifest.config_hash === id;
    if (isDone(readManifest(folder))) {
      await store?.publish(name, folder);
      return { summary: null };
    }
    if (store) {
      if (isDone(await store.manifest(name))) return { summary: null };
      await store.fetch(name, folder);
    }
    const asked = usedBackend(readManifest(folder)) ?? config.evaluation.backend;
    if (backend !== null && asked !== 'auto' && asked !== backend) {
      throw new UnfitError('worker', `the run is played by ${asked}, and this worker takes those for ${backend}`);
    }
    const played = asked === 'auto' ? (backend ?? asked) : asked;
    await this.#pool.check({ ...config, evaluation: { ...config.evaluation, backend: played } });
    ensureRunFolder(runsDir, await withPrices({ config, yaml, argv, now: Date.now() }));
    const summary = await this.#copying(name, folder, () =>
      this.#pool.run({
        config,
        folder,
        ...(backend && { backend }),
        argv,
        resumeCommand: 'the command of the sweep',
        signal,
        onProgress: this.#teller(job),
        onNotice: (text) => note(`${folder}: ${text}`),
        log: (text) => note(`${folder}: ${text}`),
      }),
    );
    await store?.publish(name, folder);
    return { summary };
  }

  /** Keeps a copy of a run that is under way now and then, so that little is lost with the disk of this machine. */
  async #copying<T>(name: string, folder: string, run: () => Promise<T>): Promise<T> {
    const { store, warn } = this.#options;
    if (store === null) return await run();
    let copying: Promise<void> | null = null;
    const copy = async (): Promise<void> => {
      try {
        await store.publish(name, folder);
      } catch (error) {
        warn(`${folder} was not copied yet: ${reasonOf(error)}`);
      }
      copying = null;
    };
    const timer = setInterval(() => {
      copying ??= copy();
    }, 12 * this.#heartbeat);
    try {
      return await run();
    } finally {
      clearInterval(timer);
      await copying;
    }
  }

  /** A job whose run did not come to its end: back into the queue, or another attempt, or none. Always throws. */
  async #endWithout(job: RunJob, token: string, folder: string, error: unknown, active: Active): Promise<never> {
    const { WaitingError, UnrecoverableError, RateLimitError } = this.#options.queue.packages;
    const { signal } = active.controller;
    const id = job.id ?? '';
    const verdict = error instanceof UnfitError ? 'unfit' : judge(error);
    // What follows waits for Redis, and whoever stops the worker does not wait for that.
    this.#active.delete(active);
    const reason = reasonOf(error);
    const end = (outcome: 'failed' | 'cancelled' | 'returned', text = reason): void =>
      this.#end({ id, folder, outcome, summary: null, reason: text });
    if (verdict !== 'elsewhere' && verdict !== 'sick') await this.#keepPart(folder);
    if (signal.aborted && signal.reason instanceof CancelledError) {
      end('cancelled', signal.reason.detail);
      throw new UnrecoverableError(signal.reason.message);
    }
    if (verdict === 'sick' || verdict === 'broken') {
      this.#fail(new R2poError('worker', `${reason}; no run can go on here, others take them`, { cause: error }));
    }
    if (verdict === 'sick' || (signal.aborted && verdict !== 'broken')) {
      end('returned');
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (verdict === 'elsewhere' || verdict === 'unfit') {
      if (verdict === 'unfit') this.#unfit.add(id);
      end('returned');
      return await this.#putOff(job, token, patience * this.#heartbeat, reason);
    }
    const seconds = longWait(error);
    if (seconds !== null) {
      end('returned');
      this.#options.warn(`${reason}; no run is begun for ${Math.ceil(seconds)} s`);
      await this.#engine.rateLimit(seconds * 1000);
      throw new RateLimitError();
    }
    end('failed');
    throw verdict === 'final' ? new UnrecoverableError(reason) : new Error(reason);
  }

  /** What was done of a run that goes on elsewhere must be seen there. */
  async #keepPart(folder: string): Promise<void> {
    const { store, warn } = this.#options;
    if (store === null || readManifest(folder) === null) return;
    try {
      await store.publish(basename(folder), folder);
    } catch (error) {
      warn(`${folder} was not copied: ${reasonOf(error)}`);
    }
  }

  /** Takes no attempt: nothing was tried. */
  async #putOff(job: RunJob, token: string, ms: number, reason: string): Promise<never> {
    const { DelayedError } = this.#options.queue.packages;
    const waiting: JobProgress = { worker: this.#name, iteration: 0, iterations: 0, best: null, waitsFor: reason };
    await job.updateProgress({ ...waiting });
    await job.moveToDelayed(Date.now() + ms * (1 + Math.random()), token);
    throw new DelayedError();
  }

  /** Tells Redis how far the run is, now and then, and never waits for it. */
  #teller(job: RunJob): (progress: Progress) => void {
    let last = Number.NEGATIVE_INFINITY;
    let sending = false;
    return ({ totals, iterations }) => {
      const now = performance.now();
      if (sending || now - last < tellingTime) return;
      last = now;
      sending = true;
      const progress: JobProgress = {
        worker: this.#name,
        iteration: totals.rows.length,
        iterations,
        best: totals.best?.mean ?? null,
        waitsFor: null,
      };
      job
        .updateProgress({ ...progress })
        // A picture for people; what it shows is in the files.
        .catch(() => {})
        .finally(() => {
          sending = false;
        });
    };
  }

  #end(end: RunEnd): void {
    this.#counts[end.outcome] += 1;
    if (end.outcome !== 'returned') this.#unfit.delete(end.id);
    this.#options.onEnd?.(end);
  }
}

/** This worker does not play the run; another may. */
class UnfitError extends R2poError {}

class CancelledError extends InterruptedError {}

function cancelled(): CancelledError {
  return new CancelledError('queue', 'the sweep was cancelled');
}
