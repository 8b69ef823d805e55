/**
 * The settings of a training: which hyperparameters, which budget, which evaluations, and which known defects of the
 * reference's baselines (`baselines/sb3`, commit 9449c38) are repeated.
 */
import { z } from 'zod';
import { UsageError, unknownName } from '../base/errors.ts';
import { choice, flag, optional, orNull, section, whole } from '../base/schema-fields.ts';
import { shown } from '../base/shown.ts';
import { hashOf } from '../config/hash.ts';
import { isSection, merge } from '../config/layers.ts';
import { resolveConfig } from '../config/resolve.ts';
import { episodeSettings } from '../config/settings.ts';
import { parseYaml } from '../config/yaml-text.ts';
import type { Env } from '../envs/env.ts';
import { envs } from '../envs/index.ts';
import { findEnv } from '../envs/registry.ts';
import { type BackendChoice, backendChoices } from '../rollout/backend.ts';
import { maxEpisodes } from '../rollout/job-checks.ts';
import { type Algorithm, algorithms, findAlgorithm, requireFit } from './algorithms.ts';
import { hyperparameterSchema } from './arguments.ts';
import { type Hyperparameters, zooEntry } from './zoo.ts';

/** Where hyperparameters come from; also the first part of the name of a method: `sb3/ppo`, `zoo/ppo`. */
export const sources = ['sb3', 'zoo', 'reference'] as const;
export type Source = (typeof sources)[number];

const most = 1_000_000_000;
/** Stable-Baselines3 takes 32 bits: of larger seeds two would be the same training. */
const maxTrainingSeed = 2 ** 32 - 1;
const evaluationsPerRun = 200;

const schema = section('a training with Stable-Baselines3', {
  seed: whole(0, maxTrainingSeed).default(0).describe('seed of the training and of its evaluations'),
  settings: choice(sources)
    .default('sb3')
    .describe(
      'hyperparameters: sb3, the defaults of Stable-Baselines3; zoo, the tuned ones of rl-baselines3-zoo; reference, those ' +
        'of the baselines of the reference, which are zoo entries of exactly this id with one environment',
    ),
  budget: choice(['episodes', 'evaluated-episodes', 'steps'])
    .nullable()
    .default(null)
    .describe(
      'episodes: all episodes are training episodes; evaluated-episodes: evaluation episodes are charged too, as the ' +
        'reference does, which leaves 190 of 4000 for training; steps: training steps; null: the one whose number is ' +
        'given, else steps for zoo and episodes for the others',
    ),
  episodes: optional(whole(1, most, orNull), 'budget of episodes; null: 4000'),
  steps: optional(whole(1, most, orNull), 'budget of training steps; null: n_timesteps of the zoo, else 100000'),
  evaluation: section('evaluations during the training, by the evaluator of r2po', {
    episodes: whole(1, maxEpisodes).default(20).describe('episodes per evaluation'),
    every: optional(
      whole(1, most, orNull),
      `training episodes, or steps with a budget of steps, per evaluation; null: 1 for evaluated-episodes, else ${evaluationsPerRun} evaluations per run`,
    ),
    backend: choice(backendChoices).default('auto').describe('backend for the episodes'),
  }).prefault({}),
  recheck: section('final evaluation of the best policy on fresh seeds', {
    episodes: whole(1, maxEpisodes).default(10_000).describe('episodes of the re-check'),
  }).prefault({}),
  defects: section('known defects of the baselines of the reference; all are off by default', {
    endless_schedule: flag()
      .default(false)
      .describe('schedules such as the exploration of DQN last 2e9 steps, so that they hardly begin'),
    raw_evaluation: flag()
      .default(false)
      .describe('a policy that was trained on normalised observations is evaluated on plain ones'),
    constant_schedules: flag().default(false).describe('values that fall linearly in the zoo stay constant'),
  }).prefault({}),
  // Of any value: each is checked for what it is.
  hyperparameters: z
    .record(z.string(), z.unknown(), { error: 'a section of hyperparameters' })
    .default({})
    .describe('hyperparameters of the algorithm that replace others'),
});

type Given = z.output<typeof schema>;

/** The settings as a JSON Schema, for completion. */
export const baselineJsonSchema = (): unknown => z.toJSONSchema(schema, { io: 'input' });

