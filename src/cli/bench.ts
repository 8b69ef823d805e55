/** `r2po bench`: steps per second of every environment on every backend, as ratios in one run. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Command, Option } from 'commander';
import { assetPath } from '../base/assets.ts';
import { AdapterError, R2poError } from '../base/errors.ts';
import type { Env, EnvOptions } from '../envs/env.ts';
import { envs } from '../envs/index.ts';
import { openEnv } from '../envs/load.ts';
import type { Backend } from '../rollout/backend.ts';
import { openCpuBackend } from '../rollout/cpu/backend.ts';
import {
  affordableEpisodes,
  type CompileTime,
  compileTimes,
  type HeapUse,
  heapUse,
  longPlayingWork,
  median,
  type Timing,
  time,
  type Work,
} from '../stats/timing.ts';
import { formatTable, type Io } from './io.ts';
import { addOutputOptions, countOption, envOption, positiveNumber, wholeNumber } from './options.ts';

interface Options {
  readonly env: readonly string[];
  readonly envOption: EnvOptions;
  readonly episodes?: readonly number[];
  readonly seconds: number;
  readonly repeats: number;
  readonly json?: boolean;
}

interface Row extends Timing {
  readonly backend: string;
  readonly stepsPerSecond: number;
  readonly gpuStepsPerSecond: number | null;
  /** steps per second over those of one cpu thread */
  readonly ratio: number;
}

interface EnvBench {
  readonly env: string;
  readonly policy: string;
  readonly rows: readonly Row[];
  readonly heap: HeapUse;
  /** null without an adapter */
  readonly compile: readonly CompileTime[] | null;
  readonly bare: BareResult | null;
}

interface Machine {
  readonly cpu: string;
  readonly threads: number;
  readonly adapter: string | null;
  readonly node: string;
}

interface Document {
  readonly date: string;
  readonly machine: Machine;
  readonly environments: readonly EnvBench[];
}

export function define(command: Command, io: Io): void {
  const readCount = wholeNumber('--episodes', 1, 2 ** 28);
  command
    .description(
      'Times whole evaluate calls on one cpu thread, all threads and webgpu, on a policy that keeps episodes long; ' +
        'counts what the cpu leaves on the heap and how long programs take to compile. Run it on a machine that does ' +
        'nothing else.',
    )
    .argument('[env...]', 'environments, or paths of modules that define one; all of ours when left out')
    .addOption(new Option('--env <id...>', 'the same as the argument').default([], 'none'))
    .addOption(envOption())
    .addOption(
      new Option('--episodes <list>', 'numbers of episodes, separated by commas').argParser((text: string) =>
        text.split(',').map(readCount),
      ),
    )
    .addOption(
      new Option('--seconds <s>', 'without --episodes: as many as a call plays in about this time')
        .argParser(positiveNumber('--seconds', 'seconds'))
        .default(0.5),
    )
    .addOption(
      countOption('--repeats', 'timed calls per line, more where they are short; the median counts', 1000).default(3),
    );
  addOutputOptions(command, io).action(async (names: string[], options: Options) => run(names, options, io));
}

async function run(names: readonly string[], options: Options, io: Io): Promise<void> {
  const asked = [...names, ...options.env];
  const chosen = asked.length === 0 ? envs.map((env) => env.id) : asked;
  const documents: Document[] = [];
  for (const name of chosen) {
    io.status(`${name} ...`);
    if (chosen.length === 1) documents.push(await bench(await openEnv(name, options.envOption), options, io));
    else documents.push(await benchInProcess(name, options));
  }
  io.status(null);
  const [{ machine, date }] = documents;
  const environments = documents.flatMap((d) => d.environments);
  if (options.json) {
    io.printJson({ date, machine, environments });
    return;
  }
  io.print(report(environments, io));
  io.print(`\n${machine.cpu}; adapter: ${machine.adapter ?? 'none'}; Node ${machine.node}; ${date.slice(0, 10)}`);
}

/** A process for each environment: V8's code for the loop is best while it has met one environment only. */
async function benchInProcess(name: string, { envOption, episodes, seconds, repeats }: Options): Promise<Document> {
  const args = [process.argv[1], 'bench', name, '--repeats', `${repeats}`, '--seconds', `${seconds}`];
  if (episodes) args.push('--episodes', episodes.join(','));
  for (const [key, value] of Object.entries(envOption)) args.push('--env-option', `${key}=${JSON.stringify(value)}`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...args, '--json', '--quiet'], {
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout) as Document;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new R2poError('bench', `${name}: ${(stderr || String(error)).replace(/^error: /, '').trim()}`);
  }
}

