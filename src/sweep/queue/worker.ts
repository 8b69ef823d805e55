/** Takes runs from a queue and plays them, a few in parallel, until it is told to stop. */
import { hostname } from 'node:os';
import type { Worker } from 'bullmq';
import { sleep } from '../../base/async.ts';
import { heartbeatMs } from '../../runs/journal/heartbeat.ts';
import type { JobData, JobResult } from './job.ts';
import { type AttemptWorker, JobAttempt, type RunEnd, type RunJob } from './job-attempt.ts';
import type { SweepQueue } from './queue.ts';
import { RunPlayer, type RunPlayerOptions } from './run-player.ts';

/** Workers that a run may lose to crashes before it counts as what makes them crash. */
const maxCrashes = 10;
/** s that a worker which stops waits for Redis */
const shutdownSeconds = 5;
/** More than any sweep has: the engine only keeps a pause that all workers keep to where there is a limit. */
const noLimit = { max: 1_000_000_000, duration: 1000 };

export interface QueueWorkerOptions extends Omit<RunPlayerOptions, 'copyInterval'> {
  readonly queue: SweepQueue;
  /** ends once no run is left that this worker can do */
  readonly untilEmpty: boolean;
  readonly signal: AbortSignal;
  readonly onEnd?: (end: RunEnd) => void;
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

/** The life of a worker: begins, looks for cancelled sweeps, stops, gives its runs back. */
class QueueWorker implements AttemptWorker {
  readonly queue: SweepQueue;
  readonly player: RunPlayer;
  readonly name = workerName();
  readonly heartbeat = heartbeatMs();
  readonly active = new Set<JobAttempt>();
  readonly warn: QueueWorkerOptions['warn'];
  readonly #options: QueueWorkerOptions;
  readonly #engine: Worker<JobData, JobResult, string>;
  /** jobs that this worker gave back because it cannot play them */
  readonly #unfit = new Set<string>();
  readonly #counts = { finished: 0, already: 0, failed: 0, cancelled: 0, returned: 0 };
  readonly #stop = new AbortController();
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  /** why no run can go on here */
  #failure: Error | null = null;

  constructor(options: QueueWorkerOptions) {
    const { queue, jobs, note, warn } = options;
    this.#options = options;
    this.queue = queue;
    this.warn = warn;
    this.player = new RunPlayer({ ...options, copyInterval: 12 * this.heartbeat });
    const attempt = (job: RunJob, token: string | undefined) => new JobAttempt(this, job, token ?? '').run();
    this.#engine = new queue.packages.Worker(queue.address.name, attempt, {
      connection: queue.redis,
      skipVersionCheck: true,
      autorun: false,
      concurrency: jobs,
      name: this.name,
      limiter: noLimit,
      lockDuration: 12 * this.heartbeat,
      stalledInterval: 6 * this.heartbeat,
      maxStalledCount: maxCrashes,
      // Shorter than the default of 15 s where tests ask for it.
      runRetryDelay: Math.min(15_000, this.heartbeat),
    });
    this.#engine.on('error', (error) => {
      // The connection itself reports when it breaks and comes back.
      if (/lock/i.test(error.message))
        warn(`Redis gave a run of this worker to another one (${error.message}); its files decide`);
    });
    this.#engine.on('stalled', (id) => note(`the worker of ${id} is gone; the run is continued from its record`));
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  async work(): Promise<WorkerCounts> {
    const { signal, untilEmpty } = this.#options;
    const stop = (): void => this.#stop.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const polling = setInterval(() => void this.#stopCancelled(), this.heartbeat);
    const running = this.#engine.run();
    running.catch((error: Error) => this.fail(error));
    try {
      await (untilEmpty ? this.#untilEmpty() : this.#stopped);
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(polling);
      this.#stop.abort();
      await this.#giveBack();
    }
    if (this.#failure) throw this.#failure;
    return { ...this.#counts, left: this.#unfit.size };
  }

  readonly fail = (error: Error): void => {
    this.#failure ??= error;
    this.#stop.abort(this.#failure);
    for (const attempt of this.active) attempt.abort(this.#failure);
  };

  onUnplayable(id: string): void {
    this.#unfit.add(id);
  }

  onEnd(end: RunEnd): void {
    this.#counts[end.outcome] += 1;
    if (end.outcome !== 'returned') this.#unfit.delete(end.id);
    this.#options.onEnd?.(end);
  }

  pauseAll(ms: number): Promise<void> {
    return this.#engine.rateLimit(ms);
  }

  close(): Promise<void> {
    return this.player.close();
  }

  async #untilEmpty(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.active.size === 0 && (await this.#isEmpty())) return;
      await Promise.race([sleep(Math.min(500, this.heartbeat) / 1000), this.#stopped]);
    }
  }

  /** true when all that is left are runs for others */
  async #isEmpty(): Promise<boolean> {
    const unfit = [...this.#unfit];
    const ends = unfit.length > 0 ? await this.queue.ends(unfit) : [];
    for (const [i, { state }] of ends.entries()) if (state !== 'open') this.#unfit.delete(unfit[i]);
    const { waiting, delayed, active } = await this.queue.counts();
    return waiting + delayed + active <= this.#unfit.size && this.active.size === 0;
  }

  /** Stops the runs under way and waits until they are back in the queue; not for ever, should Redis be gone. */
  async #giveBack(): Promise<void> {
    for (const attempt of this.active) attempt.abort(this.#stop.signal.reason);
    // Ends its timers as well, which a close that waits for Redis leaves running.
    await this.#engine.pause(true);
    const closed = this.#engine.close();
    while (this.active.size > 0) await sleep(0.02);
    const patient = new AbortController();
    await Promise.race([closed, sleep(shutdownSeconds, patient.signal).catch(() => {})]);
    patient.abort();
  }

  async #stopCancelled(): Promise<void> {
    if (this.active.size === 0) return;
    const round = await this.queue.round().catch(() => 0);
    for (const attempt of this.active) attempt.abortBefore(round);
  }
}
