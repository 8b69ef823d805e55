/** The queue of a sweep in Redis: waiting, active and ended jobs. The run folders are authoritative. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { SweepRun } from '../expand.ts';
import { parseQueueAddress, type QueueAddress } from './address.ts';
import { defaultPrefix, openRedis } from './connect.ts';
import { describeJob, type JobData, type JobProgress, type JobResult, jobIdOf, jobOf } from './job.ts';
import { loadQueuePackages, type QueuePackages } from './optional-packages.ts';

/** Jobs per request to Redis: enough to hide the latency, few enough to let other clients in between. */
const chunkSize = 1000;
/** Maximum jobs of each kind that a status lists. */
const listed = 20;

/** Prefix of workers' connection names; a worker may have several connections. */
const workerPrefix = 'r2po-worker:';

export interface Enqueued {
  /** added to the queue now */
  readonly added: number;
  /** those of `added` that had failed before, or whose files are gone */
  readonly again: number;
  /** already waiting, active or done in the queue */
  readonly known: number;
  /** finished according to their files */
  readonly finished: number;
}

export interface QueuedRun {
  /** of the job */
  readonly id: string;
  readonly env: string;
  readonly method: string;
  readonly model: string;
  readonly seed: number | null;
  readonly progress: JobProgress | null;
  /** why it failed */
  readonly reason: string | null;
}

export interface QueueStatus {
  readonly queue: string;
  /** number of runs by state; `delayed`: waiting for another attempt, or for a worker that can play them */
  readonly counts: {
    readonly waiting: number;
    readonly delayed: number;
    readonly active: number;
    readonly completed: number;
    readonly failed: number;
  };
  /** connected workers; null: the server does not list its clients */
  readonly workers: number | null;
  readonly active: readonly QueuedRun[];
  readonly delayed: readonly QueuedRun[];
  /** those of `waiting` that a worker has refused: no worker that can play them has come since their delay ended */
  readonly refused: readonly QueuedRun[];
  readonly failed: readonly QueuedRun[];
}

/** How a job ended, as recorded in Redis. */
export type JobEnd =
  | { readonly state: 'open' | 'completed' | 'gone' }
  | { readonly state: 'failed'; readonly reason: string };

export type RunQueue = Queue<JobData, JobResult, string>;

