/** `r2po eval`: plays episodes of one policy, or ranks many policies. */

import { existsSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UsageError } from '../base/errors.ts';
import { cannotWriteFile } from '../base/machine-fault.ts';
import { readAsset } from '../base/node/assets.ts';
import { OutputFile } from '../base/node/atomic-file.ts';
import { checkOutputFile, refuseStdoutBesideJson } from '../base/node/output-folder.ts';
import { counted, roundedBy } from '../base/plain-number.ts';
import type { Env, EnvOptions } from '../envs/env.ts';
import { animate } from '../evaluation/animation.ts';
import { type EvaluateResult, evaluate } from '../evaluation/evaluate.ts';
import { type Summary, summaryStatistics } from '../evaluation/summary.ts';
import { trajectoryDocument } from '../evaluation/trajectory-file.ts';
import { type LoadedPolicy, parsePolicy } from '../policies/policy-file.ts';
import type { Backend, BackendChoice } from '../rollout/backend.ts';
import { defaultStepCap, endCauses } from '../rollout/job.ts';
import { maxEpisodeSteps, maxMeasuredEpisodes } from '../rollout/job-checks.ts';
import { withBackend } from './backend.ts';
import { envOption } from './env-option.ts';
import type { RankOptions } from './eval-policies.ts';
import { type VaryOptions, varyAndReport } from './eval-variation.ts';
import { listenForInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import {
  adapterOption,
  addOutputOptions,
  backendOption,
  countOption,
  refuseBeside,
  seedOption,
  trustEnvOption,
  wholeNumber,
} from './options.ts';
import { checkPicture, pictureFormats } from './picture-file.ts';
import { progressOf } from './progress.ts';
import { returnsHeader, returnsWriter } from './returns-file.ts';
import { checkStepCap } from './step-cap.ts';
import { type GivenVariation, variedConstants, varyOption } from './vary-option.ts';

interface Options extends RankOptions, VaryOptions {
  readonly env?: string;
  readonly envOption: EnvOptions;
  readonly policy?: string;
  readonly policies?: string;
  readonly maxSteps?: number;
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly returns?: string;
  readonly trajectory?: string;
  readonly animate?: string;
  readonly dumpWgsl?: string;
  readonly vary?: readonly GivenVariation[];
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Plays episodes of one policy, or ranks many on the same seeds. Episode seeds are --seed, --seed + 1, ..., as in Gymnasium.',
    )
    .option(
      '--env <id>',
      'environment (see "r2po list envs"), or the path of an environment module; default: that of the policy or run',
    )
    .addOption(envOption())
    .addOption(trustEnvOption())
    .option(
      '--policy <source>',
      'policy file, run folder (its best policy), model of Stable-Baselines3 (.zip), or - for stdin',
    )
    .option(
      '--policies <source>',
      'rank many policies on the same seeds: a folder of policy files and run folders, or a file with one policy per line (- for stdin)',
    )
    .addOption(countOption('--episodes', 'episodes to play', maxMeasuredEpisodes).default(20))
    .addOption(seedOption('seed of the first episode').default(0))
    .addOption(countOption('--max-steps', 'end episodes after this many steps (counted as capped)', maxEpisodeSteps))
    .addOption(backendOption())
    .addOption(adapterOption())
    .option('--returns <file>', 'write one CSV row per episode: index,seed,return,length,end')
    .option('--trajectory <file>', 'write the median episode, step by step, as JSON')
    .option('--animate <file>', 'write the median episode as an animated SVG picture')
    .addOption(countOption('--top', 'with --policies: number of policies to show (default: 20)'))
    .addOption(
      new Option(
        '--recheck <n>',
        'with --policies: re-check the first ten on this many fresh episodes (default: --episodes; 0: none)',
      ).argParser(wholeNumber('--recheck', 0, maxMeasuredEpisodes)),
    )
    .addOption(varyOption())
    .option('--picture <file>', `with --vary: write a curve or heat map (${pictureFormats})`)
    .option('--csv <file>', 'with --policies or --vary: write one CSV row per policy or combination')
    .option('--dump-wgsl <file>', 'write the WGSL program of the episodes; -: print it and play nothing');
  addOutputOptions(command, io).action(async (options: Options, self: Command) => {
    checkOptions(options);
    if (options.dumpWgsl === '-') refuseBeside(self, '--dump-wgsl -', (flag) => !ofPrograms.includes(flag));
    await run(options, io);
  });
}

/** Options of a command that prints a program and plays nothing. */
const ofPrograms = ['--dump-wgsl', '--env', '--env-option', '--trust-env', '--policy', '--quiet'];

/** An animation is an SVG picture, whatever its name says. */
function checkAnimation({ animate: path }: Options): void {
  if (path === undefined || ['', '.svg'].includes(extname(path).toLowerCase())) return;
  throw new UsageError(
    '--animate',
    `expected a name that ends in .svg, got "${path}"; the animation is an SVG picture, so name it .svg`,
  );
}

