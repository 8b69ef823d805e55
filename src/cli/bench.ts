/** `r2po bench`: the speed of every environment on every backend, relative to one cpu thread. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { type Command, Option } from 'commander';
import { AdapterError, R2poError } from '../base/errors.ts';
import { prepareOutputFolder } from '../base/node/output-folder.ts';
import { type BenchBackend, type BenchDocument, benchEnvironment } from '../bench/benchmark.ts';
import { currentLoad, machineFacts, quietLoad } from '../bench/machine.ts';
import type { Env, EnvOptions } from '../envs/env.ts';
import { envs } from '../envs/index.ts';
import { openEnv } from '../envs/node/load.ts';
import { saveBench } from '../report/bench/files.ts';
import { benchTables, machineLines } from '../report/bench/tables.ts';
import { openCpuBackend } from '../rollout/cpu/node/backend.ts';
import { hasSimd } from '../rollout/wasm/instance.ts';
import { openWasmBackend, unsupportedIn } from '../rollout/wasm/node/backend.ts';
import { envOption } from './env-option.ts';
import type { Io } from './io.ts';
import {
  adapterOption,
  addOutputOptions,
  countOption,
  refuseBeside,
  refuseWithout,
  secondsOption,
  wholeNumber,
} from './options.ts';

interface Options {
  readonly env: readonly string[];
  readonly adapter?: string;
  readonly envOption: EnvOptions;
  readonly episodes?: readonly number[];
  readonly seconds: number;
  readonly repeats: number;
  readonly millionSeconds: number;
  readonly scaling?: boolean;
  readonly scalingSeconds: number;
  readonly save?: string;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  const readCount = wholeNumber('--episodes', 1, 2 ** 28);
  const seconds = (flag: string, description: string, value: number): Option =>
    secondsOption(flag, description).default(value);
  command
    .description(
      'Measures whole evaluate calls on one thread and all threads of cpu and wasm, and on webgpu, with a policy with long episodes: ' +
        'steps per second, the time of a small call and of a million episodes, and the share of the peak issue rate. ' +
        'Also measures heap allocations on the cpu and the compile time of GPU programs. Run it on an idle machine.',
    )
    .argument('[env...]', 'environments, or paths of environment modules (default: all built-in environments)')
    .addOption(new Option('--env <id...>', 'the same as the argument').default([], 'none'))
    .addOption(adapterOption())
    .addOption(envOption())
    .addOption(
      new Option('--episodes <list>', 'episode counts, separated by commas (default: from --seconds)').argParser(
        (text: string) => text.split(',').map(readCount),
      ),
    )
    .addOption(seconds('--seconds', 'without --episodes: as many episodes as one call plays in about this time', 0.5))
    .addOption(
      countOption('--repeats', 'minimum number of timed calls per line; the median is reported', 1000).default(3),
    )
    .addOption(seconds('--million-seconds', 'estimate the time of a million episodes if it would exceed this', 20))
    .option('--scaling', 'also measure the time of a call against its number of episodes and of candidates')
    .addOption(seconds('--scaling-seconds', 'with --scaling: end the curves when a call would take longer', 5))
    .option('--save <dir>', 'write bench.json, bench.md and charts into this folder');
  addOutputOptions(command, io).action(async (names: string[], options: Options, self: Command) => {
    if (options.episodes !== undefined) refuseBeside(self, '--episodes', (flag) => flag === '--seconds');
    if (!options.scaling) refuseWithout(self, '--scaling', ['--scaling-seconds']);
    await run(names, options, io);
  });
}

async function run(names: readonly string[], options: Options, io: Io): Promise<void> {
  if (options.save !== undefined) prepareOutputFolder('--save', options.save);
  const asked = [...names, ...options.env];
  const chosen = asked.length === 0 ? envs.map((env) => env.id) : asked;
  // An unknown name must fail now, not after minutes.
  for (const name of chosen) await openEnv(name, options.envOption);
  const loadBefore = currentLoad();
  if (loadBefore !== null && loadBefore > quietLoad) {
    io.note(
      `the machine is busy: ${loadBefore.toFixed(1)} processes ran in the last minute; do not trust these numbers`,
    );
  }
  const documents: BenchDocument[] = [];
  for (const name of chosen) {
    io.status(`${name} ...`);
    documents.push(chosen.length === 1 ? await bench(name, options, io) : await benchInProcess(name, options));
  }
  io.status(null);
  // GPU clocks are read after the last measurement, the load before the first.
  const machine = { ...documents[documents.length - 1]!.machine, loadBefore };
  const { date } = documents[0]!;
  const document = { date, machine, environments: documents.flatMap((d) => d.environments) };
  if (options.json) io.printJson(document);
  else printReport(document, io);
  if (options.save === undefined) return;
  const files = await saveBench(options.save, document, ['r2po', ...process.argv.slice(2)].join(' '));
  io.note(`saved in ${options.save}: ${files.join(', ')}`);
}

function printReport(document: BenchDocument, io: Io): void {
  for (const table of benchTables(document)) io.print(`${io.titledTable(table)}\n`);
  io.print([...machineLines(document.machine), document.date.slice(0, 10)].join('\n'));
}

/** One process per environment: V8 optimises the loop best while it has seen a single environment. */
async function benchInProcess(name: string, options: Options): Promise<BenchDocument> {
  const { envOption, episodes, seconds, repeats, millionSeconds, scaling, scalingSeconds } = options;
  const args = [process.argv[1]!, 'bench', name, '--repeats', `${repeats}`, '--million-seconds', `${millionSeconds}`];
  if (scaling) args.push('--scaling', '--scaling-seconds', `${scalingSeconds}`);
  args.push(...(episodes ? ['--episodes', episodes.join(',')] : ['--seconds', `${seconds}`]));
  if (options.adapter !== undefined) args.push('--adapter', options.adapter);
  for (const [key, value] of Object.entries(envOption)) args.push('--env-option', `${key}=${JSON.stringify(value)}`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...args, '--json', '--quiet'], {
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout) as BenchDocument;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new R2poError('bench', `${name}: ${(stderr || String(error)).replace(/^error: /, '').trim()}`);
  }
}

