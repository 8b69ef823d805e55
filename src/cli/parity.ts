/** `r2po parity`: every other backend compared with cpu, per environment and policy kind, on this machine. */

import { join } from 'node:path';
import { type Command, Option } from 'commander';
import {
  AdapterError,
  type CompileError,
  DiffersError,
  R2poError,
  UnsupportedError,
  UsageError,
} from '../base/errors.ts';
import { readAsset } from '../base/node/assets.ts';
import { readRegularText } from '../base/node/read-file.ts';
import { checkEnvironment } from '../checks/conformance.ts';
import { culpritOf, differenceOf } from '../checks/diagnosis.ts';
import { type Compared, compareEach, type ParityReport } from '../checks/parity.ts';
import type { Env, EnvOptions } from '../envs/env.ts';
import { envs } from '../envs/index.ts';
import { describeEnvironment } from '../envs/node/description.ts';
import { openEnv } from '../envs/node/load.ts';
import { policyKinds } from '../policies/index.ts';
import { left, right, tableOf } from '../report/tables/table.ts';
import type { Backend } from '../rollout/backend.ts';
import { openCpuBackend } from '../rollout/cpu/node/backend.ts';
import { defaultStepCap } from '../rollout/job.ts';
import { hasSimd } from '../rollout/wasm/instance.ts';
import { openWasmBackend } from '../rollout/wasm/node/backend.ts';
import type { GpuDevice } from '../rollout/webgpu/device.ts';
import type { ReadShader } from '../rollout/webgpu/program/programs.ts';
import { envOption } from './env-option.ts';
import type { Io } from './io.ts';
import { adapterOption, addOutputOptions, countOption, secondsOption, seedOption } from './options.ts';

interface Options {
  readonly env: readonly string[];
  readonly adapter?: string;
  readonly envOption: EnvOptions;
  readonly seed: number;
  readonly transitions: number;
  readonly episodes: number;
  readonly maxSeconds?: number;
  readonly shaders?: string;
  readonly json?: boolean;
}

/** One environment: violations of its declared bounds, and the comparison of the backends. */
interface EnvReport {
  readonly env: string;
  readonly problems: readonly string[];
  readonly reports: readonly ParityReport[];
  /** backends that cannot compile it, with the reason */
  readonly refused: readonly LeftOut[];
  /** the shader is wrong: a driver refuses it, or wasm where there is none */
  readonly isWrong: boolean;
}

/** A processor is a hundred times slower than a GPU: its episodes per policy kind get this long, s. */
const softwareSeconds = 5;

interface LeftOut {
  readonly backend: string;
  readonly reason: string;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Compares the shaders on WebAssembly, on WebGPU where there is an adapter, and GPU.js where it has kernels, with ' +
        'the float64 backend, and WebGPU with WebAssembly, which computes what the shaders say: start states bit for ' +
        'bit, single steps from states that random policies reach, and whole episodes over the same seeds. Checks the ' +
        'declared bounds of each environment. Exit code 6 when something is out of tolerance, 1 when nothing can be compared.',
    )
    .argument('[env...]', 'environments, or paths of environment modules (default: all built-in environments)')
    .addOption(new Option('--env <id...>', 'the same as the argument').default([], 'none'))
    .addOption(adapterOption())
    .addOption(envOption())
    .addOption(seedOption('seed of the first episode').default(0))
    .addOption(countOption('--transitions', 'start states and single steps to compare', 2 ** 20).default(4096))
    .addOption(countOption('--episodes', 'episode seeds per policy', 2 ** 20).default(4096))
    .addOption(
      secondsOption(
        '--max-seconds',
        `limit the time per policy kind (default: ${softwareSeconds} on the processor, no limit on a GPU)`,
      ),
    )
    .option('--shaders <dir>', 'read the shaders from this folder, a modified copy of shaders/');
  addOutputOptions(command, io).action(async (names: string[], options: Options) => run(names, options, io));
}

