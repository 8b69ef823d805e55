/**
 * One backend for many runs: requests that wait during a call are merged into one call when environment,
 * policy and settings agree. Every candidate keeps its own seeds, so each run gets the numbers that it would get alone.
 */
import { nextTurn } from '../base/async.ts';
import { Numbering } from '../base/numbering.ts';
import type { Env } from '../envs/env.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend, PlayOptions } from './backend.ts';
import { type Episodes, firstSeed, type Played, type RolloutJob } from './job.ts';
import { checkJob, maxEpisodes, maxMeasuredEpisodes } from './job-checks.ts';
import type { Measured, StatisticsRequest } from './statistics.ts';

/** Maximum number of episodes of a merged call, so that memory does not grow with the number of runs. */
const maxBatch = 2 ** 20;

export interface SharedBackend extends Backend {
  /** `requests` to this backend, and `calls` to the wrapped one */
  readonly counts: { readonly requests: number; readonly calls: number };
}

/** How a merged job is played and its result divided. */
interface Mode<T> {
  call(job: RolloutJob, options: PlayOptions): Promise<T>;
  /** of the candidates `from ... from + count - 1` */
  part(result: T, job: RolloutJob, from: number, count: number): T;
}

interface Request {
  readonly key: string;
  readonly job: RolloutJob;
  readonly options: PlayOptions;
  readonly mode: Mode<unknown>;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

/** The times of the whole call: those of a part are not known. */
function sharedTime({ seconds, compileSeconds }: Played) {
  return { seconds, compileSeconds, gpuSeconds: null };
}

/** Wraps `backend`; closing closes it. Jobs share a call only when they name the same environment and policy objects. */
export function batchingBackend(backend: Backend): SharedBackend {
  return new BatchingBackend(backend);
}

class BatchingBackend implements SharedBackend {
  readonly id: Backend['id'];
  readonly trace: Backend['trace'];
  readonly resets: Backend['resets'];
  readonly probe: Backend['probe'];
  readonly #backend: Backend;
  readonly #numbering = new Numbering();
  readonly #play: Mode<Episodes>;
  #waiting: Request[] = [];
  #pumping: Promise<void> | null = null;
  #requests = 0;
  #calls = 0;

  constructor(backend: Backend) {
    this.id = backend.id;
    this.trace = (...args) => backend.trace(...args);
    this.resets = (...args) => backend.resets(...args);
    this.probe = (...args) => backend.probe(...args);
    this.#backend = backend;
    this.#play = {
      call: (job, options) => backend.play(job, options),
      part: (all, { episodes }, from, count) => {
        const [start, end] = [from * episodes, (from + count) * episodes];
        const lengths = all.lengths.slice(start, end);
        const steps = lengths.reduce((sum, length) => sum + length, 0);
        const [returns, ends] = [all.returns.slice(start, end), all.ends.slice(start, end)];
        return { returns, lengths, ends, steps, ...sharedTime(all) };
      },
    };
  }

  get adapter(): string | null {
    return this.#backend.adapter;
  }

  get counts(): SharedBackend['counts'] {
    return { requests: this.#requests, calls: this.#calls };
  }

  supports(env: Env, policy: Policy | null): string | null {
    return this.#backend.supports(env, policy);
  }

  async play(job: RolloutJob, options: PlayOptions = {}): Promise<Episodes> {
    checkJob(job, maxEpisodes);
    return this.#ask('play', job, options, this.#play);
  }

  async measure(job: RolloutJob, request: StatisticsRequest, options: PlayOptions = {}): Promise<Measured> {
    checkJob(job, maxMeasuredEpisodes);
    const mode: Mode<Measured> = {
      call: (joint, given) => this.#backend.measure(joint, request, given),
      part: (all, _, from, count) => {
        const parts = Array.from({ length: count }, (_, c) => all.of(from + c));
        const steps = parts.reduce((sum, part) => sum + part.steps, 0);
        const means = all.means.slice(from, from + count);
        return { means, steps, of: (candidate) => parts[candidate]!, ...sharedTime(all) };
      },
    };
    return this.#ask(`measure ${JSON.stringify(request)}`, job, options, mode);
  }

  async close(): Promise<void> {
    await this.#pumping;
    await this.#backend.close();
  }

  #ask<T>(what: string, job: RolloutJob, options: PlayOptions, mode: Mode<T>): Promise<T> {
    this.#requests += 1;
    const { env, policy, episodes, maxSteps } = job;
    // A timed call is not merged.
    const own = options.timing ? this.#requests : null;
    const key = JSON.stringify([what, this.#numbering.of(env), this.#numbering.of(policy), episodes, maxSteps, own]);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        key,
        job,
        options,
        mode: mode as Mode<unknown>,
        resolve: resolve as (result: unknown) => void,
        reject,
      });
      this.#pumping ??= this.#pump().finally(() => {
        this.#pumping = null;
      });
    });
  }

  /** Makes one call after the other, the oldest request first, until no request waits. */
  async #pump(): Promise<void> {
    // Runs that were woken by the same event ask in the same turn.
    await nextTurn();
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      if (group.length > 0) await this.#answer(group);
      await nextTurn();
    }
  }

  #nextGroup(): Request[] {
    const { key } = this.#waiting[0]!;
    const group: Request[] = [];
    const rest: Request[] = [];
    let episodes = 0;
    for (const request of this.#waiting) {
      const { signal } = request.options;
      const size = request.job.candidates.length * request.job.episodes;
      if (signal?.aborted) request.reject(signal.reason);
      else if (request.key !== key || (group.length > 0 && episodes + size > maxBatch)) rest.push(request);
      else {
        group.push(request);
        episodes += size;
      }
    }
    this.#waiting = rest;
    return group;
  }

  async #answer(group: readonly Request[]): Promise<void> {
    if (group.length === 1) return this.#answerAlone(group[0]!);
    const { job: first, mode } = group[0]!;
    const candidates = group.flatMap(({ job }) => job.candidates);
    const seed = group.flatMap(({ job }) => job.candidates.map((_, c) => firstSeed(job, c)));
    const joint = { ...first, candidates, seed };
    let result: unknown;
    try {
      this.#calls += 1;
      result = await mode.call(joint, {});
    } catch {
      // One bad request fails the merged call: each is played alone and gets its own result or error.
      for (const request of group) await this.#answerAlone(request);
      return;
    }
    let from = 0;
    for (const { job, options, resolve, reject } of group) {
      if (options.signal?.aborted) reject(options.signal.reason);
      else resolve(mode.part(result, joint, from, job.candidates.length));
      from += job.candidates.length;
    }
  }

  async #answerAlone({ job, options, mode, resolve, reject }: Request): Promise<void> {
    this.#calls += 1;
    await mode.call(job, options).then(resolve, reject);
  }
}