async function bench(name: string, options: Options, io: Io): Promise<BenchDocument> {
  const env = await openEnv(name, options.envOption);
  const backends = await openBackends(env, options.adapter ?? null, io);
  const gpu = backends.find(({ device }) => device !== null);
  const { episodes = null, seconds, repeats, millionSeconds, scaling = false } = options;
  const scalingSeconds = scaling ? options.scalingSeconds : null;
  try {
    const limits = { episodes, seconds, repeats, millionSeconds, scalingSeconds };
    const measured = await benchEnvironment(env, backends, limits, io);
    const machine = await machineFacts(gpu?.device?.adapter ?? null, null);
    return { date: new Date().toISOString(), machine, environments: [measured] };
  } finally {
    io.status(null);
    for (const { backend } of backends) await backend.close();
  }
}

/** Why an environment is not played on wasm; null: it is. */
async function whyNoWasm(env: Env): Promise<string | null> {
  if (!hasSimd()) return 'this engine has no WebAssembly SIMD';
  return env.shader ? unsupportedIn(env) : null;
}

/** One cpu thread first. */
async function openBackends(env: Env, adapter: string | null, io: Io): Promise<BenchBackend[]> {
  const threads = availableParallelism();
  const cpu = (n: number, name: string): BenchBackend => ({
    name,
    backend: openCpuBackend({ threads: n }),
    device: null,
  });
  const wasm = (n: number, name: string): BenchBackend => ({
    name,
    backend: openWasmBackend({ threads: n }),
    device: null,
  });
  const backends: BenchBackend[] = [
    cpu(1, 'cpu, 1 thread'),
    ...(threads > 1 ? [cpu(threads, `cpu, ${threads} threads`)] : []),
  ];
  const noWasm = await whyNoWasm(env);
  if (noWasm === null) {
    backends.push(wasm(1, 'wasm, 1 thread'), ...(threads > 1 ? [wasm(threads, `wasm, ${threads} threads`)] : []));
  } else io.note(`wasm skipped: ${noWasm}`);
  const { openDevice } = await import('../rollout/webgpu/node/dawn.ts');
  const { openWebGpuBackend } = await import('../rollout/webgpu/node/backend.ts');
  try {
    const device = await openDevice({ adapter });
    backends.push({ name: 'webgpu', backend: await openWebGpuBackend({ gpu: device }), device });
  } catch (error) {
    if (adapter !== null || !(error instanceof AdapterError)) throw error;
    io.note('webgpu skipped: no adapter');
  }
  return backends;
}