/** A complete training. Keys are those of `config.yaml`. */
export interface BaselineConfig {
  readonly env: string;
  /** `sb3/ppo` */
  readonly method: string;
  readonly seed: number;
  /** planned number of evaluations; several environments may end a few episodes at once */
  readonly iterations: number;
  readonly evaluation: {
    readonly episodes: number;
    readonly max_steps: number | null;
    readonly success_threshold: number;
    readonly backend: BackendChoice;
  };
  readonly recheck: { readonly episodes: number };
  readonly sb3: {
    readonly algorithm: string;
    readonly settings: Source;
    /** where the hyperparameters come from, in words */
    readonly source: string;
    readonly policy: string;
    readonly n_envs: number;
    readonly normalize: boolean | Hyperparameters;
    readonly hyperparameters: Hyperparameters;
    readonly budget: 'episodes' | 'evaluated-episodes' | 'steps';
    /** of training; null: the other one is the budget */
    readonly training_episodes: number | null;
    readonly training_steps: number | null;
    /** training episodes or steps per evaluation */
    readonly every: number;
    readonly defects: Given['defects'];
  };
}

/** What a name such as `cartpole/ppo`, `CartPole-v1/sb3/ppo` or `cartpole/zoo/ppo` says. */
export interface BaselineName {
  readonly env: Env;
  readonly algorithm: Algorithm;
  /** null: the name does not say */
  readonly settings: Source | null;
}

const namedEnv = (name: string): Env | undefined => envs.find(({ id, folder }) => id === name || folder === name);

/** Whether a name can only be that of a baseline: an environment, and an algorithm that `isOther` does not know. */
export function isBaselineName(name: string, isOther: (algorithm: string) => boolean): boolean {
  const parts = name.split('/');
  if (parts.length === 3) return namedEnv(parts[0]!) !== undefined && sources.some((source) => source === parts[1]);
  const [env, algorithm] = parts;
  return parts.length === 2 && namedEnv(env!) !== undefined && isAlgorithm(algorithm!) && !isOther(algorithm!);
}

const isAlgorithm = (name: string): boolean => algorithms.some(({ id }) => id === name);

/** Throws a usage error with the nearest name. */
function readBaselineName(name: string): BaselineName {
  const parts = name.split('/');
  if (parts.length < 2 || parts.length > 3) {
    throw new UsageError(
      'baseline',
      `expected <environment>/<algorithm>, such as cartpole/ppo, got "${name}"; algorithms are ${algorithms.map(({ id }) => id).join(', ')}`,
    );
  }
  const settings = parts.length === 3 ? parts[1]! : null;
  if (settings !== null && !sources.some((source) => source === settings)) {
    throw new UsageError('baseline', unknownName('settings', settings, sources));
  }
  const env = findEnv(parts[0]!);
  const algorithm = findAlgorithm(parts.at(-1)!);
  requireFit(algorithm, env);
  return { env, algorithm, settings: settings as Source | null };
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) target[key] = value;
  else {
    const inside = typeof target[key] === 'object' && target[key] !== null ? target[key] : {};
    target[key] = inside;
    assign(inside as Record<string, unknown>, rest, value);
  }
}

const knownKeys = Object.keys(schema.shape);

function keysInside(key: string): string[] {
  const inner = { evaluation: ['episodes', 'every', 'backend'], recheck: ['episodes'] } as Record<string, string[]>;
  return key === 'defects' ? ['endless_schedule', 'raw_evaluation', 'constant_schedules'] : (inner[key] ?? []);
}

