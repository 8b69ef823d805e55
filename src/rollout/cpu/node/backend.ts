/** The float64 backend: episodes on the calling thread or on worker threads, with the same results on any number. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { nextTurn } from '../../../base/async.ts';
import { R2poError, UsageError } from '../../../base/errors.ts';
import { RecordedDraws } from '../../../base/rng/draws.ts';
import { type Env, observationSize, stateArraySize, type Transition } from '../../../envs/env.ts';
import { envs } from '../../../envs/index.ts';
import { policyKinds } from '../../../policies/index.ts';
import type { Backend, PlayOptions } from '../../backend.ts';
import { hostStatistics } from '../../host-statistics.ts';
import {
  type Episodes,
  endCauses,
  firstSeed,
  type ProbeInput,
  type ProbeOutput,
  type RolloutJob,
  stepLimit,
  type Trace,
} from '../../job.ts';
import { checkEpisode, checkJob, checkProbes, maxEpisodes, maxMeasuredEpisodes } from '../../job-checks.ts';
import { startStates } from '../../start-states.ts';
import type { Measured, StatisticsRequest } from '../../statistics.ts';
import { type Outcomes, Player, Recorder } from '../loop.ts';
import { WorkerPool } from './pool.ts';
import { allocateOutcomes, CANCELLED, NEXT_SLICE, sliceSize } from './worker-job.ts';

export interface CpuOptions {
  /** most threads that play at once; as many as the machine runs in parallel when left out */
  readonly threads?: number;
}

/** A job that can take no longer than this is not worth waking the workers, s. */
const parallelSeconds = 0.015;
/** What a step takes in an environment that was not played yet, s. */
const defaultStepSeconds = 3e-8;
/** Shorter jobs are dominated by warm-up, s. */
const minReliableSeconds = 0.005;
/** A slice on the calling thread should take between these, ms: little overhead, and soon done. */
const sliceTime = { min: 2, max: 10 } as const;

/** Most outcomes in the memory that is kept for the next job. */
const keptEpisodes = 2 ** 20;
/** Between two looks at how far the workers are, ms. */
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
 * code. Throws a usage error when `threads` is no positive whole number.
 */
export function openCpuBackend(options: CpuOptions = {}): Backend {
  const threads = options.threads ?? availableParallelism();
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new UsageError('cpu', `expected a positive whole number of threads, got ${threads}`);
  }
  inlineWholeSteps();
  return new CpuBackend(threads);
}

class CpuBackend implements Backend {
  readonly id = 'cpu';
  readonly adapter = null;
  readonly #threads: number;
  readonly #pool: WorkerPool;
  /** the shortest time of one step on one thread that was seen, s */
  readonly #stepSeconds = new WeakMap<Env, number>();
  /** what workers write into when there is not much */
  #shared: Outcomes | null = null;
  /** the last job given to the workers; they take one at a time */
  #pooled: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(threads: number) {
    this.#threads = threads;
    this.#pool = new WorkerPool(threads);
  }

  supports(): null {
    return null;
  }

  async play(job: RolloutJob, options: PlayOptions = {}): Promise<Episodes> {
    this.#checkOpen();
    checkJob(job, maxEpisodes);
    const start = performance.now();
    options.signal?.throwIfAborted();
    const total = job.candidates.length * job.episodes;
    const longest = total * stepLimit(job).steps * (this.#stepSeconds.get(job.env) ?? defaultStepSeconds);
    const parallel = this.#threads > 1 && longest >= parallelSeconds && isRegistered(job);
    const outcomes = parallel ? await this.#playInTurn(job, total, options) : allocateOutcomes(total, false);
    if (!parallel) await playHere(job, outcomes, options);
    let steps = 0;
    for (const length of outcomes.lengths) steps += length;
    const seconds = (performance.now() - start) / 1000;
    if (seconds >= minReliableSeconds) {
      const seen = (seconds * (parallel ? this.#threads : 1)) / steps;
      this.#stepSeconds.set(job.env, Math.min(seen, this.#stepSeconds.get(job.env) ?? Infinity));
    }
    return { ...outcomes, steps, seconds, gpuSeconds: null, compileSeconds: null };
  }

  async measure(job: RolloutJob, request: StatisticsRequest, options?: PlayOptions): Promise<Measured> {
    checkJob(job, maxMeasuredEpisodes);
    return hostStatistics((part, given) => this.play(part, given), job, request, options);
  }

  async trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace> {
    this.#checkOpen();
    checkJob(job, maxMeasuredEpisodes);
    checkEpisode(job, candidate, episode);
    const player = new Player(job.env, job.policy, stepLimit(job));
    const recorder = new Recorder(job.env);
    const outcomes = allocateOutcomes(1, false);
    const seed = firstSeed(job, candidate) + episode;
    player.play({ candidates: [job.candidates[candidate]], episodes: 1, seed }, 0, 1, outcomes, recorder);
    return {
      env: job.env.id,
      seed,
      return: outcomes.returns[0],
      length: outcomes.lengths[0],
      end: endCauses[outcomes.ends[0]],
      steps: recorder.steps,
      finalState: Array.from(player.state.subarray(0, job.env.state.length)),
    };
  }

  async resets(env: Env, seed: number, count: number): Promise<number[][]> {
    this.#checkOpen();
    return startStates(env, seed, count);
  }

  async probe(env: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]> {
    this.#checkOpen();
    checkProbes(env, inputs);
    const observation = new Float64Array(observationSize(env.observation));
    const transition: Transition = { reward: 0, terminated: false };
    return inputs.map((input) => {
      const state = new Float64Array(stateArraySize(env));
      state.set(input.state);
      const draws = new RecordedDraws(input.draws ?? []);
      env.dynamics.step(env.params, state, Float64Array.from(input.action), draws, transition);
      env.dynamics.observe(env.params, state, observation);
      return { state: Array.from(state.subarray(0, env.state.length)), obs: Array.from(observation), ...transition };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pooled;
    await this.#pool.close();
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
    const told = onProgress && setInterval(() => onProgress(taken(control, size, total)), progressMs);
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
      clearInterval(told);
      signal?.removeEventListener('abort', cancel);
    }
    signal?.throwIfAborted();
  }

  #checkOpen(): void {
    if (this.#closed) throw new R2poError('cpu', 'expected an open backend, got a closed one; open another');
  }
}

/** Plays on the calling thread; timers, input and signals get their turn between slices. */
async function playHere(job: RolloutJob, outcomes: Outcomes, options: PlayOptions): Promise<void> {
  const { signal, onProgress } = options;
  const limit = stepLimit(job);
  const player = new Player(job.env, job.policy, limit);
  const total = outcomes.returns.length;
  let size = sliceSize(total, limit.steps, 1);
  for (let from = 0; from < total; ) {
    if (from > 0) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    const to = Math.min(from + size, total);
    const start = performance.now();
    player.play(job, from, to, outcomes, null);
    const spent = performance.now() - start;
    if (spent < sliceTime.min) size *= 2;
    else if (spent > sliceTime.max) size = Math.ceil(size / 2);
    from = to;
    onProgress?.(from / total);
  }
}

/** The share of the entries that workers have taken. */
function taken(control: Int32Array, size: number, total: number): number {
  return Math.min(1, (Atomics.load(control, NEXT_SLICE) * size) / total);
}

/** Workers find environment and policy by name; what has none can be played on the calling thread only. */
function isRegistered(job: RolloutJob): boolean {
  const known =
    job.env.module !== null || envs.some((e) => e === job.env || (e.id === job.env.id && e.withOptions !== null));
  return known && policyKinds.some((kind) => kind.id === job.policy.kind);
}
