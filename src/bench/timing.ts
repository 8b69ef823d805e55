/** Times whole `evaluate` calls on a backend, statistics included. */

import { quantile } from '../base/order-statistics.ts';
import { type EvaluateResult, evaluate } from '../evaluation/evaluate.ts';
import type { Backend } from '../rollout/backend.ts';
import { type BenchWork, jobOf } from './work.ts';

export interface Timing {
  readonly episodes: number;
  readonly steps: number;
  readonly meanReturn: number;
  /** time of the whole `evaluate` call, median, s */
  readonly wallSeconds: number;
  /** the same by the GPU's own clock, s; null: it has none */
  readonly gpuSeconds: number | null;
}

/** Latency of a warm call of a search's size. */
export interface Latency {
  readonly candidates: number;
  /** per candidate */
  readonly episodes: number;
  readonly calls: number;
  readonly medianSeconds: number;
  /** 95th percentile, s */
  readonly p95Seconds: number;
}

/** A measured time, or an estimate that is marked as such. */
export type BenchDuration =
  | { readonly kind: 'measured'; readonly seconds: number; readonly calls: number }
  | {
      readonly kind: 'estimated';
      readonly seconds: number;
      /** extrapolated from a measured call of this many episodes */
      readonly fromEpisodes: number;
    };

export type Million = BenchDuration & { readonly episodes: number };

/** Minimum time of the warm-up calls, and of the measured calls, s. */
const warmSeconds = 0.2;
/** Range of `affordableEpisodes`, which returns powers of two. */
const episodeRange = { min: 256, max: 2 ** 22 } as const;
/** A search evaluates a proposal and a revision on 20 episodes each. */
const smallCall = { candidates: 2, episodes: 20 } as const;
const latencyCalls = { min: 20, max: 200, seconds: 1 } as const;
const million = 1_000_000;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** The largest power of two of episodes that one `evaluate` call plays within about `seconds`. */
export async function affordableEpisodes(backend: Backend, work: BenchWork, seconds: number): Promise<number> {
  let episodes: number = episodeRange.min;
  // The first call compiles.
  await timedCall(backend, work, 1);
  while (episodes < episodeRange.max) {
    let spent = (await timedCall(backend, work, episodes)).seconds;
    // A first call of a size may have started threads or grown buffers, so that only a second one decides.
    if (spent > seconds / 2) spent = (await timedCall(backend, work, episodes)).seconds;
    if (spent > seconds / 2) break;
    // Short calls are unreliable; far from the target, the steps are larger.
    episodes *= spent < seconds / 16 ? 4 : 2;
  }
  return Math.min(episodes, episodeRange.max);
}

/** Medians of warm `evaluate` calls: `repeats`, or more if they are short. */
export async function time(backend: Backend, work: BenchWork, episodes: number, repeats: number): Promise<Timing> {
  const once = () => timedCall(backend, work, episodes);
  // Warm-up: grows buffers, starts threads, finds the dispatch size, compiles the loop.
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
    steps: summary!.steps,
    meanReturn: summary!.mean,
    wallSeconds: median(wall),
    gpuSeconds: gpu.length > 0 ? median(gpu) : null,
  };
}

/** Times many small sequential calls. */
export async function latency(backend: Backend, work: BenchWork): Promise<Latency> {
  const once = () => timedCall(backend, work, smallCall.episodes, smallCall.candidates);
  for (let spent = 0; spent < warmSeconds; ) spent += (await once()).seconds;
  const times = (await sample(once, latencyCalls)).sort((a, b) => a - b);
  const at = (rank: number): number => times[rank]!;
  return {
    ...smallCall,
    calls: times.length,
    medianSeconds: median(times),
    p95Seconds: quantile(times.length, 0.95, at),
  };
}

/** Times a million episodes; extrapolates from `timing` when they would take `maxSeconds` or more. */
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

/** Times one whole call, including the summaries for up to two candidates and only the means for more. */
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
  /** continue beyond `min` for this time, s */
  readonly seconds: number;
}

async function sample(once: () => Promise<TimedCall>, { min, max, seconds }: SampleSize): Promise<number[]> {
  const times: number[] = [];
  for (let spent = 0; times.length < min || (spent < seconds && times.length < max); ) {
    times.push((await once()).seconds);
    spent += times[times.length - 1]!;
  }
  return times;
}

/**
 * Times of calls after a first one that still grew buffers: `repeats`, or more if they are short. Returns the first
 * time alone when repeating would take more than `maxSeconds`; buffer growth is then negligible.
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
