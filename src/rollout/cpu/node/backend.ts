/** The float64 backend in Node: on the calling thread or on worker threads, with the same results on any number. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { UsageError } from '../../../base/errors.ts';
import type { Env } from '../../../envs/env.ts';
import { envs } from '../../../envs/index.ts';
import { policyKinds } from '../../../policies/index.ts';
import type { Backend, PlayOptions } from '../../backend.ts';
import { type Episodes, type RolloutJob, stepLimit } from '../../job.ts';
import { checkJob, maxEpisodes } from '../../job-checks.ts';
import type { Outcomes } from '../loop.ts';
import { episodesOf, SingleThreadBackend } from '../single-thread.ts';
import { allocateOutcomes, sliceSize } from '../slices.ts';
import { WorkerPool } from './pool.ts';
import { CANCELLED, NEXT_SLICE } from './worker-job.ts';

export interface CpuOptions {
  /** maximum number of threads; default: as many as the machine runs in parallel */
  readonly threads?: number;
}

/** Shorter jobs are not worth waking the workers, s. */
const parallelSeconds = 0.015;
/** Assumed time of a step in an environment that was not played yet, s. */
const defaultStepSeconds = 3e-8;
/** Shorter jobs are dominated by warm-up, s. */
const minReliableSeconds = 0.005;
/** Maximum number of outcomes in the memory that is kept for the next job. */
const keptEpisodes = 2 ** 20;
/** Interval between progress reports, ms. */
const progressMs = 200;

/**
 * V8 stops inlining into the episode loop after about a thousand bytes of code: enough for CartPole, half of what a
 * step of Acrobot or a draw of FrozenLake takes (a fifth and three fifths more speed). The flags hold for the process.
 */
function inlineWholeSteps(): void {
  setFlagsFromString('--max-inlined-bytecode-size=2000');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
}

/**
 * Opens the cpu backend. Results do not depend on `threads`: every episode is computed from its own seed, by the same
 * code. Throws a usage error when `threads` is not a positive whole number.
 */
export function openCpuBackend(options: CpuOptions = {}): Backend {
  const threads = options.threads ?? availableParallelism();
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new UsageError('cpu', `expected a positive whole number of threads, got ${threads}`);
  }
  inlineWholeSteps();
  return new ThreadedBackend(threads);
}

class ThreadedBackend extends SingleThreadBackend {
  readonly #threads: number;
  readonly #pool: WorkerPool;
  /** shortest measured time of one step on one thread, s */
  readonly #stepSeconds = new WeakMap<Env, number>();
  /** reused memory for small jobs */
  #shared: Outcomes | null = null;
  /** the last job given to the workers; they take one at a time */
  #pooled: Promise<unknown> = Promise.resolve();

  constructor(threads: number) {
    super();
    this.#threads = threads;
    this.#pool = new WorkerPool(threads);
  }

  override async play(job: RolloutJob, options: PlayOptions = {}): Promise<Episodes> {
    this.checkOpen();
    checkJob(job, maxEpisodes);
    const total = job.candidates.length * job.episodes;
    const longest = total * stepLimit(job).steps * (this.#stepSeconds.get(job.env) ?? defaultStepSeconds);
    const parallel = this.#threads > 1 && longest >= parallelSeconds && isRegistered(job);
    const played = parallel ? await this.#playParallel(job, total, options) : await super.play(job, options);
    const { seconds, steps } = played;
    if (seconds >= minReliableSeconds) {
      const seen = (seconds * (parallel ? this.#threads : 1)) / steps;
      this.#stepSeconds.set(job.env, Math.min(seen, this.#stepSeconds.get(job.env) ?? Infinity));
    }
    return played;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#pooled;
    await this.#pool.close();
  }

  async #playParallel(job: RolloutJob, total: number, options: PlayOptions): Promise<Episodes> {
    const start = performance.now();
    options.signal?.throwIfAborted();
    return episodesOf(await this.#playInTurn(job, total, options), start);
  }

  /** The workers take one job at a time. */
  #playInTurn(job: RolloutJob, total: number, options: PlayOptions): Promise<Outcomes> {
    const turn = this.#pooled.then(async () => {
      if (total > keptEpisodes) {
        const outcomes = allocateOutcomes(total, true);
        await this.#playInWorkers(job, outcomes, options);
        return outcomes;
      }
      // The same memory each time: a worker lets go of what it was given only when it collects its garbage, and it makes
      // hardly any.
      this.#shared ??= allocateOutcomes(keptEpisodes, true);
      const { returns, lengths, ends } = this.#shared;
      const shared = {
        returns: returns.subarray(0, total),
        lengths: lengths.subarray(0, total),
        ends: ends.subarray(0, total),
      };
      await this.#playInWorkers(job, shared, options);
      return { returns: shared.returns.slice(), lengths: shared.lengths.slice(), ends: shared.ends.slice() };
    });
    this.#pooled = turn.catch(() => undefined);
    return turn;
  }

  async #playInWorkers(job: RolloutJob, outcomes: Outcomes, options: PlayOptions): Promise<void> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const total = outcomes.returns.length;
    const limit = stepLimit(job);
    const size = sliceSize(total, limit.steps, this.#threads);
    const control = new Int32Array(new SharedArrayBuffer(8));
    const cancel = () => Atomics.store(control, CANCELLED, 1);
    signal?.addEventListener('abort', cancel);
    const progressTimer = onProgress && setInterval(() => onProgress(taken(control, size, total)), progressMs);
    try {
      await this.#pool.run(
        {
          env: { name: job.env.module ?? job.env.id, options: job.env.options },
          policy: { kind: job.policy.kind, options: job.policy.options },
          candidates: job.candidates,
          episodes: job.episodes,
          seed: job.seed,
          limit,
          sliceSize: size,
          total,
          outcomes,
          control,
        },
        Math.min(this.#threads, Math.ceil(total / size)),
      );
    } finally {
      clearInterval(progressTimer);
      signal?.removeEventListener('abort', cancel);
    }
    signal?.throwIfAborted();
  }
}

/** The share of the entries that workers have taken. */
function taken(control: Int32Array, size: number, total: number): number {
  return Math.min(1, (Atomics.load(control, NEXT_SLICE) * size) / total);
}

/** Workers find environment and policy by name; others are played on the calling thread only. */
function isRegistered(job: RolloutJob): boolean {
  const known =
    job.env.module !== null || envs.some((e) => e === job.env || (e.id === job.env.id && e.withOptions !== null));
  return known && policyKinds.some((kind) => kind.id === job.policy.kind);
}
