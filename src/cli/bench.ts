/** `r2po bench`: steps per second, per backend and number of episodes, as ratios in one run. */
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { pathToFileURL } from 'node:url';
import { type Command, Option } from 'commander';
import { assetPath } from '../base/assets.ts';
import { AdapterError } from '../base/errors.ts';
import { Generator } from '../base/rng/generator.ts';
import type { Env } from '../envs/env.ts';
import { findEnv } from '../envs/index.ts';
import { buildPolicy } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend } from '../rollout/backend.ts';
import { openCpuBackend } from '../rollout/cpu/backend.ts';
import { evaluate } from '../stats/evaluate.ts';
import { formatTable, type Io } from './io.ts';
import { addOutputOptions, countOption, wholeNumber } from './options.ts';

interface Options {
  readonly env: string;
  readonly episodes: readonly number[];
  readonly repeats: number;
  readonly json?: boolean;
}

/** One line of the table; times are medians over the repeats. */
interface Row {
  readonly backend: string;
  readonly episodes: number;
  readonly steps: number;
  readonly meanReturn: number;
  /** the whole `evaluate` call, statistics included, s */
  readonly wallSeconds: number;
  /** by the GPU's own clock, s */
  readonly gpuSeconds: number | null;
  readonly stepsPerSecond: number;
  readonly gpuStepsPerSecond: number | null;
  /** steps per second over those of one cpu thread at the same number of episodes */
  readonly ratio: number;
}

export function define(command: Command, io: Io): void {
  const readCount = wholeNumber('--episodes', 1, 2 ** 28);
  command
    .description(
      'Times whole evaluate calls on one cpu thread, all threads and webgpu, on a policy that keeps episodes long. ' +
        'Run it on a machine that does nothing else.',
    )
    .option('--env <id>', 'environment', 'CartPole-v1')
    .addOption(
      new Option('--episodes <list>', 'numbers of episodes, separated by commas')
        .argParser((text: string) => text.split(',').map(readCount))
        .default([20, 4096, 65536, 1048576]),
    )
    .addOption(
      countOption('--repeats', 'timed calls per line, more where they are short; the median counts', 1000).default(3),
    );
  addOutputOptions(command, io).action(async (options: Options) => run(options, io));
}

async function run(options: Options, io: Io): Promise<void> {
  const env = findEnv(options.env);
  const policy = buildPolicy('linear', env);
  const threads = availableParallelism();
  const single = openCpuBackend({ threads: 1 });
  const backends: { name: string; backend: Backend }[] = [{ name: 'cpu, 1 thread', backend: single }];
  if (threads > 1) backends.push({ name: `cpu, ${threads} threads`, backend: openCpuBackend({ threads }) });
  const gpu = await openGpu(io);
  if (gpu) backends.push({ name: 'webgpu', backend: gpu });
  const rows: Row[] = [];
  let bare: BareResult | null = null;
  try {
    const params = await longestPlaying(env, policy, single);
    for (const episodes of options.episodes) {
      let baseline = 0;
      for (const { name, backend } of backends) {
        io.status(`${name}, ${episodes} episodes ...`);
        const timed = await time(backend, env, policy, params, episodes, options.repeats);
        if (baseline === 0) baseline = timed.steps / timed.wallSeconds;
        const stepsPerSecond = timed.steps / timed.wallSeconds;
        const gpuStepsPerSecond = timed.gpuSeconds === null ? null : timed.steps / timed.gpuSeconds;
        const row = {
          backend: name,
          episodes,
          ...timed,
          stepsPerSecond,
          gpuStepsPerSecond,
          ratio: stepsPerSecond / baseline,
        };
        rows.push(row);
        io.note(`${name}, ${episodes} episodes: ${count(stepsPerSecond)} steps/s`);
      }
    }
    bare = await bareLoop(env, policy, single, options.repeats, io);
  } finally {
    io.status(null);
    for (const { backend } of backends) await backend.close();
  }
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    threads,
    adapter: gpu?.adapter ?? null,
    node: process.version,
    max_rss_mib: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  if (options.json) {
    io.printJson({ env: env.id, date: new Date().toISOString(), machine, rows, bare });
  } else {
    io.print(report(rows, bare, env, io));
    io.print(
      `\n${machine.cpu}; adapter: ${machine.adapter ?? 'none'}; Node ${machine.node}; peak memory ${machine.max_rss_mib} MiB`,
    );
  }
}

async function openGpu(io: Io): Promise<Backend | null> {
  const { openWebGpuBackend } = await import('../rollout/webgpu/backend.ts');
  try {
    return await openWebGpuBackend();
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    io.note('webgpu is left out: no adapter');
    return null;
  }
}

