/** What `r2po bench` measures: speed, compile time, and what the episode loop leaves on the heap. */
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { UsageError } from '../base/errors.ts';
import { Generator } from '../base/rng/generator.ts';
import type { Env } from '../envs/env.ts';
import { policyKinds } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import { type Backend, type RolloutJob, usualCap } from '../rollout/backend.ts';
import { evaluate } from './evaluate.ts';

/** One policy in one environment, as often as asked. */
export interface Work {
  readonly env: Env;
  readonly policy: Policy;
  readonly params: Float64Array;
  /** for an environment without a limit of its own */
  readonly maxSteps: number | null;
}

export interface Timing {
  readonly episodes: number;
  readonly steps: number;
  readonly meanReturn: number;
  /** the whole `evaluate` call, statistics included, s */
  readonly wallSeconds: number;
  /** by the GPU's own clock, s; null where it has none */
  readonly gpuSeconds: number | null;
}

/** Least time spent on calls that do not count, and on calls that do, s. */
const warmSeconds = 0.2;
/** Numbers of episodes that `affordableEpisodes` chooses from are these, and their doubles in between. */
const episodeRange = { fewest: 256, most: 2 ** 22 } as const;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** The first policy kind that acts in `env`, with the random parameters whose episodes last longest. */
export async function longPlayingWork(env: Env, backend: Backend): Promise<Work> {
  const kind = policyKinds.find((k) => k.accepts(env) === null);
  if (kind === undefined) {
    throw new UsageError(env.id, 'expected spaces that a policy kind can act in, found none; see "r2po list policies"');
  }
  const policy = kind.build(env, {});
  const maxSteps = usualCap(env);
  const longest = async (candidates: readonly Float64Array[], episodes: number): Promise<Float64Array[]> => {
    const { lengths } = await backend.play({ env, policy, candidates, episodes, seed: 0, maxSteps });
    const total = (c: number): number => lengths.subarray(c * episodes, (c + 1) * episodes).reduce((a, b) => a + b, 0);
    const steps = candidates.map((params, c) => ({ params, total: total(c) }));
    return steps.sort((a, b) => b.total - a.total).map(({ params }) => params);
  };
  // A bench whose episodes end after ten steps measures resets. A look at all, and a longer one at the best.
  const rng = Generator.from(7);
  const all = Array.from({ length: 512 }, () => policy.sample(rng, 3));
  const [params] = await longest((await longest(all, 1)).slice(0, 16), 32);
  return { env, policy, params, maxSteps };
}

function jobOf({ env, policy, params, maxSteps }: Work, episodes: number): RolloutJob {
  return { env, policy, candidates: [params], episodes, seed: 0, maxSteps };
}

/** The largest power of two of episodes that one `evaluate` call plays within about `seconds`. */
export async function affordableEpisodes(backend: Backend, work: Work, seconds: number): Promise<number> {
  let episodes: number = episodeRange.fewest;
  // The first call compiles.
  await evaluate({ ...jobOf(work, 1), backend });
  while (episodes < episodeRange.most) {
    const start = performance.now();
    await evaluate({ ...jobOf(work, episodes), backend });
    const spent = (performance.now() - start) / 1000;
    if (spent > seconds / 2) break;
    // Short calls say little; far from the goal, steps are longer.
    episodes *= spent < seconds / 16 ? 4 : 2;
  }
  return Math.min(episodes, episodeRange.most);
}

/** Times warm `evaluate` calls, `repeats` of them or more where they are short; medians. */
export async function time(backend: Backend, work: Work, episodes: number, repeats: number): Promise<Timing> {
  const job = jobOf(work, episodes);
  const once = async (): Promise<number> => {
    const start = performance.now();
    last = await evaluate({ ...job, backend });
    return (performance.now() - start) / 1000;
  };
  let last = await evaluate({ ...job, backend });
  // Warm: buffers grown, threads started, dispatch size found, the loop compiled.
  for (let spent = 0; spent < warmSeconds; ) spent += await once();
  const wall: number[] = [];
  for (let spent = 0; wall.length < repeats || spent < warmSeconds; ) {
    wall.push(await once());
    spent += wall[wall.length - 1];
  }
  const gpu: number[] = [];
  while (gpu.length < repeats) {
    const { gpuSeconds } = await backend.play(job, { timing: true });
    if (gpuSeconds === null) break;
    gpu.push(gpuSeconds);
  }
  const [summary] = last.summaries;
  return {
    episodes,
    steps: summary.steps,
    meanReturn: summary.mean,
    wallSeconds: median(wall),
    gpuSeconds: gpu.length > 0 ? median(gpu) : null,
  };
}

export interface CompileTime {
  readonly policyKind: string;
  readonly seconds: number;
}

/** Compile time of the program of each policy kind that acts in `env`, on a backend that has compiled none of them. */
export async function compileTimes(backend: Backend, env: Env): Promise<CompileTime[]> {
  const times: CompileTime[] = [];
  for (const kind of policyKinds.filter((k) => k.accepts(env) === null)) {
    const policy = kind.build(env, {});
    const params = policy.sample(Generator.from(3), 1);
    const { compileSeconds } = await backend.play(jobOf({ env, policy, params, maxSteps: 1 }, 1));
    times.push({ policyKind: kind.id, seconds: compileSeconds ?? 0 });
  }
  return times;
}

export interface HeapUse {
  readonly steps: number;
  /** bytes that JavaScript objects took while the steps were played, freed or not */
  readonly bytes: number;
  readonly collections: number;
}

/** What playing `episodes` on the calling thread allocates on V8's heap; the outcomes lie outside it. */
export async function heapUse(backend: Backend, work: Work, episodes: number): Promise<HeapUse> {
  const job = jobOf(work, episodes);
  await backend.play(job);
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  const { steps } = await backend.play(job);
  const after = getHeapStatistics().used_heap_size;
  const { statistics } = profiler.stop();
  // From one collection to the next the heap only grows.
  let bytes = 0;
  let level = before;
  for (const { beforeGC, afterGC } of statistics) {
    bytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - level);
    level = afterGC.heapStatistics.usedHeapSize;
  }
  bytes += Math.max(0, after - level);
  return { steps, bytes, collections: statistics.length };
}
