/** The float64 backend on the calling thread: needs no workers, so that it runs in a page too. */
import { nextTurn } from '../../base/async.ts';
import { R2poError } from '../../base/errors.ts';
import { RecordedDraws } from '../../base/rng/draws.ts';
import { type Env, observationSize, stateArraySize, type Transition } from '../../envs/env.ts';
import type { Backend, PlayOptions } from '../backend.ts';
import type { CountedEpisodes, CountingOptions } from '../episode-counts.ts';
import { hostStatistics } from '../host-statistics.ts';
import {
  type Episodes,
  endCauses,
  firstSeed,
  type ProbeInput,
  type ProbeOutput,
  type RolloutJob,
  stepLimit,
  type Trace,
} from '../job.ts';
import { checkEpisode, checkJob, checkProbes, maxEpisodes, maxMeasuredEpisodes } from '../job-checks.ts';
import { startStates } from '../start-states.ts';
import type { Measured, StatisticsRequest } from '../statistics.ts';
import { type EpisodePlayer, type Outcomes, Player, Recorder } from './loop.ts';
import { allocateOutcomes, sliceSize } from './slices.ts';

/** A slice on the calling thread should take between these, ms: little overhead, and soon done. */
const sliceTime = { min: 2, max: 10 } as const;

/** The float64 backend on the calling thread, for pages and small jobs. */
export class SingleThreadBackend implements Backend {
  /** its name in results */
  readonly id = 'cpu';
  readonly adapter = null;
  #closed = false;

  supports(): null {
    return null;
  }

  async play(job: RolloutJob, options: CountingOptions = {}): Promise<CountedEpisodes> {
    this.checkOpen();
    checkJob(job, maxEpisodes);
    const start = performance.now();
    options.signal?.throwIfAborted();
    const outcomes = allocateOutcomes(job.candidates.length * job.episodes, false);
    await playSlices(job, new Player(job.env, job.policy, stepLimit(job)), outcomes, options);
    return episodesOf(outcomes, start);
  }

  async measure(job: RolloutJob, request: StatisticsRequest, options?: PlayOptions): Promise<Measured> {
    checkJob(job, maxMeasuredEpisodes);
    return hostStatistics((part, given) => this.play(part, given), job, request, options);
  }

  async trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace> {
    this.checkOpen();
    checkJob(job, maxMeasuredEpisodes);
    checkEpisode(job, candidate, episode);
    const player = new Player(job.env, job.policy, stepLimit(job));
    const recorder = new Recorder(job.env);
    const outcomes = allocateOutcomes(1, false);
    const seed = firstSeed(job, candidate) + episode;
    player.play({ candidates: [job.candidates[candidate]!], episodes: 1, seed }, 0, 1, outcomes, recorder);
    return {
      env: job.env.id,
      seed,
      return: outcomes.returns[0]!,
      length: outcomes.lengths[0]!,
      end: endCauses[outcomes.ends[0]!]!,
      steps: recorder.steps,
      finalState: Array.from(player.state.subarray(0, job.env.state.length)),
    };
  }

  async resets(env: Env, seed: number, count: number): Promise<number[][]> {
    this.checkOpen();
    return startStates(env, seed, count);
  }

  async probe(env: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]> {
    this.checkOpen();
    checkProbes(env, inputs, 'f64');
    const observation = new Float64Array(observationSize(env.observation));
    return inputs.map((input) => {
      const transition: Transition = { reward: 0, terminated: false };
      const state = new Float64Array(stateArraySize(env));
      state.set(input.state);
      const draws = new RecordedDraws(input.draws ?? []);
      env.dynamics.step(env.params, state, Float64Array.from(input.action), draws, transition);
      env.dynamics.observe(env.params, state, observation);
      return { state: Array.from(state.subarray(0, env.state.length)), obs: Array.from(observation), ...transition };
    });
  }

  /** After it, every call throws `R2poError`. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Throws `R2poError` when it is closed. */
  protected checkOpen(): void {
    if (this.#closed) throw new R2poError('cpu', 'expected an open backend, got a closed one; open another');
  }
}

/** The outcomes of a call that began at `start`, on the clock of `performance.now`. */
export function episodesOf(outcomes: Outcomes, start: number): Episodes {
  const { lengths } = outcomes;
  let steps = 0;
  // An iterator takes several times as long.
  for (let i = 0; i < lengths.length; i++) steps += lengths[i]!;
  const seconds = (performance.now() - start) / 1000;
  return { ...outcomes, steps, seconds, gpuSeconds: null, compileSeconds: null };
}

/** Plays a job on the calling thread. Timers, input and signals run between slices. */
export async function playSlices(
  job: RolloutJob,
  player: EpisodePlayer,
  outcomes: Outcomes,
  options: PlayOptions,
): Promise<void> {
  const { signal, onProgress } = options;
  const limit = stepLimit(job);
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
