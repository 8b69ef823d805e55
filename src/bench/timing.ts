/** How long whole `evaluate` calls take on a backend, statistics included. */

import { quantile } from '../base/order-statistics.ts';
import { type EvaluateResult, evaluate } from '../evaluation/evaluate.ts';
import type { Backend } from '../rollout/backend.ts';
import { type BenchWork, jobOf } from './work.ts';

export interface Timing {
  readonly episodes: number;
  readonly steps: number;
  readonly meanReturn: number;
  /** the whole `evaluate` call, s; the median of several */
  readonly wallSeconds: number;
  /** the same by the GPU's own clock, s; null where it has none */
  readonly gpuSeconds: number | null;
}

/** One call as a search makes it, when all is warm. */
export interface Latency {
  readonly candidates: number;
  /** per candidate */
  readonly episodes: number;
  readonly calls: number;
  readonly medianSeconds: number;
  /** 95 of 100 calls took no longer */
  readonly p95Seconds: number;
}

/** A time that was measured, or one that was not and never passes for one. */
export type BenchDuration =
  | { readonly kind: 'measured'; readonly seconds: number; readonly calls: number }
  | {
      readonly kind: 'estimated';
      readonly seconds: number;
      /** in proportion from a measured call of so many */
      readonly fromEpisodes: number;
    };

export type Million = BenchDuration & { readonly episodes: number };

/** Least time spent on calls that do not count, and on calls that do, s. */
const warmSeconds = 0.2;
/** Numbers of episodes that `affordableEpisodes` chooses from are these, and their doubles in between. */
const episodeRange = { min: 256, max: 2 ** 22 } as const;
/** A search evaluates a proposal and a revision on 20 episodes each. */
const smallCall = { candidates: 2, episodes: 20 } as const;
const latencyCalls = { min: 20, max: 200, seconds: 1 } as const;
const million = 1_000_000;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** The largest power of two of episodes that one `evaluate` call plays within about `seconds`. */
export async function affordableEpisodes(backend: Backend, work: BenchWork, seconds: number): Promise<number> {
  let episodes: number = episodeRange.min;
  // The first call compiles.
  await timedCall(backend, work, 1);
  while (episodes < episodeRange.max) {
    const spent = (await timedCall(backend, work, episodes)).seconds;
    if (spent > seconds / 2) break;
    // Short calls say little; far from the goal, steps are longer.
    episodes *= spent < seconds / 16 ? 4 : 2;
  }
  return Math.min(episodes, episodeRange.max);
}

/** Times warm `evaluate` calls, `repeats` of them or more where they are short; medians. */
export async function time(backend: Backend, work: BenchWork, episodes: number, repeats: number): Promise<Timing> {
  const once = () => timedCall(backend, work, episodes);
  // Warm: buffers grown, threads started, dispatch size found, the loop compiled.
  let last = await once();
  for (let spent = 0; spent < warmSeconds; spent += last.seconds) last = await once();
  const wall = await sample(once, { min: repeats, max: Infinity, seconds: warmSeconds });
  const gpu: number[] = [];
  while (gpu.length < repeats) {
    const { played } = await evaluate({ ...jobOf(work, episodes), backend, timing: true });
    if (played.gpuSeconds === null) break;
    gpu.push(played.gpuSeconds);
  }
  const [summary] = last.result.summaries;
  return {
    episodes,
    steps: summary.steps,
    meanReturn: summary.mean,
    wallSeconds: median(wall),
    gpuSeconds: gpu.length > 0 ? median(gpu) : null,
  };
}

/** Times many small calls, one after the other. */
export async function latency(backend: Backend, work: BenchWork): Promise<Latency> {
  const once = () => timedCall(backend, work, smallCall.episodes, smallCall.candidates);
  for (let spent = 0; spent < warmSeconds; ) spent += (await once()).seconds;
  const times = (await sample(once, latencyCalls)).sort((a, b) => a - b);
  const at = (rank: number): number => times[rank];
  return {
    ...smallCall,
    calls: times.length,
    medianSeconds: median(times),
    p95Seconds: quantile(times.length, 0.95, at),
  };
}

/** A million episodes end to end; in proportion from `timing` where that says they would take `maxSeconds` or more. */
export async function millionEpisodes(
  backend: Backend,
  work: BenchWork,
  timing: Timing,
  maxSeconds: number,
): Promise<Million> {
  const expected = (timing.wallSeconds * million) / timing.episodes;
  if (expected >= maxSeconds) {
    return { kind: 'estimated', episodes: million, seconds: expected, fromEpisodes: timing.episodes };
  }
  const first = (await timedCall(backend, work, million)).seconds;
  const times = await settled(first, () => timedCall(backend, work, million), 3, maxSeconds);
  return { kind: 'measured', episodes: million, seconds: median(times), calls: times.length };
}

export interface TimedCall {
  readonly seconds: number;
  readonly result: EvaluateResult;
}

/** One whole call. What one or two candidates came to is read as well; of thousands only the means. */
export async function timedCall(
  backend: Backend,
  work: BenchWork,
  episodes: number,
  candidates = 1,
): Promise<TimedCall> {
  const job = jobOf(work, episodes, candidates);
  const start = performance.now();
  const result = await evaluate({ ...job, backend });
  if (candidates <= smallCall.candidates) void result.summaries;
  return { seconds: (performance.now() - start) / 1000, result };
}

interface SampleSize {
  readonly min: number;
  readonly max: number;
  /** go on beyond the fewest for so long */
  readonly seconds: number;
}

async function sample(once: () => Promise<TimedCall>, { min, max, seconds }: SampleSize): Promise<number[]> {
  const times: number[] = [];
  for (let spent = 0; times.length < min || (spent < seconds && times.length < max); ) {
    times.push((await once()).seconds);
    spent += times[times.length - 1];
  }
  return times;
}

/**
 * Times of calls after a first one, which still had buffers to grow: `repeats` or more where they are short. The first
 * one alone where it took so long that this does not matter, and more would take more than `maxSeconds`.
 */
export async function settled(
  first: number,
  once: () => Promise<TimedCall>,
  repeats: number,
  maxSeconds: number,
): Promise<number[]> {
  if (first * (repeats + 1) > maxSeconds) return [first];
  return sample(once, { min: repeats, max: Infinity, seconds: warmSeconds / 2 });
}
