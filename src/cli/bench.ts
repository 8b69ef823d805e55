/** `r2po bench`: how fast every environment is on every backend, as ratios in one run. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { type Command, Option } from 'commander';
import { AdapterError, R2poError } from '../base/errors.ts';
import { type BenchBackend, type BenchDocument, benchEnvironment } from '../bench/benchmark.ts';
import { currentLoad, machineFacts, quietLoad } from '../bench/machine.ts';
import type { EnvOptions } from '../envs/env.ts';
import { envs } from '../envs/index.ts';
import { openEnv } from '../envs/node/load.ts';
import { prepareBenchFolder, saveBench } from '../report/bench/files.ts';
import { benchTables, machineLines } from '../report/bench/tables.ts';
import { openCpuBackend } from '../rollout/cpu/node/backend.ts';
import { envOption } from './env-option.ts';
import type { Io } from './io.ts';
import { addOutputOptions, countOption, positiveNumber, wholeNumber } from './options.ts';

interface Options {
  readonly env: readonly string[];
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
    new Option(`${flag} <s>`, description).argParser(positiveNumber(flag, 'seconds')).default(value);
  command
    .description(
      'Times whole evaluate calls on one cpu thread, all threads and webgpu, on a policy that keeps episodes long: ' +
        'steps per second, the time of a small call and of a million episodes, and what share of the operations that ' +
        'the adapter issues at most the episodes make use of. Counts what the cpu leaves on the heap and how long ' +
        'programs take to compile. Run it on a machine that does nothing else.',
    )
    .argument('[env...]', 'environments, or paths of modules that define one; all of ours when left out')
    .addOption(new Option('--env <id...>', 'the same as the argument').default([], 'none'))
    .addOption(envOption())
    .addOption(
      new Option('--episodes <list>', 'numbers of episodes, separated by commas').argParser((text: string) =>
        text.split(',').map(readCount),
      ),
    )
    .addOption(seconds('--seconds', 'without --episodes: as many as a call plays in about this time', 0.5))
    .addOption(
      countOption('--repeats', 'timed calls per line, more where they are short; the median counts', 1000).default(3),
    )
    .addOption(
      seconds('--million-seconds', 'a million episodes are estimated where they are expected to take longer', 20),
    )
    .option('--scaling', 'also the time of a call against its number of episodes and of candidates')
    .addOption(seconds('--scaling-seconds', 'the curves of --scaling end where a call is expected to take longer', 5))
    .option('--save <dir>', 'writes bench.json, bench.md and charts into this folder');
  addOutputOptions(command, io).action(async (names: string[], options: Options) => run(names, options, io));
}

async function run(names: readonly string[], options: Options, io: Io): Promise<void> {
  if (options.save !== undefined) prepareBenchFolder(options.save);
  const asked = [...names, ...options.env];
  const chosen = asked.length === 0 ? envs.map((env) => env.id) : asked;
  // A name that is none is found now, not after minutes.
  for (const name of chosen) await openEnv(name, options.envOption);
  const loadBefore = currentLoad();
  if (loadBefore !== null && loadBefore > quietLoad) {
    io.note(
      `the machine is not quiet: ${loadBefore.toFixed(1)} processes ran in the last minute; the numbers say little`,
    );
  }
  const documents: BenchDocument[] = [];
  for (const name of chosen) {
    io.status(`${name} ...`);
    documents.push(chosen.length === 1 ? await bench(name, options, io) : await benchInProcess(name, options));
  }
  io.status(null);
  // The last one is asked for the machine, because its GPU has been at work; the load is that before the first.
  const machine = { ...documents[documents.length - 1].machine, loadBefore };
  const [{ date }] = documents;
  const document = { date, machine, environments: documents.flatMap((d) => d.environments) };
  if (options.json) io.printJson(document);
  else printReport(document, io);
  if (options.save === undefined) return;
  const files = await saveBench(options.save, document, ['r2po', ...process.argv.slice(2)].join(' '));
  io.note(`saved in ${options.save}: ${files.join(', ')}`);
}

function printReport(document: BenchDocument, io: Io): void {
  for (const { title, note, columns, rows } of benchTables(document)) {
    io.print(`${io.outColors.bold(title)}\n${note}\n\n${io.table({ columns, rows })}\n`);
  }
  io.print([...machineLines(document.machine), document.date.slice(0, 10)].join('\n'));
}

/** A process for each environment: V8's code for the loop is best while it has met one environment only. */
async function benchInProcess(name: string, options: Options): Promise<BenchDocument> {
  const { envOption, episodes, seconds, repeats, millionSeconds, scaling, scalingSeconds } = options;
  const args = [process.argv[1], 'bench', name, '--repeats', `${repeats}`, '--seconds', `${seconds}`];
  args.push('--million-seconds', `${millionSeconds}`, '--scaling-seconds', `${scalingSeconds}`);
  if (scaling) args.push('--scaling');
  if (episodes) args.push('--episodes', episodes.join(','));
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
  const backends = await openBackends(io);
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

/** One cpu thread first. */
async function openBackends(io: Io): Promise<BenchBackend[]> {
  const threads = availableParallelism();
  const cpu = (n: number, name: string): BenchBackend => ({
    name,
    backend: openCpuBackend({ threads: n }),
    device: null,
  });
  const backends = [cpu(1, 'cpu, 1 thread'), ...(threads > 1 ? [cpu(threads, `cpu, ${threads} threads`)] : [])];
  const { openDevice } = await import('../rollout/webgpu/node/dawn.ts');
  const { openWebGpuBackend } = await import('../rollout/webgpu/node/backend.ts');
  try {
    const device = await openDevice();
    backends.push({ name: 'webgpu', backend: await openWebGpuBackend({ gpu: device }), device });
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    io.note('webgpu is left out: no adapter');
  }
  return backends;
}
