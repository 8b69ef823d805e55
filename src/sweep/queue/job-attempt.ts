/** One attempt at a job: plays its run, and tells the queue what to do with the job next. */
import type { Job } from 'bullmq';
import { R2poError } from '../../base/errors.ts';
import type { RunSummary } from '../../runs/folder/summary.ts';
import { patience } from '../../runs/journal/heartbeat.ts';
import type { RunProgress } from '../../runs/session/progress.ts';
import { classifyFailure, longWait, reasonOf } from './classify-failure.ts';
import {
  CancelledError,
  cancelled,
  ForeignJobError,
  type JobData,
  type JobProgress,
  type JobResult,
  type ReadJob,
  readJob,
  UnfitError,
} from './job.ts';
import type { SweepQueue } from './queue.ts';
import type { RunPlayer } from './run-player.ts';

export type RunJob = Job<JobData, JobResult, string>;

/** minimum time between two progress messages of a run to Redis, ms */
const progressInterval = 2000;

/** The end of a run at this worker. */
export interface RunEnd {
  /** job id */
  readonly id: string;
  readonly folder: string | null;
  /** `returned`: to be continued later, here or elsewhere */
  readonly outcome: 'finished' | 'already' | 'failed' | 'cancelled' | 'returned';
  readonly summary: RunSummary | null;
  /** why the run is not finished; null: it is */
  readonly reason: string | null;
}

/** What an attempt needs from its worker. */
export interface AttemptWorker {
  readonly queue: SweepQueue;
  readonly player: RunPlayer;
  readonly name: string;
  /** ms */
  readonly heartbeat: number;
  /** fires when the worker stops, for any reason */
  readonly stop: AbortSignal;
  readonly warn: (text: string) => void;
  /** active attempts; each adds and removes itself */
  readonly active: Set<JobAttempt>;
  onEnd(end: RunEnd): void;
  /** Called once per job that this worker cannot play. */
  onUnplayable(id: string): void;
  /** Stops the worker with all its runs. */
  fail(error: Error): void;
  /** Pauses the start of runs at all workers. */
  pauseAll(ms: number): Promise<void>;
}

export class JobAttempt {
  readonly #worker: AttemptWorker;
  readonly #job: RunJob;
  readonly #token: string;
  readonly #controller = new AbortController();
  #round = 0;

  constructor(worker: AttemptWorker, job: RunJob, token: string) {
    this.#worker = worker;
    this.#job = job;
    this.#token = token;
  }

  get #id(): string {
    return this.#job.id ?? '';
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Aborts the attempt if its sweep was cancelled; `round`: the queue's current round. */
  abortBefore(round: number): void {
    if (this.#round < round) this.abort(cancelled());
  }

  /** Rejects with errors that tell the queue what to do with the job. */
  async run(): Promise<JobResult> {
    const { player, active, stop, name } = this.#worker;
    const read = await this.#read();
    this.#round = read.round;
    active.add(this);
    if (stop.aborted) this.abort(stop.reason);
    const folder = player.folderOf(read.config);
    try {
      const summary = await player.play(read, this.#controller.signal, this.#progressReporter());
      const already = summary === null;
      this.#end(folder, already ? 'already' : 'finished', null, summary);
      return { worker: name, already };
    } catch (error) {
      return await this.#endUnfinished(folder, error);
    } finally {
      active.delete(this);
    }
  }

  async #read(): Promise<ReadJob> {
    const { queue } = this.#worker;
    try {
      return await readJob(this.#id, this.#job.data, await queue.round());
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      if (error instanceof ForeignJobError) {
        // First, so that the next job is left to others, like this one.
        this.#worker.fail(error);
        this.#end(null, 'returned', error.message);
        return await this.#moveBack();
      }
      if (error instanceof UnfitError) {
        this.#worker.onUnplayable(this.#id);
        this.#end(null, 'returned', error.message);
        return await this.#putOff(error.message);
      }
      this.#end(null, error instanceof CancelledError ? 'cancelled' : 'failed', error.message);
      throw new queue.packages.UnrecoverableError(error.message);
    }
  }

  /** Handles a job whose run did not finish: back into the queue, another attempt, or failure. Always throws. */
  async #endUnfinished(folder: string, error: unknown): Promise<never> {
    const { queue, player, active, fail, warn } = this.#worker;
    const { UnrecoverableError, RateLimitError } = queue.packages;
    const { signal } = this.#controller;
    const kind = error instanceof UnfitError ? 'unfit' : classifyFailure(error);
    // The rest waits for Redis, which must not delay the stop of the worker.
    active.delete(this);
    const reason = reasonOf(error);
    if (kind !== 'elsewhere' && kind !== 'sick') await player.publishPart(folder);
    if (signal.aborted && signal.reason instanceof CancelledError) {
      this.#end(folder, 'cancelled', signal.reason.detail);
      throw new UnrecoverableError(signal.reason.message);
    }
    if (kind === 'sick' || kind === 'broken') {
      fail(new R2poError('worker', `${reason}; no run can continue here, other workers take over`, { cause: error }));
    }
    if (kind === 'sick' || (signal.aborted && kind !== 'broken')) {
      this.#end(folder, 'returned', reason);
      return await this.#moveBack();
    }
    if (kind === 'elsewhere' || kind === 'unfit') {
      if (kind === 'unfit') this.#worker.onUnplayable(this.#id);
      this.#end(folder, 'returned', reason);
      return await this.#putOff(reason);
    }
    const seconds = longWait(error);
    if (seconds !== null) {
      this.#end(folder, 'returned', reason);
      warn(`${reason}; starting no run for ${Math.ceil(seconds)} s`);
      await this.#worker.pauseAll(seconds * 1000);
      throw new RateLimitError();
    }
    this.#end(folder, 'failed', reason);
    throw kind === 'final' ? new UnrecoverableError(reason) : new Error(reason);
  }

  /** Puts the job back without counting an attempt. */
  async #moveBack(): Promise<never> {
    await this.#job.moveToWait(this.#token);
    throw new this.#worker.queue.packages.WaitingError();
  }

  /** Delays the job without counting an attempt. */
  async #putOff(reason: string): Promise<never> {
    const { name, heartbeat, queue } = this.#worker;
    const waiting: JobProgress = { worker: name, iteration: 0, iterations: 0, best: null, waitsFor: reason };
    await this.#job.updateProgress({ ...waiting });
    await this.#job.moveToDelayed(Date.now() + patience * heartbeat * (1 + Math.random()), this.#token);
    throw new queue.packages.DelayedError();
  }

  /** Sends the run's progress to Redis from time to time, without waiting. */
  #progressReporter(): (progress: RunProgress) => void {
    let last = Number.NEGATIVE_INFINITY;
    let sending = false;
    return ({ totals, iterations }) => {
      const now = performance.now();
      if (sending || now - last < progressInterval) return;
      last = now;
      sending = true;
      const progress: JobProgress = {
        worker: this.#worker.name,
        iteration: totals.rows.length,
        iterations,
        best: totals.best?.mean ?? null,
        waitsFor: null,
      };
      this.#job
        .updateProgress({ ...progress })
        // Progress is for display only, so a failure is ignored; the files have the facts.
        .catch(() => {})
        .finally(() => {
          sending = false;
        });
    };
  }

  #end(
    folder: string | null,
    outcome: RunEnd['outcome'],
    reason: string | null,
    summary: RunSummary | null = null,
  ): void {
    this.#worker.onEnd({ id: this.#id, folder, outcome, summary, reason });
  }
}
