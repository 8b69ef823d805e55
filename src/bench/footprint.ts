/** Costs of a backend apart from time per step: compile time and heap allocations. */
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { Generator } from '../base/rng/generator.ts';
import type { Env } from '../envs/env.ts';
import { policyKinds } from '../policies/index.ts';
import type { Backend } from '../rollout/backend.ts';
import { type BenchWork, jobOf } from './work.ts';

export interface CompileTime {
  readonly policyKind: string;
  readonly seconds: number;
}

/** Compile time of each policy kind that fits `env`, on a backend that has not compiled them yet. */
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
  /** bytes allocated for JavaScript objects while the steps were played, including freed ones */
  readonly bytes: number;
  readonly collections: number;
}

/** Allocations on V8's heap while the calling thread plays `episodes`; the outcomes are outside the heap. */
export async function heapUse(backend: Backend, work: BenchWork, episodes: number): Promise<HeapUse> {
  const job = jobOf(work, episodes);
  await backend.play(job);
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  const { steps } = await backend.play(job);
  const after = getHeapStatistics().used_heap_size;
  const { statistics } = profiler.stop();
  // Between two collections the heap only grows.
  let bytes = 0;
  let level = before;
  for (const { beforeGC, afterGC } of statistics) {
    bytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - level);
    level = afterGC.heapStatistics.usedHeapSize;
  }
  bytes += Math.max(0, after - level);
  return { steps, bytes, collections: statistics.length };
}
