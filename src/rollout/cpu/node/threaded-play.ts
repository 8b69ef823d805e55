/** Episodes on worker threads, with the same results as on the calling thread. */
import type { Env } from '../../../envs/env.ts';
import { codeOf } from '../../../envs/node/load.ts';
import { isNamed } from '../../../envs/origin.ts';
import { isBuilt } from '../../../policies/policy.ts';
import { type CountedEpisodes, type CountingOptions, EpisodeCounts, type EpisodeTotals } from '../../episode-counts.ts';
import { type Episodes, type RolloutJob, stepLimit } from '../../job.ts';
import type { Outcomes } from '../loop.ts';
import { episodesOf } from '../single-thread.ts';
import { allocateOutcomes, partOf, sliceSize } from '../slices.ts';
import { WorkerPool } from './pool.ts';
import { CANCELLED, NEXT_SLICE } from './worker-job.ts';

/** Shorter jobs are not worth waking the workers, s. */
const parallelSeconds = 0.015;
/** Shorter jobs are dominated by warm-up, s. */
const minReliableSeconds = 0.005;
/** Maximum number of outcomes in the memory that is kept for the next job. */
const keptEpisodes = 2 ** 20;
/** Interval between progress reports, ms. */
const progressMs = 200;

export interface ThreadedPlayOptions {
  /** maximum number of threads */
  readonly threads: number;
  /** path of the worker file below the package root; default: that of the cpu backend */
  readonly entry?: string;
  /** assumed time of a step in an environment that was not played yet, s */
  readonly stepSeconds: number;
  /** makes what all workers need for a job, once; it is posted to them */
  readonly prepare?: (job: RolloutJob) => Promise<unknown>;
}

/** Plays a job on the calling thread. */
export type PlayAlone = (job: RolloutJob, options: CountingOptions) => Promise<Episodes>;

export class ThreadedPlay {
  readonly #threads: number;
  readonly #defaultStepSeconds: number;
  readonly #pool: WorkerPool;
  readonly #prepare: ThreadedPlayOptions['prepare'];
  /** shortest measured time of one step on one thread, s */
  readonly #stepSeconds = new WeakMap<Env, number>();
  /**
   * Reused memory for small jobs: two that transient ones take in turn, so that workers write the one while a caller reads
   * the other, and a third for jobs whose outcomes are copied before the next job begins.
   */
  readonly #shared: Outcomes[] = [];
  #turns = 0;
  /** the last job given to the workers; they take one at a time */
  #pooled: Promise<unknown> = Promise.resolve();

  constructor({ threads, entry, stepSeconds, prepare }: ThreadedPlayOptions) {
    this.#prepare = prepare;
    this.#threads = threads;
    this.#defaultStepSeconds = stepSeconds;
    this.#pool = new WorkerPool(threads, entry);
  }

