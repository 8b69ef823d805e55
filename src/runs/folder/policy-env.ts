/** Policies with the environment that they bring along: a run names it in its configuration, a policy file in itself. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../base/errors.ts';
import type { InputText } from '../../base/input-text.ts';
import { isModulePath } from '../../base/module-path.ts';
import { kindOfPath } from '../../config/input.ts';
import { readPolicy } from '../../config/read-policy.ts';
import { configName, manifestName } from '../../config/recorded.ts';
import type { Env, EnvOptions } from '../../envs/env.ts';
import { loadRecordedEnv, openEnv } from '../../envs/node/load.ts';
import { findEnv, withEnvOptions } from '../../envs/registry.ts';
import { type NamedEnv, namedEnv } from '../../policies/policy-file.ts';
import { refuseTraining } from './folder.ts';
import { readRun, type StoredRun } from './read-run.ts';

/** What a command says of the environment. */
export interface GivenEnv {
  /** undefined: the policy says which */
  readonly env?: string | undefined;
  readonly envOption: EnvOptions;
}

export interface OpenedPolicy {
  readonly input: InputText;
  /** null: neither a run nor the file names an environment */
  readonly named: NamedEnv | null;
}

/** The policy of a run has played its episodes. */
export interface OpenedSubject extends OpenedPolicy {
  /** steps after which the run of the policy ended its episodes; null: it did not, or there is no run */
  readonly maxSteps: number | null;
}

const capped = z.looseObject({ evaluation: z.looseObject({ max_steps: z.int().min(1) }) });

/** The run of a run folder or of its policy file; null: it is neither. */
function runOf(source: string): StoredRun | null {
  if (source === '-') return null;
  const kind = kindOfPath(source);
  const folder = kind === 'folder' ? source : basename(source) === 'best.json' ? dirname(source) : null;
  return folder !== null && existsSync(join(folder, manifestName)) ? readRun(folder) : null;
}

/** What a configuration says of its environment, whose method nobody has to load to play episodes. */
const playedEnv = z.looseObject({
  env: z.string(),
  env_options: z.record(z.string(), z.json()).default({}),
  method: z.string().refine(isModulePath),
});

async function envOfRun(run: StoredRun): Promise<NamedEnv> {
  const own = playedEnv.safeParse(run.writtenConfig());
  const { env, env_options: options } = own.success ? own.data : await run.config();
  return { source: run.folder, env, options };
}

/** The environment of the best policy of a run. A training has no configuration of ours, and its policy names its environment. */
export async function envOfBest(run: StoredRun, best: InputText): Promise<NamedEnv | null> {
  return run.manifest.imported?.training === undefined ? await envOfRun(run) : namedEnv(best);
}

/** The environment that a policy file names. The path of a module is relative to the file, as in a configuration. */
export function envOfFile(input: InputText): NamedEnv | null {
  const named = namedEnv(input);
  const isFile = statSync(input.name, { throwIfNoEntry: false })?.isFile() === true;
  return named !== null && isFile && isModulePath(named.env)
    ? { ...named, env: resolve(dirname(input.name), named.env) }
    : named;
}

/** Reads the policy of `--policy`. Throws a usage error where there is none. */
export async function openPolicy(source: string): Promise<OpenedSubject> {
  const run = runOf(source);
  if (run && !existsSync(run.path('best.json'))) refuseTraining(run.folder, run.manifest, '--policy');
  const input = await readPolicy(source);
  const named = run ? await envOfBest(run, input) : envOfFile(input);
  const cap = run === null || !existsSync(run.path(configName)) ? null : capped.safeParse(run.writtenConfig());
  return { input, named, maxSteps: cap?.data?.evaluation.max_steps ?? null };
}

/**
 * The environment that a policy names. A module out of a record is loaded only where the user has named it. Throws a usage
 * error that says what names it.
 */
export async function openNamedEnv({ source, env, options }: NamedEnv): Promise<Env> {
  try {
    return isModulePath(env) ? withEnvOptions(await loadRecordedEnv(env), options) : findEnv(env, options);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError('policy', `${source}: ${cause.detail}`, cause);
  }
}

/** Whether two environments are the same but for their options. */
export const isSameEnv = (a: Env, b: Env): boolean => a.id === b.id && a.module === b.module;

const shown = (value: unknown): string => JSON.stringify(value);
export const isEqual = (a: unknown, b: unknown): boolean => shown(a) === shown(b);

/** The environment that the command names, with its default options; null: none. */
export const openGiven = async ({ env }: GivenEnv): Promise<Env | null> => (env === undefined ? null : openEnv(env));

/** Whether `asked`, which has the options `given`, is what `own` is, as far as they say. */
function agrees(own: Env, asked: Env, given: EnvOptions): boolean {
  const { optionRules: rules } = own;
  const optionOf = (env: Env, key: string): unknown => env.options[key] ?? rules[key]?.fallback;
  const keys = Object.keys(given);
  const isOther = keys.some((key) => !Object.hasOwn(rules, key));
  // An option under another name, such as "map_name", says something of one of them.
  const compared = isOther ? [...new Set([...Object.keys(rules), ...Object.keys(own.options), ...keys])] : keys;
  return compared.every((key) => isEqual(optionOf(own, key), optionOf(asked, key)));
}

/**
 * The environment in which a policy is played: that of the policy, which the command may repeat and must not contradict; for a
 * policy without one, `wanted` with `envOption`, those of the command. `source` names the policy. Throws a usage error that names both otherwise.
 */
export async function envFor(
  wanted: Env | null,
  envOption: EnvOptions,
  named: NamedEnv | null,
  source: string,
): Promise<Env> {
  if (named === null) {
    if (wanted) return withEnvOptions(wanted, envOption);
    throw new UsageError('--env', `expected an environment, as "${source}" names none; add --env ID`);
  }
  const own = await openNamedEnv(named);
  if (wanted && !isSameEnv(wanted, own)) {
    const remedy = 'leave --env out, or give a policy of that environment';
    throw new UsageError(
      '--env',
      `expected ${own.id}, the environment of "${named.source}", got ${wanted.id}; ${remedy}`,
    );
  }
  if (Object.keys(envOption).length === 0) return own;
  const asked = withEnvOptions(await openNamedEnv({ ...named, options: {} }), envOption);
  if (agrees(own, asked, envOption)) return own;
  throw new UsageError(
    '--env-option',
    `expected the options ${shown(own.options)} of "${named.source}", got ${shown(envOption)}; leave --env-option out`,
  );
}
