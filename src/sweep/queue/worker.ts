/** Takes runs from a queue and plays a few in parallel until it is stopped. */
import { hostname } from 'node:os';
import type { Worker } from 'bullmq';
import { sleep } from '../../base/async.ts';
import { heartbeatMs } from '../../runs/journal/heartbeat.ts';
import { explained } from './connect.ts';
import type { JobData, JobResult } from './job.ts';
import { type AttemptWorker, JobAttempt, type RunEnd, type RunJob } from './job-attempt.ts';
import type { SweepQueue } from './queue.ts';
import { RunPlayer, type RunPlayerOptions } from './run-player.ts';

/** Worker crashes after which a run counts as their cause. */
const maxCrashes = 10;
/** heartbeats for which a server may refuse every command */
const refusals = 24;
/** how long a stopping worker waits for Redis, s */
const shutdownSeconds = 5;
/** A limit beyond any sweep; the queue library pauses all workers only when a rate limit is set. */
const noLimit = { max: 1_000_000_000, duration: 1000 };

export interface QueueWorkerOptions extends Omit<RunPlayerOptions, 'copyInterval'> {
  readonly queue: SweepQueue;
  /** ends when no run is left that this worker can play */
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
  /** remaining runs, which wait for another worker */
  readonly left: number;
}

/** Name of this process's worker in status and results. */
export function workerName(): string {
  return `${hostname()}:${process.pid}`;
}

/**
 * Works until the signal fires or, with `untilEmpty`, no run is left. Active runs are then stopped, saved and returned
 * to the queue. Throws errors that prevent all runs on this machine, such as a full disk, after returning its runs.
 */
export async function workOn(options: QueueWorkerOptions): Promise<WorkerCounts> {
  const worker = new QueueWorker(options);
  try {
    return await worker.work();
  } finally {
    await worker.close();
  }
}

/** The life cycle of a worker: starts, checks for cancelled sweeps, stops, returns its runs. */
class QueueWorker implements AttemptWorker {
  readonly queue: SweepQueue;
  readonly player: RunPlayer;
  readonly name = workerName();
  readonly heartbeat = heartbeatMs();
  readonly active = new Set<JobAttempt>();
  readonly warn: QueueWorkerOptions['warn'];
  readonly #options: QueueWorkerOptions;
  readonly #engine: Worker<JobData, JobResult, string>;
  /** jobs returned because this worker cannot play them */
  readonly #unfit = new Set<string>();
  readonly #counts = { finished: 0, already: 0, failed: 0, cancelled: 0, returned: 0 };
  readonly #stop = new AbortController();
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  /** what the server answered, each said once */
  readonly #warned = new Set<string>();
  /** since when the server has refused every command, ms; null: it does not */
  #refusedSince: number | null = null;
  /** why no run can continue on this machine */
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
      prefix: queue.prefix,
      skipVersionCheck: true,
      autorun: false,
      concurrency: jobs,
      name: this.name,
      limiter: noLimit,
      lockDuration: 12 * this.heartbeat,
      stalledInterval: 6 * this.heartbeat,
      maxStalledCount: maxCrashes,
      // Tests may shorten the default of 15 s.
      runRetryDelay: Math.min(15_000, this.heartbeat),
    });
    for (const progress of ['active', 'completed'] as const) {
      this.#engine.on(progress, () => {
        this.#refusedSince = null;
      });
    }
    this.#engine.on('error', (error) => {
      const full = explained(error, queue.address);
      if (full !== error) this.#onRefusal(full as Error);
      // The connection itself reports when it breaks and comes back.
      if (/lock/i.test(error.message))
        warn(`Redis assigned a run of this worker to another one (${error.message}); the state of its folder decides`);
    });
    this.#engine.on('stalled', (id) => note(`the worker of ${id} is gone; the run is continued from its record`));
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** An answer of the server, such as that its memory is full, may pass; one that stays ends the worker. */
  #onRefusal(error: Error): void {
    const now = performance.now();
    this.#refusedSince ??= now;
    if (now - this.#refusedSince >= refusals * this.heartbeat) {
      this.fail(error);
      return;
    }
    if (this.#warned.has(error.message)) return;
    this.#warned.add(error.message);
    this.warn(`${error.message}; the worker waits for ${(refusals * this.heartbeat) / 1000} s`);
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

  /** True when all remaining runs are for other workers. */
  async #isEmpty(): Promise<boolean> {
    const unfit = [...this.#unfit];
    const ends = unfit.length > 0 ? await this.queue.ends(unfit) : [];
    for (const [i, { state }] of ends.entries()) if (state !== 'open') this.#unfit.delete(unfit[i]!);
    const { waiting, delayed, active } = await this.queue.counts();
    return waiting + delayed + active <= this.#unfit.size && this.active.size === 0;
  }

  /** Stops active runs and waits until they are back in the queue, with a timeout in case Redis is gone. */
  async #giveBack(): Promise<void> {
    for (const attempt of this.active) attempt.abort(this.#stop.signal.reason);
    // Also ends its timers, which a close that waits for Redis leaves running.
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