  /** Plays a checked job on the workers where that is worth it, else by `alone`. */
  async play(job: RolloutJob, options: CountingOptions, alone: PlayAlone): Promise<CountedEpisodes> {
    const total = job.candidates.length * job.episodes;
    const longest = total * stepLimit(job).steps * (this.#stepSeconds.get(job.env) ?? this.#defaultStepSeconds);
    const parallel = this.#threads > 1 && longest >= parallelSeconds && isPosted(job);
    const played = parallel ? await this.#playParallel(job, total, options) : await alone(job, options);
    const { seconds, steps } = played;
    if (seconds >= minReliableSeconds) {
      const seen = (seconds * (parallel ? this.#threads : 1)) / steps;
      this.#stepSeconds.set(job.env, Math.min(seen, this.#stepSeconds.get(job.env) ?? Infinity));
    }
    return played;
  }

  async close(): Promise<void> {
    await this.#pooled;
    await this.#pool.close();
  }

  async #playParallel(job: RolloutJob, total: number, options: CountingOptions): Promise<CountedEpisodes> {
    const start = performance.now();
    options.signal?.throwIfAborted();
    const { outcomes, totals } = await this.#playInTurn(job, total, options);
    return { ...episodesOf(outcomes, start), totals };
  }

  /** The workers take one job at a time. */
  #playInTurn(job: RolloutJob, total: number, options: CountingOptions): Promise<Finished> {
    const turn = this.#pooled.then(async () => {
      if (total > keptEpisodes) {
        const outcomes = allocateOutcomes(total, true);
        return { outcomes, totals: await this.#playInWorkers(job, outcomes, options) };
      }
      // The same memory each time: a worker lets go of what it was given only when it collects its garbage, and it makes
      // hardly any.
      const place = options.transient ? this.#turns++ % 2 : 2;
      this.#shared[place] ??= allocateOutcomes(keptEpisodes, true);
      const shared = partOf(this.#shared[place], 0, total);
      const totals = await this.#playInWorkers(job, shared, options);
      if (options.transient) return { outcomes: shared, totals };
      const { returns, lengths, ends } = shared;
      return { outcomes: { returns: returns.slice(), lengths: lengths.slice(), ends: ends.slice() }, totals };
    });
    this.#pooled = turn.catch(() => undefined);
    return turn;
  }

  async #playInWorkers(
    job: RolloutJob,
    outcomes: Outcomes,
    options: CountingOptions,
  ): Promise<EpisodeTotals | undefined> {
    const { signal, onProgress, countSuccesses } = options;
    signal?.throwIfAborted();
    const total = outcomes.returns.length;
    const limit = stepLimit(job);
    const size = sliceSize(total, limit.steps, this.#threads);
    const workers = Math.min(this.#threads, Math.ceil(total / size));
    // They start while this thread prepares.
    if (this.#prepare) this.#pool.start(workers);
    const prepared = await this.#prepare?.(job);
    signal?.throwIfAborted();
    const control = new Int32Array(new SharedArrayBuffer(8));
    const cancel = () => Atomics.store(control, CANCELLED, 1);
    signal?.addEventListener('abort', cancel);
    const failures: unknown[] = [];
    const report = () => {
      // Thrown out of a timer it would end the process.
      try {
        onProgress?.(taken(control, size, total));
      } catch (error) {
        failures.push(error);
        cancel();
        clearInterval(progressTimer);
      }
    };
    const progressTimer = onProgress && setInterval(report, progressMs);
    let counted: readonly (EpisodeTotals | null)[];
    try {
      counted = await this.#pool.run(
        {
          env: {
            name: job.env.module ?? job.env.id,
            code: codeOf(job.env),
            options: job.env.options,
            changed: job.env.changed,
          },
          policy: { kind: job.policy.kind, options: job.policy.options },
          candidates: job.candidates,
          episodes: job.episodes,
          seed: job.seed,
          limit,
          prepared,
          countSuccesses,
          sliceSize: size,
          total,
          workers,
          outcomes,
          control,
        },
        workers,
      );
    } finally {
      clearInterval(progressTimer);
      signal?.removeEventListener('abort', cancel);
    }
    signal?.throwIfAborted();
    if (failures.length > 0) throw failures[0];
    if (countSuccesses === undefined) return undefined;
    const counts = new EpisodeCounts(countSuccesses);
    for (const totals of counted) if (totals) counts.merge(totals, 0);
    return counts.totals();
  }
}

interface Finished {
  readonly outcomes: Outcomes;
  readonly totals: EpisodeTotals | undefined;
}

/** The share of the entries that workers have taken. */
function taken(control: Int32Array, size: number, total: number): number {
  return Math.min(1, (Atomics.load(control, NEXT_SLICE) * size) / total);
}

/** Workers build environment and policy again by name; other objects are played on the calling thread only. */
const isPosted = ({ env, policy }: RolloutJob): boolean => isNamed(env) && isBuilt(policy);