/** Options that apply to one policy only, or to many only. */
const single = ['returns', 'trajectory', 'animate', 'dumpWgsl', 'vary', 'picture'] as const;
const many = ['top', 'recheck', 'csv'] as const;
/** Options of one evaluation, and of several under changed constants. */
const unvaried = ['returns', 'trajectory', 'animate', 'dumpWgsl'] as const;

/** Options that name a file; "-" as that of a program prints it. */
const writtenFiles = [...unvaried, 'csv', 'picture'] as const;

const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function checkOptions(options: Options): void {
  const { policy, policies } = options;
  if ((policy === undefined) === (policies === undefined)) {
    const got = policy === undefined ? 'none' : 'both';
    throw new UsageError(
      'eval',
      `expected --policy for one or --policies for many, got ${got}; see "r2po eval --help"`,
    );
  }
  const { vary } = options;
  const ofMany = many.filter((name) => vary === undefined || name !== 'csv');
  const [foreign, wanted] = policies === undefined ? [ofMany, '--policies'] : [single, '--policy'];
  const key = foreign.find((name) => options[name] !== undefined);
  const one = unvaried.find((name) => options[name] !== undefined);
  if (key !== undefined) {
    const either = key === 'csv' ? `${wanted} or --vary` : wanted;
    throw new UsageError('eval', `expected ${either} with ${flagOf(key)}; give it, or leave ${flagOf(key)} out`);
  }
  if (vary !== undefined && one !== undefined) {
    throw new UsageError('eval', `expected ${flagOf(one)} without --vary, got both; leave one of them out`);
  }
  if (vary === undefined && options.picture !== undefined) {
    throw new UsageError('--picture', 'expected --vary with it, got none; give --vary constant=a..b:n');
  }
}

/** Each file can be written, is none that is read, and is written once. */
function checkFiles(options: Options): void {
  const named = new Map<string, string>();
  const realPath = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));
  for (const name of ['policy', 'policies'] as const) {
    const path = options[name];
    if (path !== undefined && path !== '-') named.set(realPath(path), flagOf(name));
  }
  for (const name of writtenFiles) {
    const path = options[name];
    if (path === undefined || (path === '-' && name === 'dumpWgsl')) continue;
    checkOutputFile(flagOf(name), path);
    refuseStdoutBesideJson(flagOf(name), path, options.json);
    // Any number of results may go to a pipe or a device.
    if (existsSync(path) && !statSync(path).isFile()) continue;
    const real = realPath(path);
    const other = named.get(real);
    if (other !== undefined) {
      throw new UsageError(flagOf(name), `expected a file of its own, got "${path}", that of ${other}; name another`);
    }
    named.set(real, flagOf(name));
  }
}

async function run(options: Options, io: Io): Promise<void> {
  checkAnimation(options);
  checkPicture(options.picture);
  checkFiles(options);
  const { policies } = options;
  const loaded = options.policy === undefined ? null : await loadSubject(options.policy, options, io);
  if (loaded !== null && options.dumpWgsl !== undefined) {
    const { rolloutProgram } = await import('../rollout/webgpu/program/programs.ts');
    const { code } = rolloutProgram(loaded.env, loaded.policy, readAsset);
    if (options.dumpWgsl === '-') {
      io.print(code);
      return;
    }
    write(options.dumpWgsl, code, io);
  }
  const set =
    policies === undefined
      ? null
      : await (await import('../runs/folder/policy-set.ts')).loadPolicySet(policies, options);
  const varied = loaded !== null && options.vary !== undefined ? variedConstants(loaded.env, options.vary) : null;
  const interruption = listenForInterrupts(io, 'the evaluation', 'without a result');
  try {
    const { signal } = interruption;
    await withBackend(options.backend ?? 'auto', options.adapter, io, async (backend) => {
      if (loaded !== null && varied !== null) {
        const maxSteps = stepCap(loaded, options.maxSteps, io);
        await varyAndReport({ backend, ...loaded, varied, maxSteps, signal }, options, io);
      } else if (loaded !== null) await play({ backend, ...loaded, signal }, options, io);
      else if (set !== null) {
        const { rankAndReport } = await import('./eval-policies.ts');
        const maxSteps = stepCap({ env: set.env, runCap: null }, options.maxSteps, io);
        await rankAndReport({ backend, set, maxSteps, signal }, options, io);
      }
    });
  } finally {
    io.status(null);
    interruption.dispose();
  }
}

/** `runCap`: steps after which the run of the policy ended its episodes; null: none, or a policy of no run. */
type LoadedSubject = LoadedPolicy & { readonly env: Env; readonly runCap: number | null };

/** The policy of `--policy`, in the environment that it and the command name. */
async function loadSubject(source: string, options: Options, io: Io): Promise<LoadedSubject> {
  const { envFor, openGiven, openPolicy } = await import('../runs/folder/policy-env.ts');
  const wanted = await openGiven(options);
  if (source !== '-' && source.toLowerCase().endsWith('.zip')) {
    const { isArchive, readModel } = await import('../interop/sb3/model.ts');
    if (isArchive(source)) {
      // A model names no environment, but its spaces may fit one only.
      const isNamed = wanted !== null || Object.keys(options.envOption).length > 0;
      const given = isNamed ? await envFor(wanted, options.envOption, null, source) : null;
      const { env, document, notes } = readModel(source, given);
      for (const note of notes) io.note(note);
      return { env, ...parsePolicy({ name: source, text: JSON.stringify(document) }, env), runCap: null };
    }
  }
  const { input, named, maxSteps } = await openPolicy(source);
  const env = await envFor(wanted, options.envOption, named, input.name);
  return { env, ...parsePolicy(input, env), runCap: maxSteps };
}

