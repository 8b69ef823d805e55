/** Worker threads of the cpu backend: started when first needed, kept for the next job, never a reason to stay alive. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { exitCodes, R2poError, UsageError } from '../../../base/errors.ts';
import { assetPath } from '../../../base/node/assets.ts';
import { userFault } from '../../../base/node/user-fault.ts';
import type { EpisodeTotals } from '../../episode-counts.ts';
import { CANCELLED, type WorkerJob } from './worker-job.ts';

/** The error for a user that a worker threw: its class is lost on the way, its fields are not. null: any other error. */
function sentError(error: Error): R2poError | null {
  const { unit, detail, exitCode } = error as Partial<R2poError>;
  if (unit === undefined || detail === undefined || exitCode === undefined) return null;
  if (exitCode === exitCodes.usage) return new UsageError(unit, detail, error);
  return new R2poError(unit, detail, { exitCode, cause: error });
}

/** A worker runs compiled JavaScript, so it is the built file even when the caller runs from the sources. */
const defaultEntry = 'dist/rollout/cpu/node/worker.js';

export class WorkerPool {
  readonly #entry: string;
  readonly #workers: (Worker | undefined)[];

  /** `entry`: path of the worker file below the package root. */
  constructor(size: number, entry: string = defaultEntry) {
    this.#entry = assetPath(entry);
    this.#workers = new Array<Worker | undefined>(size).fill(undefined);
  }

  /**
   * Lets up to `threads` workers play the slices of one job, and returns their answers when every one of them has stopped.
   * One job at a time. When a worker dies, the others stop after their slice, and the call fails with what happened to it.
   */
  async run(work: WorkerJob, threads: number): Promise<(EpisodeTotals | null)[]> {
    const runs = this.#workers.slice(0, threads).map((_, slot) => this.#runOn(slot, work));
    const failure = (await Promise.allSettled(runs)).find((r) => r.status === 'rejected');
    if (failure) throw failure.reason;
    return Promise.all(runs);
  }

  /** Starts workers that are not there yet, before there is a job for them. */
  start(threads: number): void {
    for (let slot = 0; slot < threads; slot++) this.#workers[slot] ??= this.#open(slot);
  }

  async close(): Promise<void> {
    const open = this.#workers.filter((w) => w !== undefined);
    this.#workers.fill(undefined);
    await Promise.all(open.map((w) => w.terminate()));
  }

  #open(slot: number): Worker {
    if (!existsSync(this.#entry)) {
      throw new R2poError('cpu', `expected the worker file ${this.#entry}, found none; run "npm run build"`);
    }
    // Without the flags of this process: some, as those of `node -e`, are refused for a file.
    const worker = new Worker(this.#entry, { execArgv: [] });
    // A worker that dies while idle fails no call: only its slot becomes free.
    const forget = () => {
      if (this.#workers[slot] === worker) this.#workers[slot] = undefined;
    };
    worker.on('error', forget);
    worker.on('exit', forget);
    worker.unref();
    return worker;
  }

  async #runOn(slot: number, work: WorkerJob): Promise<EpisodeTotals | null> {
    const worker = this.#workers[slot] ?? this.#open(slot);
    this.#workers[slot] = worker;
    worker.ref();
    const listening = new AbortController();
    const { signal } = listening;
    try {
      worker.postMessage(work);
      // Both reject when the worker reports an error.
      const exit = once(worker, 'exit', { signal }).then(([code]) => {
        throw new Error(`it exited with code ${code}`);
      });
      const answer = await Promise.race([once(worker, 'message', { signal }), exit]).catch((cause: Error) => {
        const fault = userFault(cause) ?? sentError(cause);
        if (fault !== null) throw fault;
        throw new R2poError('cpu', `a worker thread stopped: ${cause.message}; try again, or use one thread`, {
          cause,
        });
      });
      return answer[0] as EpisodeTotals | null;
    } catch (error) {
      Atomics.store(work.control, CANCELLED, 1);
      throw error;
    } finally {
      listening.abort();
      worker.unref();
    }
  }
}