/** Reads `key=value ...`. Throws a usage error that quotes the first bad one. */
function readGiven(overrides: readonly string[]): Given {
  const raw: Record<string, unknown> = {};
  const labels = new Map<string, string>();
  for (const [i, text] of overrides.entries()) {
    const label = `override ${i + 1} (${text})`;
    const equals = text.indexOf('=');
    if (equals < 1) throw new UsageError('baseline', `${label}: expected key=value, as in episodes=1000`);
    const path = text.slice(0, equals).split('.');
    const [top, ...inner] = path as [string, ...string[]];
    if (!knownKeys.includes(top)) throw new UsageError('baseline', `${label}: ${unknownName('key', top, knownKeys)}`);
    const known = keysInside(top);
    if (inner.length > 0 && known.length > 0 && !known.includes(inner[0]!)) {
      throw new UsageError(
        'baseline',
        `${label}: ${unknownName(
          'key',
          path.join('.'),
          known.map((one) => `${top}.${one}`),
        )}`,
      );
    }
    if (path.includes('__proto__')) throw new UsageError('baseline', `${label}: expected another key`);
    const { value } = parseYaml('baseline', { name: `${label}, the value`, text: text.slice(equals + 1) });
    assign(raw, path, value);
    labels.set(path.join('.'), label);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue!.path.join('.');
  const label = [...labels].find(([key]) => path.startsWith(key) || key.startsWith(path))?.[1] ?? path;
  throw new UsageError('baseline', `${label}: expected ${issue!.message}`);
}

/** Keys of a zoo entry that are no arguments of the algorithm. */
const control = ['n_timesteps', 'policy', 'n_envs', 'normalize', 'env_wrapper', 'frame_stack'];

interface Chosen {
  readonly source: string;
  readonly policy: string;
  readonly n_envs: number;
  readonly normalize: unknown;
  readonly values: Hyperparameters;
  readonly steps: number | null;
}

function chosen(settings: Source, algorithm: Algorithm, env: Env): Chosen {
  if (settings === 'sb3') {
    const source = 'defaults of stable-baselines3 2.9.2';
    return { source, policy: algorithm.policy, n_envs: 1, normalize: false, values: {}, steps: null };
  }
  const { source, values } = zooEntry(algorithm.id, env.id, settings === 'reference');
  const own = Object.fromEntries(Object.entries(values).filter(([key]) => !control.includes(key)));
  const isReference = settings === 'reference';
  return {
    source: isReference ? `${source}, one environment, as the reference` : source,
    policy: isReference ? 'MlpPolicy' : String(values.policy ?? algorithm.policy),
    n_envs: isReference ? 1 : Number(values.n_envs ?? 1),
    // The reference does not scale rewards.
    normalize: values.normalize ? (isReference ? { norm_reward: false } : values.normalize) : false,
    values: own,
    steps: values.n_timesteps === undefined ? null : Number(values.n_timesteps),
  };
}

/**
 * The given hyperparameters in place of those of the source, section by section. Throws a usage error that names the nearest
 * one.
 */
function hyperparametersOf(
  algorithm: Algorithm,
  env: Env,
  { values, policy, n_envs, normalize }: Chosen,
  given: Hyperparameters,
) {
  const refuse = (message: string): never => {
    throw new UsageError('baseline', message);
  };
  const merged = merge({ ...values, policy, n_envs, normalize }, given);
  const schema = hyperparameterSchema(algorithm, env, { policy: merged.policy, normalize: merged.normalize });
  const parsed = schema.safeParse(merged);
  if (!parsed.success) {
    const { code, path, message } = parsed.error.issues[0]!;
    const name = ['hyperparameters', ...path].join('.');
    if (code === 'unrecognized_keys') return refuse(`${name}: ${message}`);
    const got = path.reduce<unknown>((value, key) => (value as Hyperparameters)[String(key)], merged);
    return refuse(`expected "${name}" to be ${message}, got ${shown(got)}`);
  }
  const { noise_type: kind, noise_std: std } = merged;
  if ((kind === undefined && std !== undefined) || (kind != null && std === undefined)) {
    const [there, missing] = kind == null ? ['noise_std', 'noise_type'] : ['noise_type', 'noise_std'];
    refuse(`expected "hyperparameters.${missing}" beside ${there}, got none; add it`);
  }
  return parsed.data;
}

/** Throws a usage error for a network without a hidden layer that is no linear policy: its first snapshot would say so. */
function requirePolicyKind(
  algorithm: Algorithm,
  { observation, action }: Env,
  { policy, normalize, policy_kwargs: given }: Hyperparameters,
  isRaw: boolean,
): void {
  const { net_arch: layers, squash_output: squashes = algorithm.squashes } = (given ?? {}) as Hyperparameters;
  const acting = isSection(layers) ? layers.pi : layers;
  const isLinear = policy === 'LinearPolicy' || (Array.isArray(acting) && acting.length === 0);
  if (!isLinear || observation.kind !== 'vector') return;
  const isNormalised = normalize === true || (isSection(normalize) && normalize.norm_obs !== false);
  const problems = [
    ...(isNormalised && !isRaw ? ['normalised observations'] : []),
    ...(squashes && action.kind === 'box' ? ['squashed actions'] : []),
  ];
  if (problems.length === 0) return;
  throw new UsageError(
    'baseline',
    `expected a hidden layer with ${problems.join(' and ')}, which no linear policy here has, got none; add one to ` +
      `"hyperparameters.policy_kwargs.net_arch"${policy === 'LinearPolicy' ? ', with hyperparameters.policy=MlpPolicy' : ''}`,
  );
}

/** Training episodes whose evaluations, `episodes` each after every `every`, fit into the budget: those of the reference. */
export function trainingEpisodes(budget: number, every: number, episodes: number): number {
  let training = 0;
  while (training + 1 + Math.ceil((training + 1) / every) * episodes <= budget) training += 1;
  return training;
}

type Budget = Pick<BaselineConfig['sb3'], 'budget' | 'training_episodes' | 'training_steps' | 'every'> & {
  readonly iterations: number;
};

function budgetOf(given: Given, { steps: tuned }: Chosen): Budget {
  const { evaluation } = given;
  const inSteps = given.steps !== null || (given.settings === 'zoo' && given.episodes === null);
  const budget = given.budget ?? (inSteps ? 'steps' : 'episodes');
  const other = budget === 'steps' ? 'episodes' : 'steps';
  if (given[other] !== null) {
    throw new UsageError(
      'baseline',
      `expected no ${other} with budget=${budget}, got ${given[other]}; leave one of them out`,
    );
  }
  if (budget === 'steps') {
    const steps = given.steps ?? tuned ?? 100_000;
    const every = evaluation.every ?? Math.max(1, Math.ceil(steps / evaluationsPerRun));
    const iterations = Math.ceil(steps / every);
    return { budget, training_episodes: null, training_steps: steps, every, iterations };
  }
  const episodes = given.episodes ?? 4000;
  const isCharged = budget === 'evaluated-episodes';
  const every = evaluation.every ?? (isCharged ? 1 : Math.max(1, Math.ceil(episodes / evaluationsPerRun)));
  const training = isCharged ? trainingEpisodes(episodes, every, evaluation.episodes) : episodes;
  if (training < 1) {
    throw new UsageError(
      'baseline',
      `expected a budget of at least ${1 + evaluation.episodes} episodes, of which ${evaluation.episodes} are one evaluation, got ${episodes}`,
    );
  }
  return { budget, training_episodes: training, training_steps: null, every, iterations: Math.ceil(training / every) };
}

/**
 * The training that a name and `key=value ...` describe. Episodes are limited, and successes counted, as for the searches of
 * the environment. Throws a usage error.
 */
export async function resolveBaseline(
  name: string,
  overrides: readonly string[],
  seed?: number,
): Promise<BaselineConfig> {
  const { env, algorithm, settings } = readBaselineName(name);
  const texts = [...overrides, ...(seed === undefined ? [] : [`seed=${seed}`])];
  const own = readGiven(texts);
  if (settings !== null && overrides.some((text) => text.startsWith('settings=')) && own.settings !== settings) {
    throw new UsageError(
      'baseline',
      `expected the settings of "${name}", got settings=${own.settings}; leave one of them out`,
    );
  }
  const given = settings === null ? own : { ...own, settings };
  const found = chosen(given.settings, algorithm, env);
  const { iterations, ...budget } = budgetOf(given, found);
  const { config: search } = await resolveConfig(`${env.folder}/r2po`);
  const { maxSteps, successThreshold } = episodeSettings(search, env);
  const taken = hyperparametersOf(algorithm, env, found, given.hyperparameters);
  requirePolicyKind(algorithm, env, taken, given.defects.raw_evaluation);
  const { n_envs, normalize, policy, ...hyperparameters } = taken;
  if (given.defects.raw_evaluation && normalize === false) {
    throw new UsageError(
      'baseline',
      `expected normalised observations with defects.raw_evaluation=true, got none in ${given.settings}/${algorithm.id} on ${env.id}; leave it out`,
    );
  }
  return {
    env: env.id,
    method: `${given.settings}/${algorithm.id}`,
    seed: given.seed,
    iterations,
    evaluation: {
      episodes: given.evaluation.episodes,
      max_steps: maxSteps,
      success_threshold: successThreshold,
      backend: given.evaluation.backend,
    },
    recheck: given.recheck,
    sb3: {
      algorithm: algorithm.id,
      settings: given.settings,
      source: found.source,
      policy,
      n_envs,
      normalize,
      hyperparameters,
      ...budget,
      defects: given.defects,
    },
  };
}

/** Hash of what decides the result. */
export function baselineHash(config: BaselineConfig): string {
  const { backend: _, ...evaluation } = config.evaluation;
  return hashOf({ ...config, evaluation });
}

/** Whether the environment is one of MuJoCo, whose steps depend on its version. */
export const usesMujoco = ({ env }: Pick<BaselineConfig, 'env'>): boolean =>
  findEnv(env).groundTruth.includes('MuJoCo');
