/** All measurements of `r2po bench` for one environment, on all backends. */
import { counted } from '../base/plain-number.ts';
import type { Env } from '../envs/env.ts';
import type { Backend } from '../rollout/backend.ts';
import type { GpuDevice } from '../rollout/webgpu/device.ts';
import { type CompileTime, compileTimes, type HeapUse, heapUse } from './footprint.ts';
import { type HandLoop, handLoop } from './hand-loop.ts';
import { measureIssueRate } from './issue-rate.ts';
import { type IssueShare, issueShare, loadCounter, type StepOperations, stepOperations } from './issue-share.ts';
import type { Machine } from './machine.ts';
import { type Scaling, scaling, scalingAxes } from './scaling.ts';
import {
  affordableEpisodes,
  type Latency,
  latency,
  type Million,
  millionEpisodes,
  type Timing,
  time,
} from './timing.ts';
import { type BenchWork, longPlayingWork } from './work.ts';

export interface BenchOptions {
  /** null: as many as one call plays in about `seconds` */
  readonly episodes: readonly number[] | null;
  readonly seconds: number;
  readonly repeats: number;
  /** a million episodes are estimated when they would take longer than this, s */
  readonly millionSeconds: number;
  /** maximum time of a call in the scaling curves, s; null: no curves */
  readonly scalingSeconds: number | null;
}

export interface SpeedRow extends Timing {
  readonly backend: string;
  readonly stepsPerSecond: number;
  readonly gpuStepsPerSecond: number | null;
  /** speed relative to one cpu thread */
  readonly ratio: number;
}

export type PerBackend<T> = T & { readonly backend: string };

export interface EnvBench {
  readonly env: string;
  readonly policy: string;
  readonly rows: readonly SpeedRow[];
  readonly latencies: readonly PerBackend<Latency>[];
  readonly millions: readonly PerBackend<Million>[];
  /** empty when not requested */
  readonly scalings: readonly PerBackend<Scaling>[];
  /** null without an adapter, or outside a checkout */
  readonly issue: IssueShare | null;
  readonly heap: HeapUse;
  /** null without an adapter */
  readonly compile: readonly CompileTime[] | null;
  /** null: the checkout has no hand-written loop for this environment */
  readonly bare: HandLoop | null;
}

export interface BenchDocument {
  readonly date: string;
  readonly machine: Machine;
  readonly environments: readonly EnvBench[];
}

export interface BenchBackend {
  readonly name: string;
  readonly backend: Backend;
  /** device of a GPU backend, for its issue rate; else null */
  readonly device: GpuDevice | null;
}

/** Receives the progress messages of a bench. */
export interface BenchProgress {
  status(text: string): void;
  note(text: string): void;
}

/** The first backend is one cpu thread, the baseline of all ratios. */
export async function benchEnvironment(
  env: Env,
  backends: readonly BenchBackend[],
  options: BenchOptions,
  progress: BenchProgress,
): Promise<EnvBench> {
  const { repeats, millionSeconds, scalingSeconds } = options;
  const { backend: single } = backends[0]!;
  const gpu = backends.find(({ device }) => device !== null);
  const compile = gpu ? await compileTimes(gpu.backend, env) : null;
  const work = await longPlayingWork(env, single);
  const rows: SpeedRow[] = [];
  const latencies: PerBackend<Latency>[] = [];
  const millions: PerBackend<Million>[] = [];
  const scalings: PerBackend<Scaling>[] = [];
  let issue: IssueShare | null = null;
  for (const { name, backend, device } of backends) {
    const status = (what: string) => progress.status(`${env.id}, ${name}: ${what} ...`);
    status('speed');
    const timings: Timing[] = [];
    for (const episodes of options.episodes ?? [await affordableEpisodes(backend, work, options.seconds)]) {
      const timing = await time(backend, work, episodes, repeats);
      timings.push(timing);
      const row = speedRow(name, timing, rows);
      rows.push(row);
      progress.note(
        `${env.id}, ${name}, ${counted(episodes, 'episode')}: ${row.stepsPerSecond.toExponential(2)} steps/s`,
      );
    }
    const largest = timings.reduce((a, b) => (b.episodes > a.episodes ? b : a));
    if (device) issue = await measureShare(work, device, largest, progress);
    status('small calls');
    latencies.push({ backend: name, ...(await latency(backend, work)) });
    status('a million episodes');
    millions.push({ backend: name, ...(await millionEpisodes(backend, work, largest, millionSeconds)) });
    if (scalingSeconds === null) continue;
    for (const axis of scalingAxes) {
      status(`cost against ${axis}`);
      const curve = await scaling(backend, work, axis, { repeats, maxSeconds: scalingSeconds });
      scalings.push({ backend: name, ...curve });
    }
  }
  progress.status(`${env.id}: heap ...`);
  const heap = await heapUse(single, work, await affordableEpisodes(single, work, options.seconds));
  progress.status(`${env.id}: hand-inlined loop ...`);
  const bare = await handLoop(work, single, repeats);
  return { env: env.id, policy: work.policy.kind, rows, latencies, millions, scalings, issue, heap, compile, bare };
}

/** Compares a timing with one cpu thread, the first backend, with the same number of episodes if measured. */
function speedRow(backend: string, timing: Timing, earlier: readonly SpeedRow[]): SpeedRow {
  const stepsPerSecond = timing.steps / timing.wallSeconds;
  const ofOneThread = earlier.filter((row) => row.backend === earlier[0]!.backend);
  const baseline = ofOneThread.find((row) => row.episodes === timing.episodes) ?? earlier[0];
  return {
    backend,
    ...timing,
    stepsPerSecond,
    gpuStepsPerSecond: timing.gpuSeconds === null ? null : timing.steps / timing.gpuSeconds,
    ratio: baseline === undefined ? 1 : stepsPerSecond / baseline.stepsPerSecond,
  };
}

/** Measures the issue rate right after the speed that it is compared with, because clocks change with load and heat. */
async function measureShare(
  work: BenchWork,
  device: GpuDevice,
  timing: Timing,
  progress: BenchProgress,
): Promise<IssueShare | null> {
  const counter = await loadCounter();
  if (counter === null) {
    progress.note('omitting the share of the issue rate: it requires a checkout with its development dependencies');
    return null;
  }
  let step: StepOperations;
  try {
    step = stepOperations(work, counter);
  } catch (error) {
    // A custom environment may use operations unknown to the counter; the rest of its bench is still useful.
    progress.note(`${work.env.id}: operations are not counted: ${(error as Error).message}`);
    return null;
  }
  progress.status(`${work.env.id}: issue rate ...`);
  return issueShare(step, await measureIssueRate(device), timing);
}