/** The random policy whose episodes last longest: a bench that ends after ten steps measures resets. */
async function longestPlaying(env: Env, policy: Policy, backend: Backend): Promise<Float64Array> {
  const rng = Generator.from(7);
  const candidates = Array.from({ length: 512 }, () => policy.sample(rng, 3));
  const episodes = 32;
  const { lengths } = await backend.play({ env, policy, candidates, episodes, seed: 0, maxSteps: null });
  const total = (c: number): number => lengths.subarray(c * episodes, (c + 1) * episodes).reduce((a, b) => a + b, 0);
  let best = 0;
  for (let c = 1; c < candidates.length; c++) if (total(c) > total(best)) best = c;
  return candidates[best];
}

/** Least time spent on calls that do not count, and on calls that do. */
const warmSeconds = 0.2;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

async function time(
  backend: Backend,
  env: Env,
  policy: Policy,
  params: Float64Array,
  episodes: number,
  repeats: number,
): Promise<Pick<Row, 'steps' | 'meanReturn' | 'wallSeconds' | 'gpuSeconds'>> {
  const request = { backend, env, policy, candidates: [params], episodes, seed: 0 };
  const once = async (): Promise<number> => {
    const start = performance.now();
    last = await evaluate(request);
    return (performance.now() - start) / 1000;
  };
  let last = await evaluate(request);
  // Warm: compiled, buffers grown, threads started, dispatch size found. Short calls need many to be compiled for.
  for (let spent = 0; spent < warmSeconds; ) spent += await once();
  const wall: number[] = [];
  for (let spent = 0; wall.length < repeats || spent < warmSeconds; ) {
    wall.push(await once());
    spent += wall[wall.length - 1];
  }
  const gpu: number[] = [];
  for (let r = 0; backend.adapter !== null && r < repeats; r++) {
    const { gpuSeconds } = await backend.play({ ...request, maxSteps: null }, { timing: true });
    if (gpuSeconds !== null) gpu.push(gpuSeconds);
  }
  const [summary] = last.summaries;
  return {
    steps: summary.steps,
    meanReturn: summary.mean,
    wallSeconds: median(wall),
    gpuSeconds: gpu.length > 0 ? median(gpu) : null,
  };
}

interface BareResult {
  /** the hand-inlined loop */
  readonly stepsPerSecond: number;
  /** one cpu thread, timed in turn with it */
  readonly cpuStepsPerSecond: number;
  readonly ratio: number;
}

/** The contract of `bench/bare-<env folder>.mjs`. */
interface BareModule {
  /** keeps episodes long */
  readonly policy: readonly number[];
  run(episodes: number, maxSteps: number): { readonly steps: number; readonly seconds: number };
}

/** The same work as a loop inlined by hand, where the checkout has one: what the cpu backend's generality costs. */
async function bareLoop(
  env: Env,
  policy: Policy,
  backend: Backend,
  repeats: number,
  io: Io,
): Promise<BareResult | null> {
  const file = assetPath(`bench/bare-${env.folder}.mjs`);
  if (!existsSync(file) || env.timeLimit === null) return null;
  io.status('hand-inlined loop ...');
  const bare = (await import(pathToFileURL(file).href)) as BareModule;
  const episodes = 4096;
  const job = { env, policy, candidates: [Float64Array.from(bare.policy)], episodes, seed: 0, maxSteps: null };
  bare.run(episodes, env.timeLimit);
  const own: number[] = [];
  const hand: number[] = [];
  // In turns, so that a busy moment of the machine meets both.
  for (let r = 0; r < Math.max(5, repeats); r++) {
    const inlined = bare.run(episodes, env.timeLimit);
    hand.push(inlined.steps / inlined.seconds);
    const played = await backend.play(job);
    own.push(played.steps / played.seconds);
  }
  const [cpuStepsPerSecond, stepsPerSecond] = [median(own), median(hand)];
  return { stepsPerSecond, cpuStepsPerSecond, ratio: cpuStepsPerSecond / stepsPerSecond };
}

function count(value: number): string {
  return value.toExponential(2).replace('e+', 'e');
}

function report(rows: readonly Row[], bare: BareResult | null, env: Env, io: Io): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  const table = formatTable(
    [
      { title: env.id },
      right('episodes'),
      right('mean return'),
      right('wall ms'),
      right('steps/s'),
      right('GPU ms'),
      right('steps/s by GPU time'),
      right('x one thread'),
    ],
    rows.map((r) => [
      r.backend,
      r.episodes,
      r.meanReturn.toFixed(2),
      (r.wallSeconds * 1000).toFixed(2),
      count(r.stepsPerSecond),
      r.gpuSeconds === null ? null : (r.gpuSeconds * 1000).toFixed(3),
      r.gpuStepsPerSecond === null ? null : count(r.gpuStepsPerSecond),
      r.ratio.toFixed(2),
    ]),
    io.outColors,
  );
  if (!bare) return table;
  return (
    `${table}\n\nhand-inlined JavaScript loop: ${count(bare.stepsPerSecond)} steps/s; ` +
    `cpu backend, one thread: ${count(bare.cpuStepsPerSecond)} (${bare.ratio.toFixed(2)} of it)`
  );
}
