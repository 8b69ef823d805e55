/** Worker threads of the cpu backend: started when first needed, kept for the next job, never a reason to stay alive. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { R2poError } from '../../../base/errors.ts';
import { assetPath } from '../../../base/node/assets.ts';
import { CANCELLED, type WorkerJob } from './worker-job.ts';

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
   * Lets up to `threads` workers play the slices of one job, and returns when every one of them has stopped. One job at
   * a time. When a worker dies, the others stop after their slice, and the call fails with what happened to it.
   */
  async run(work: WorkerJob, threads: number): Promise<void> {
    const runs = this.#workers.slice(0, threads).map((_, slot) => this.#runOn(slot, work));
    const failure = (await Promise.allSettled(runs)).find((r) => r.status === 'rejected');
    if (failure) throw failure.reason;
  }

  async close(): Promise<void> {
    const open = this.#workers.filter((w) => w !== undefined);
    this.#workers.fill(undefined);
    await Promise.all(open.map((w) => w.terminate()));
  }

  #start(slot: number): Worker {
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
    return worker;
  }

  async #runOn(slot: number, work: WorkerJob): Promise<void> {
    const worker = this.#workers[slot] ?? this.#start(slot);
    this.#workers[slot] = worker;
    worker.ref();
    const { promise, resolve, reject } = outcome();
    const failed = (cause: Error) => reject(crash(cause));
    const ended = (code: number) => reject(crash(new Error(`it exited with code ${code}`)));
    worker.once('message', resolve);
    worker.once('error', failed);
    worker.once('exit', ended);
    try {
      worker.postMessage(work);
      await promise;
    } catch (error) {
      Atomics.store(work.control, CANCELLED, 1);
      throw error;
    } finally {
      worker.off('message', resolve);
      worker.off('error', failed);
      worker.off('exit', ended);
      worker.unref();
    }
  }
}

/** A promise and the two functions that settle it. */
function outcome(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = () => {};
  let reject = (_error: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function crash(cause: Error): R2poError {
  return new R2poError('cpu', `a worker thread stopped: ${cause.message}; try again, or use one thread`, { cause });
}