/** The values that a pipeline answered. Throws the first error among them. */
function answersOf(replies: Awaited<ReturnType<ReturnType<Redis['pipeline']>['exec']>>): unknown[] {
  return (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

export class SweepQueue {
  readonly address: QueueAddress;
  readonly packages: QueuePackages;
  readonly redis: Redis;
  /** of all keys */
  readonly prefix: string;
  readonly #queue: RunQueue;

  private constructor(address: QueueAddress, packages: QueuePackages, redis: Redis, prefix: string) {
    this.address = address;
    this.prefix = prefix;
    this.packages = packages;
    this.redis = redis;
    this.#queue = new packages.Queue(address.name, { connection: redis, prefix, skipVersionCheck: true });
    // The connection itself reports when it breaks and returns.
    this.#queue.on('error', () => {});
  }

  /**
   * `worker`: name under which the connection counts as a worker. Throws a usage error for an invalid address, an `R2poError` for an unusable server.
   */
  static async open(
    text: string,
    warn: (text: string) => void,
    {
      worker,
      prefix = defaultPrefix,
    }: { readonly worker?: string | undefined; readonly prefix?: string | undefined } = {},
  ): Promise<SweepQueue> {
    const address = parseQueueAddress(text);
    const packages = await loadQueuePackages();
    const connectionName = worker && `${workerPrefix}${address.name}:${worker}`;
    const redis = await openRedis({ packages, address, prefix, warn, connectionName });
    return new SweepQueue(address, packages, redis, prefix);
  }

  /** A Redis key of this queue, separate from those of the queue library. */
  key(name: string): string {
    return this.#queue.toKey(`r2po-${name}`);
  }

  /** Number of cancellations so far. */
  async round(): Promise<number> {
    return Number((await this.redis.get(this.key('round'))) ?? 0);
  }

  /**
   * Adds runs to the queue, each once. `isFinished` checks the files; null: they are not accessible, so Redis decides.
   */
  async enqueue(
    runs: AsyncIterable<SweepRun>,
    isFinished: ((run: SweepRun) => boolean) | null,
    onProgress: (soFar: Enqueued) => void = () => {},
  ): Promise<Enqueued> {
    const round = await this.round();
    const counts = { added: 0, again: 0, known: 0, finished: 0 };
    let chunk: SweepRun[] = [];
    let done: SweepRun[] = [];
    const forget = async (): Promise<void> => {
      await this.#forgetFailures(done);
      done = [];
    };
    const send = async (): Promise<void> => {
      const { fresh, again } = await this.#sort(chunk, isFinished !== null);
      await Promise.all(again.map(({ id }) => this.#queue.remove(jobIdOf(id))));
      await this.#queue.addBulk([...fresh, ...again].map((run) => jobOf(run, round)));
      counts.added += fresh.length + again.length;
      counts.again += again.length;
      counts.known += chunk.length - fresh.length - again.length;
      chunk = [];
      onProgress(counts);
    };
    for await (const run of runs) {
      if (isFinished?.(run)) {
        counts.finished += 1;
        done.push(run);
      } else chunk.push(run);
      if (done.length === chunkSize) await forget();
      if (chunk.length === chunkSize) await send();
    }
    if (done.length > 0) await forget();
    if (chunk.length > 0) await send();
    return counts;
  }

  /** A run that failed here and was finished elsewhere, or restored, has not failed: the files are authoritative. */
  async #forgetFailures(finished: readonly SweepRun[]): Promise<void> {
    const ids = finished.map(({ id }) => jobIdOf(id));
    const asked = this.redis.pipeline();
    for (const id of ids) asked.zscore(this.#queue.toKey('failed'), id);
    const scores = answersOf(await asked.exec());
    await Promise.all(ids.filter((_, i) => scores[i] !== null).map((id) => this.#queue.remove(id)));
  }

  /** Finds the runs that are not in the queue, and those that ended there and must be queued again. */
  async #sort(runs: readonly SweepRun[], filesKnown: boolean): Promise<{ fresh: SweepRun[]; again: SweepRun[] }> {
    const asked = this.redis.pipeline();
    for (const id of runs.map((run) => jobIdOf(run.id))) {
      asked.exists(this.#queue.toKey(id));
      asked.zscore(this.#queue.toKey('failed'), id);
      asked.zscore(this.#queue.toKey('completed'), id);
    }
    const answers = answersOf(await asked.exec());
    const fresh: SweepRun[] = [];
    const again: SweepRun[] = [];
    for (const [i, run] of runs.entries()) {
      const [exists, failed, completed] = answers.slice(3 * i, 3 * i + 3);
      if (exists === 0) fresh.push(run);
      else if (failed !== null || (completed !== null && filesKnown)) again.push(run);
    }
    return { fresh, again };
  }

  /** How jobs ended, by id. */
  async ends(ids: readonly string[]): Promise<JobEnd[]> {
    const asked = this.redis.pipeline();
    for (const id of ids) {
      asked.exists(this.#queue.toKey(id));
      asked.zscore(this.#queue.toKey('completed'), id);
      asked.zscore(this.#queue.toKey('failed'), id);
      asked.hget(this.#queue.toKey(id), 'failedReason');
    }
    const answers = answersOf(await asked.exec());
    return ids.map((_id, i): JobEnd => {
      const [exists, completed, failed, reason] = answers.slice(4 * i, 4 * i + 4);
      if (exists === 0) return { state: 'gone' };
      if (completed !== null) return { state: 'completed' };
      return failed === null ? { state: 'open' } : { state: 'failed', reason: String(reason) };
    });
  }

  async counts(): Promise<QueueStatus['counts']> {
    const counts = await this.#queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed');
    const { waiting = 0, prioritized = 0, delayed = 0, active = 0, completed = 0, failed = 0 } = counts;
    return { waiting: waiting + prioritized, delayed, active, completed, failed };
  }

  async #workers(): Promise<number | null> {
    let text: unknown;
    try {
      text = await this.redis.client('LIST');
    } catch {
      // Some hosted servers forbid this command.
      return null;
    }
    const prefix = `name=${workerPrefix}${this.address.name}:`;
    const names = String(text).match(/\bname=\S+/g) ?? [];
    return new Set(names.filter((name) => name.startsWith(prefix))).size;
  }

  async status(): Promise<QueueStatus> {
    const list = async (...states: ('active' | 'delayed' | 'waiting' | 'prioritized' | 'failed')[]) => {
      const jobs = await this.#queue.getJobs(states, 0, listed - 1);
      // A job may disappear between the two requests.
      return jobs.filter(Boolean).map(
        ({ id, data, progress, failedReason }): QueuedRun => ({
          id: id ?? '?',
          ...describeJob(data),
          progress: typeof progress === 'object' ? (progress as JobProgress) : null,
          reason: failedReason ?? null,
        }),
      );
    };
    const [counts, workers, active, delayed, failed] = await Promise.all([
      this.counts(),
      this.#workers(),
      list('active'),
      list('delayed'),
      list('failed'),
    ]);
    // Read last: a delay that ends meanwhile loses no run.
    const waiting = await list('waiting', 'prioritized');
    const refused = waiting.filter(
      ({ id, progress }) => progress?.waitsFor && delayed.every((other) => other.id !== id),
    );
    return { queue: this.address.shown, counts, workers, active, delayed, refused, failed };
  }

  /**
   * Removes waiting and ended jobs; workers stop their active runs at their next check. The files stay. Returns the numbers of removed and of active runs.
   */
  async cancel(): Promise<{ readonly dropped: number; readonly active: number }> {
    // First, so that a job taken at this moment is also void.
    await this.redis.incr(this.key('round'));
    const { waiting, delayed, active } = await this.counts();
    await this.#queue.drain(true);
    // Jobs' end times come from other clocks, so any age matches.
    const anyAge = -86_400_000;
    for (const state of ['completed', 'failed'] as const) await this.#queue.clean(anyAge, 0, state);
    await this.redis.del(this.key('place'));
    return { dropped: waiting + delayed, active };
  }

  async close(): Promise<void> {
    // Rejects commands that still wait for a lost server.
    if (this.redis.status !== 'ready') this.redis.disconnect();
    await this.#queue.close();
    if (this.redis.status !== 'end') this.redis.disconnect();
  }
}