interface Subject extends LoadedSubject {
  readonly backend: Backend;
  readonly signal: AbortSignal;
}

async function play(subject: Subject, options: Options, io: Io): Promise<void> {
  const { backend, env, policy, params, source } = subject;
  const result = await evaluateAndWrite(subject, options, io);
  const [summary] = result.summaries;
  if (options.trajectory !== undefined || options.animate !== undefined) {
    const trace = await result.trace(0, 'median');
    if (options.trajectory !== undefined) {
      write(options.trajectory, `${JSON.stringify(trajectoryDocument(trace))}\n`, io);
    }
    if (options.animate !== undefined) write(options.animate, animate(env, trace, policy.kind), io);
  }
  const { seconds } = result.played;
  io.status(null);
  if (options.json) {
    io.printJson({
      env: env.id,
      env_options: env.options,
      policy: { kind: policy.kind, params: Array.from(params) },
      backend: backend.id,
      adapter: backend.adapter,
      episodes: options.episodes,
      seed: options.seed,
      ...summaryStatistics(summary!),
      wall_s: seconds,
      steps_per_s: summary!.steps / seconds,
    });
  } else {
    io.print(report(env, source, summary!, backend.adapter ?? backend.id, seconds, io));
  }
}

/** The file of the returns appears only when it is complete. */
async function evaluateAndWrite(subject: Subject, options: Options, io: Io): Promise<EvaluateResult> {
  const { backend, env, policy, params, signal } = subject;
  const { episodes, seed } = options;
  const request = {
    ...{ backend, env, policy, candidates: [params], episodes, seed, signal },
    maxSteps: stepCap(subject, options.maxSteps, io),
    onProgress: progressOf(io, counted(episodes, 'episode')),
  };
  if (options.returns === undefined) return evaluate(request);
  const file = await OutputFile.create('eval', options.returns);
  try {
    await file.write(returnsHeader);
    const result = await evaluate({ ...request, onOutcomes: returnsWriter(file, seed, signal) });
    await file.finish();
    io.note(`wrote ${options.returns}`);
    return result;
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function stepCap(
  { env, runCap }: Pick<LoadedSubject, 'env' | 'runCap'>,
  maxSteps: number | undefined,
  io: Io,
): number | null {
  checkStepCap(env, maxSteps);
  if (maxSteps !== undefined) return maxSteps;
  if (runCap !== null && runCap < (env.timeLimit ?? Number.POSITIVE_INFINITY)) {
    io.note(`episodes are stopped after ${runCap} steps, as in the run; change this with --max-steps`);
    return runCap;
  }
  const cap = defaultStepCap(env);
  if (cap !== null) {
    io.note(`${env.id} has no step limit: episodes are stopped after ${cap} steps; change this with --max-steps`);
  }
  return cap;
}

function write(path: string, text: string, io: Io): void {
  try {
    writeFileSync(path, text);
    io.note(`wrote ${path}`);
  } catch (cause) {
    throw cannotWriteFile('eval', path, cause, 'name a file in a folder that exists');
  }
}

function report(env: Env, source: string, s: Summary, where: string, seconds: number, io: Io): string {
  const number = (x: number): string => String(Number(x.toPrecision(6)));
  const mean = roundedBy(s.stderr, 6);
  const interval = s.ci95 ? `95 % interval ${mean(s.ci95[0])} ... ${mean(s.ci95[1])}` : 'one episode: no interval';
  const m = s.median_episode;
  const rows: [string, string][] = [
    ['mean return', `${mean(s.mean)}  (${interval})`],
    ['std, min, max', `${s.std === null ? '-' : number(s.std)}, ${number(s.min)}, ${number(s.max)}`],
    [
      'quantiles',
      Object.entries(s.quantiles)
        .map(([q, v]) => `${Number(q) * 100} %: ${number(v)}`)
        .join('   '),
    ],
    ['success', `${s.success.count} of ${s.episodes} (return >= ${number(s.success.threshold)})`],
    ['length', `mean ${number(s.length.mean)}, ${s.length.min} ... ${s.length.max}`],
    ['ended', endCauses.map((cause) => `${s.ends[cause]} ${cause}`).join(', ')],
    ['median episode', `seed ${m.seed}: return ${number(m.return)} in ${counted(m.length, 'step')}`],
    ['played', `${counted(s.steps, 'step')} in ${number(seconds)} s: ${number(s.steps / seconds)} steps/s on ${where}`],
  ];
  const columns = [{ title: env.id }, { title: `${source}, ${counted(s.episodes, 'episode')}` }];
  return io.table({ columns, rows });
}