async function bench(env: Env, options: Options, io: Io): Promise<Document> {
  const threads = availableParallelism();
  const single = openCpuBackend({ threads: 1 });
  const backends: { name: string; backend: Backend }[] = [{ name: 'cpu, 1 thread', backend: single }];
  if (threads > 1) backends.push({ name: `cpu, ${threads} threads`, backend: openCpuBackend({ threads }) });
  const gpu = await openGpu(io);
  if (gpu) backends.push({ name: 'webgpu', backend: gpu });
  try {
    const compile = gpu ? await compileTimes(gpu, env) : null;
    const work = await longPlayingWork(env, single);
    const rows: Row[] = [];
    for (const { name, backend } of backends) {
      io.status(`${env.id}, ${name} ...`);
      for (const episodes of options.episodes ?? [await affordableEpisodes(backend, work, options.seconds)]) {
        const timing = await time(backend, work, episodes, options.repeats);
        rows.push(asRow(name, timing, rows));
        io.note(`${env.id}, ${name}, ${episodes} episodes: ${count(rows[rows.length - 1].stepsPerSecond)} steps/s`);
      }
    }
    const heap = await heapUse(single, work, await affordableEpisodes(single, work, options.seconds));
    const bare = await bareLoop(work, single, options.repeats, io);
    return {
      date: new Date().toISOString(),
      machine: {
        cpu: cpus()[0]?.model ?? 'unknown',
        threads,
        adapter: gpu?.adapter ?? null,
        node: process.version,
      },
      environments: [{ env: env.id, policy: work.policy.kind, rows, heap, compile, bare }],
    };
  } finally {
    io.status(null);
    for (const { backend } of backends) await backend.close();
  }
}

/** The first row of as many episodes, or the first of all, is that of one cpu thread. */
function asRow(backend: string, timing: Timing, earlier: readonly Row[]): Row {
  const stepsPerSecond = timing.steps / timing.wallSeconds;
  const baseline = earlier.find((row) => row.episodes === timing.episodes) ?? earlier[0];
  return {
    backend,
    ...timing,
    stepsPerSecond,
    gpuStepsPerSecond: timing.gpuSeconds === null ? null : timing.steps / timing.gpuSeconds,
    ratio: baseline === undefined ? 1 : stepsPerSecond / baseline.stepsPerSecond,
  };
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
async function bareLoop(work: Work, backend: Backend, repeats: number, io: Io): Promise<BareResult | null> {
  const { env, policy } = work;
  const file = assetPath(`bench/bare-${env.folder}.mjs`);
  if (!existsSync(file) || env.timeLimit === null) return null;
  io.status(`${env.id}, hand-inlined loop ...`);
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

const count = (value: number): string => value.toExponential(2).replace('e+', 'e');

function report(environments: readonly EnvBench[], io: Io): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  const speed = formatTable(
    [
      { title: 'environment' },
      { title: 'policy' },
      { title: 'backend' },
      right('episodes'),
      right('steps/episode'),
      right('mean return'),
      right('wall ms'),
      right('steps/s'),
      right('GPU ms'),
      right('by GPU time'),
      right('x one thread'),
    ],
    environments.flatMap(({ env, policy, rows }) =>
      rows.map((r) => [
        env,
        policy,
        r.backend,
        r.episodes,
        (r.steps / r.episodes).toFixed(1),
        r.meanReturn.toFixed(2),
        (r.wallSeconds * 1000).toFixed(2),
        count(r.stepsPerSecond),
        r.gpuSeconds === null ? null : (r.gpuSeconds * 1000).toFixed(3),
        r.gpuStepsPerSecond === null ? null : count(r.gpuStepsPerSecond),
        r.ratio.toFixed(2),
      ]),
    ),
    io.outColors,
  );
  const costs = formatTable(
    [
      { title: 'environment' },
      right('cpu: heap bytes/step'),
      right('collections'),
      right('in steps'),
      right('webgpu: slowest compile ms'),
      { title: 'of' },
    ],
    environments.map(({ env, heap, compile }) => {
      const slowest = compile?.reduce((a, b) => (b.seconds > a.seconds ? b : a));
      return [
        env,
        (heap.bytes / heap.steps).toFixed(4),
        heap.collections,
        heap.steps,
        slowest ? (slowest.seconds * 1000).toFixed(0) : null,
        slowest?.policyKind ?? '',
      ];
    }),
    io.outColors,
  );
  const bares = environments.flatMap(({ env, bare }) =>
    bare
      ? [
          `${env}, hand-inlined JavaScript loop: ${count(bare.stepsPerSecond)} steps/s; cpu backend, one thread: ` +
            `${count(bare.cpuStepsPerSecond)} (${bare.ratio.toFixed(2)} of it)`,
        ]
      : [],
  );
  return [speed, '', costs, ...(bares.length > 0 ? ['', ...bares] : [])].join('\n');
}