async function run(names: readonly string[], options: Options, io: Io): Promise<void> {
  const asked = [...names, ...options.env];
  const chosen: Env[] = [];
  for (const name of asked.length === 0 ? envs.map((env) => env.id) : asked) {
    chosen.push(await openEnv(name, options.envOption));
  }
  const reference = openCpuBackend();
  const others: Compared[] = [];
  const leftOut: LeftOut[] = [];
  const reports: EnvReport[] = [];
  let gpu: GpuDevice | null = null;
  try {
    gpu = await openAdapter(options.adapter ?? null, leftOut, io);
    if (gpu !== null) {
      const maxSeconds = gpu.adapter.software ? softwareSeconds : null;
      others.push({ backend: await openBackendOn(gpu, options.shaders), maxSeconds, shaders: 'by a driver' });
    }
    const given = options.shaders === undefined ? {} : { readShader: shaderReader(options.shaders) };
    // Without an adapter it is the only one that plays the shaders: opening it says why it cannot.
    const isWasmPlayed = hasSimd() || gpu === null;
    if (isWasmPlayed) {
      others.push({ backend: openWasmBackend(given), maxSeconds: softwareSeconds, shaders: 'as written' });
    } else leaveOut({ backend: 'wasm', reason: 'this engine has no WebAssembly SIMD' }, leftOut, io);
    const gpujs = await openThirdOpinion();
    if (gpujs === null) leftOut.push({ backend: 'gpujs', reason: 'it is not installed' });
    else others.push({ backend: gpujs, maxSeconds: gpu?.adapter.software ? softwareSeconds : null });
    const names = [
      ...(gpu === null ? [] : [`webgpu on ${gpu.adapter.name}`]),
      ...(isWasmPlayed ? ['wasm'] : []),
      ...(gpujs === null ? [] : [`gpujs on ${gpujs.adapter}`]),
    ];
    io.note(`reference: cpu in float64; others: ${names.join('; ')}`);
    for (const env of chosen) {
      const made = await check(env, reference, others, options, io);
      reports.push(made);
      leftOut.push(...made.refused);
    }
  } finally {
    io.status(null);
    for (const backend of [reference, ...others.map((other) => other.backend)]) await backend.close();
  }
  const failed = reports.filter((r) => r.problems.length > 0 || r.reports.some((p) => !p.ok));
  const wrong = reports.filter(({ isWrong }) => isWrong);
  const refused = reports.flatMap((r) => r.refused);
  const isUncompared = refused.length > 0 && reports.every((r) => r.reports.length === 0);
  const adapter = gpu?.adapter.name ?? null;
  const ok = failed.length + wrong.length === 0 && !isUncompared;
  if (options.json) io.printJson(document(adapter, leftOut, reports, ok));
  else io.print(report(reports, leftOut, options, io));
  if (failed.length > 0) throw new DiffersError('parity', failed.flatMap(complaints).join('\n  '));
  if (wrong.length > 0) {
    const reasons = reasonsOf(wrong.flatMap(({ refused }) => refused));
    throw new R2poError('parity', `expected shaders that compile, got errors; mend them:\n  ${reasons}`);
  }
  // Else a job of CI that compares nothing would pass.
  if (isUncompared) {
    throw new R2poError('parity', `expected a comparison, got none that could be made:\n  ${reasonsOf(refused)}`);
  }
}

const reasonsOf = (refused: readonly LeftOut[]): string =>
  refused.map(({ backend, reason }) => `${backend}: ${reason}`).join('\n  ');

function document(
  adapter: string | null,
  leftOut: readonly LeftOut[],
  environments: readonly EnvReport[],
  ok: boolean,
) {
  const problems = environments.flatMap(({ env, problems }) => problems.map((problem) => ({ env, problem })));
  return { adapter, left_out: leftOut, problems, reports: environments.flatMap((e) => e.reports), ok };
}

/** Null, with a warning and a line in `leftOut`, when there is no adapter and none was named. */
async function openAdapter(named: string | null, leftOut: LeftOut[], io: Io): Promise<GpuDevice | null> {
  const { openDevice } = await import('../rollout/webgpu/node/dawn.ts');
  try {
    return await openDevice({ adapter: named });
  } catch (error) {
    if (named !== null || !(error instanceof AdapterError)) throw error;
    leaveOut({ backend: 'webgpu', reason: error.detail }, leftOut, io);
    return null;
  }
}

function leaveOut(one: LeftOut, leftOut: LeftOut[], io: Io): void {
  leftOut.push(one);
  io.warn(`[parity] the comparison of ${one.backend} is left out: ${one.reason}`);
}

async function openBackendOn(gpu: GpuDevice, shaders: string | undefined): Promise<Backend> {
  const { openWebGpuBackend } = await import('../rollout/webgpu/node/backend.ts');
  return openWebGpuBackend({ gpu, readShader: shaderReader(shaders) });
}

/** Null when GPU.js is not installed. */
async function openThirdOpinion(): Promise<Backend | null> {
  const { gpujsVersion, openGpujsBackend } = await import('../rollout/gpujs/node/open.ts');
  return gpujsVersion() === null ? null : openGpujsBackend();
}

