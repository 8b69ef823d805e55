/** `r2po parity`: webgpu held against cpu, per environment and policy kind, on this machine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readAsset } from '../base/assets.ts';
import { DiffersError, UsageError } from '../base/errors.ts';
import { envs, findEnv } from '../envs/index.ts';
import { policyKinds } from '../policies/index.ts';
import { openCpuBackend } from '../rollout/cpu/backend.ts';
import type { ReadShader } from '../rollout/webgpu/programs.ts';
import { compareBackends, type ParityReport } from '../stats/parity.ts';
import { formatTable, type Io } from './io.ts';
import { addOutputOptions, countOption, seedOption } from './options.ts';

interface Options {
  readonly seed: number;
  readonly transitions: number;
  readonly episodes: number;
  readonly shaders?: string;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Holds the WebGPU backend against the float64 one: start states bit for bit, single steps from states that ' +
        'random policies reach, whole episodes over the same seeds. Exit code 6 when something is out of tolerance.',
    )
    .argument('[env...]', 'environments; all when left out')
    .addOption(seedOption('seed of the first episode').default(0))
    .addOption(countOption('--transitions', 'start states and single steps to compare', 2 ** 20).default(4096))
    .addOption(countOption('--episodes', 'episode seeds per policy', 2 ** 20).default(4096))
    .option('--shaders <dir>', 'use the shaders of this folder (a changed copy of shaders/)');
  addOutputOptions(command, io).action(async (names: string[], options: Options) => run(names, options, io));
}

async function run(names: readonly string[], options: Options, io: Io): Promise<void> {
  const chosen = names.length === 0 ? envs : names.map((name) => findEnv(name));
  const { openWebGpuBackend } = await import('../rollout/webgpu/backend.ts');
  const reference = openCpuBackend();
  const other = await openWebGpuBackend({ readShader: shaderReader(options.shaders) });
  const reports: ParityReport[] = [];
  try {
    io.note(`reference: cpu in float64; other: webgpu on ${other.adapter}`);
    for (const env of chosen) {
      for (const kind of policyKinds) {
        if (kind.accepts(env) !== null) continue;
        io.status(`${env.id}, ${kind.id} ...`);
        const policy = kind.build(env, {});
        const { seed, transitions, episodes } = options;
        const maxSteps = env.timeLimit === null ? 1000 : null;
        reports.push(await compareBackends({ env, policy, reference, other, seed, transitions, episodes, maxSteps }));
      }
    }
  } finally {
    io.status(null);
    await reference.close();
    await other.close();
  }
  if (options.json) io.printJson({ adapter: other.adapter, reports, ok: reports.every((r) => r.ok) });
  else io.print(table(reports, io));
  const failed = reports.filter((r) => !r.ok);
  if (failed.length > 0) {
    throw new DiffersError(
      'parity',
      `webgpu is out of tolerance in ${failed.map((r) => `${r.env} (${r.policyKind})`).join(', ')}; ` +
        'do not use its numbers on this machine, and report the table above with the output of "r2po doctor --json"',
    );
  }
}

function shaderReader(folder: string | undefined): ReadShader {
  if (folder === undefined) return readAsset;
  return (path) => {
    const file = join(folder, ...path.split('/').slice(1));
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw new UsageError('parity', `--shaders: expected a copy of shaders/, cannot read "${file}"`, cause);
    }
  };
}

function table(reports: readonly ParityReport[], io: Io): string {
  const mark = (ok: boolean): string => (ok ? io.outColors.green('ok') : io.outColors.red('DIFFERS'));
  const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`;
  const left = (title: string) => ({ title });
  const right = (title: string) => ({ title, align: 'right' as const });
  const steps = formatTable(
    [
      left('environment'),
      left('policy'),
      right('start states'),
      right('different'),
      right('steps'),
      right('max error'),
      left('in'),
      right('tolerance'),
      right('flags differ'),
      left(''),
    ],
    reports.map((r) => [
      r.env,
      r.policyKind,
      r.start.seeds,
      r.start.different,
      r.step.transitions,
      r.step.maxError.toExponential(2),
      r.step.worst,
      r.step.tolerance.toExponential(1),
      r.step.terminatedDifferent,
      mark(r.start.ok && r.step.ok),
    ]),
    io.outColors,
  );
  const episodes = formatTable(
    [
      left('environment'),
      left('policy'),
      left('parameters'),
      right('episodes'),
      right('equal'),
      right('mean cpu'),
      right('mean webgpu'),
      right('p'),
      left(''),
    ],
    reports.flatMap((r) =>
      r.episodes.map((e) => [
        r.env,
        r.policyKind,
        e.policy,
        e.episodes,
        percent(e.equal),
        e.meanReference.toFixed(3),
        e.meanOther.toFixed(3),
        e.p.toPrecision(3),
        mark(e.ok),
      ]),
    ),
    io.outColors,
  );
  const reasons = reports.map((r) => `${r.env}: tolerance ${r.step.tolerance}: ${r.step.reason}`);
  return [
    'Single steps (errors relative to the largest state entry, at least 1)',
    steps,
    '',
    'Whole episodes (p: Welch test of the two means)',
    episodes,
    '',
    ...new Set(reasons),
  ].join('\n');
}