async function check(
  env: Env,
  reference: Backend,
  others: readonly Compared[],
  sizes: Pick<Options, 'seed' | 'transitions' | 'episodes' | 'maxSeconds'>,
  io: Io,
): Promise<EnvReport> {
  io.status(`${env.id} ...`);
  const problems = await checkEnvironment(env, reference, describeEnvironment, sizes.seed);
  const reports: ParityReport[] = [];
  const refused: LeftOut[] = [];
  // A driver is the judge where there is one.
  const judges = others.some(({ shaders }) => shaders === 'by a driver') ? 'by a driver' : 'as written';
  let isWrong = false;
  const onRefused = ({ backend, shaders }: Compared, error: CompileError): void => {
    const reason = `${env.id}: ${error.detail}`;
    isWrong ||= shaders === judges && !(error instanceof UnsupportedError);
    if (refused.some((one) => one.backend === backend.id && one.reason === reason)) return;
    leaveOut({ backend: backend.id, reason }, refused, io);
  };
  // The numbers of an environment that violates its bounds mean nothing.
  const kinds = problems.length > 0 ? [] : policyKinds.filter((kind) => kind.accepts(env) === null);
  for (const kind of kinds) {
    const policy = kind.build(env, {});
    const { seed, transitions, episodes } = sizes;
    const maxSteps = defaultStepCap(env);
    io.status(`${env.id}, ${kind.id} ...`);
    const able = others
      .filter(({ backend }) => backend.supports(env, policy) === null)
      .map((other) => ({ ...other, maxSeconds: sizes.maxSeconds ?? other.maxSeconds }));
    const request = { env, policy, reference, others: able, seed, transitions, episodes, maxSteps, onRefused };
    reports.push(...(await compareEach(request)));
  }
  return { env: env.id, problems, reports, refused, isWrong };
}

function shaderReader(folder: string | undefined): ReadShader {
  if (folder === undefined) return readAsset;
  return (path) => {
    const file = join(folder, ...path.split('/').slice(1));
    try {
      return readRegularText(file);
    } catch (cause) {
      throw new UsageError('parity', `--shaders: expected a copy of shaders/, cannot read "${file}"`, cause);
    }
  };
}

/** One sentence per problem, and per policy kind one on what they mean together. */
function complaints({ env, problems, reports }: EnvReport): string[] {
  const kinds = [...new Set(reports.map(({ policyKind }) => policyKind))];
  const differences = kinds.flatMap((kind) => {
    const ofKind = reports.filter(({ policyKind }) => policyKind === kind);
    const said = ofKind.filter(({ ok }) => !ok).map((one) => `${env}, ${kind}: ${differenceOf(one)}`);
    const culprit = culpritOf(ofKind);
    return culprit === null ? said : [...said, `${env}, ${kind}: ${culprit}`];
  });
  return [...problems.map((problem) => `${env}: ${problem}`), ...differences];
}

const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`;

function report(reports: readonly EnvReport[], leftOut: readonly LeftOut[], options: Options, io: Io): string {
  const mark = (ok: boolean): string => (ok ? io.outColors.green('ok') : io.outColors.red('DIFFERS'));
  const compared = reports.flatMap((r) => r.reports);
  const sideColumns = [
    left('environment', (r: ParityReport) => r.env),
    left('policy', (r: ParityReport) => r.policyKind),
    left('backend', (r: ParityReport) => r.other),
    left('against', (r: ParityReport) => r.reference),
  ];
  const steps = tableOf(compared, {
    title: 'Single steps (errors relative to the largest state entry, at least 1)',
    columns: [
      ...sideColumns,
      right('start states', ({ start }) => start.seeds),
      right('different', ({ start }) => start.different),
      right('steps', ({ step }) => step.transitions),
      right('same bits', ({ step }) => percent(step.equal / step.transitions)),
      right('max error', ({ step }) => step.maxError.toExponential(2)),
      left('in', ({ step }) => step.worst?.entry ?? ''),
      right('tolerance', ({ step }) => step.tolerance.toExponential(1)),
      right('ends differ', ({ step }) => step.terminatedDifferent),
      left('', ({ start, step }) => mark(start.ok && step.ok)),
    ],
  });
  const episodes = tableOf(
    compared.flatMap((r) => r.episodes.map((e) => ({ ...r, e }))),
    {
      title: 'Whole episodes (p: Welch test of the two means)',
      columns: [
        ...sideColumns,
        left('parameters', ({ e }) => e.policy),
        right('episodes', ({ e }) => e.episodes),
        right('equal', ({ e }) => percent(e.equal)),
        right('mean against', ({ e }) => e.meanReference.toFixed(3)),
        right('mean', ({ e }) => e.meanOther.toFixed(3)),
        right('p', ({ e }) => e.p.toPrecision(3)),
        left('', ({ e }) => mark(e.ok)),
      ],
    },
  );
  const fewer = compared.some((r) => r.episodes.some((e) => e.episodes < options.episodes));
  return [
    ...(compared.length === 0 ? [] : [steps.title, io.table(steps), '', episodes.title, io.table(episodes), '']),
    ...(fewer
      ? [`Some policy kinds played fewer than ${options.episodes} episodes to limit the time; see --max-seconds.`]
      : []),
    ...new Set(compared.map((r) => `${r.env}: tolerance ${r.step.tolerance}: ${r.step.reason}`)),
    ...leftOut.map(({ backend, reason }) => `not compared: ${backend}: ${reason}`),
    ...reports.filter((r) => r.problems.length === 0).map((r) => `${r.env}: within its declared bounds`),
  ].join('\n');
}
