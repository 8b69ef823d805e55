/**
 * The hyperparameters that a training takes: the arguments of the algorithms of Stable-Baselines3 2.9.2 and its contrib
 * package that YAML can express, and those that the trainer reads itself. They are checked here because Python would refuse
 * them only when the run folder is there, and the packages are installed.
 */
import { z } from 'zod';
import { unknownName } from '../base/errors.ts';
import { between, choice, fields, finite, flag, orNull, whole } from '../base/schema-fields.ts';
import { isSection } from '../config/layers.ts';
import type { Env } from '../envs/env.ts';
import { maxHidden } from '../policies/mlp.ts';
import type { Algorithm } from './algorithms.ts';

const most = 1_000_000_000;
const count = whole(1, most);
const share = between(0, 1);

const notNegative = 'a number of at least 0';
const zeroOrMore = z.number({ error: notNegative }).min(0, { error: notNegative });
const positive = 'a number above 0';
const aboveZero = z.number({ error: positive }).gt(0, { error: positive });

/** A value, or one that falls over the training. */
function schedule(value: z.ZodType, what: string) {
  const error = `${what}, or {linear: x}, which falls from x to 0`;
  return z.union([value, z.strictObject({ linear: value })], { error });
}

const learningRate = schedule(zeroOrMore, notNegative);

type Shape = Readonly<Record<string, z.ZodType>>;

const optionalOnes = (shape: Shape): Shape =>
  Object.fromEntries(Object.entries(shape).map(([name, kind]) => [name, kind.optional()]));

/** A section of arguments; the message about an unknown one names the nearest. */
function section<T extends Shape>(of: string, shape: T) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? unknownName(`argument of ${of}`, issue.keys[0]!, Object.keys(shape))
        : 'a section of arguments',
  });
}

/** Of the network that acts: what the policy of the run can be. A larger one would only be refused at its first snapshot. */
const actingLayers = (what: string) => z.array(whole(1, maxHidden), { error: what }).max(2, { error: what });
const listOfLayers = `a list of at most two layer sizes in 1 ... ${maxHidden}, such as [64, 64]`;
const layerList = actingLayers(listOfLayers);
const layersOf = (critic: string, isBoth: boolean) => {
  const what = `${listOfLayers}, or {pi: [64], ${critic}: [64]}`;
  const both = { pi: actingLayers(what), [critic]: z.array(count, { error: what }) };
  return z.union([actingLayers(what), section('net_arch', isBoth ? both : optionalOnes(both))], { error: what });
};

/** Of all but DDPG. */
const statistics: Shape = { stats_window_size: count };

const onPolicy: Shape = {
  learning_rate: learningRate,
  n_steps: count,
  gamma: share,
  gae_lambda: share,
  normalize_advantage: flag(),
  rollout_buffer_kwargs: fields('arguments').nullable(),
  sde_sample_freq: whole(-1, most),
};

const offPolicy: Shape = {
  learning_rate: learningRate,
  buffer_size: count,
  learning_starts: whole(0, most),
  batch_size: count,
  tau: share,
  gamma: share,
  train_freq: count,
  gradient_steps: whole(-1, most),
  replay_buffer_kwargs: fields('arguments').nullable(),
  optimize_memory_usage: flag(),
  n_steps: count,
};

const lossWeights: Shape = { ent_coef: finite(), vf_coef: finite(), max_grad_norm: zeroOrMore };

/** Exploration by noise that is added to the action: `action_noise`, which the trainer makes of them. */
const noise: Shape = {
  noise_type: choice(['normal', 'ornstein-uhlenbeck']).nullable(),
  noise_std: between(0, 1e6),
};

const networks: Shape = {
  activation_fn: choice(['tanh', 'relu']),
  normalize_images: flag(),
  optimizer_kwargs: fields('arguments').nullable(),
};

const actorCritic: Shape = {
  ...networks,
  net_arch: layersOf('vf', false),
  ortho_init: flag(),
  log_std_init: finite(),
  full_std: flag(),
  use_expln: flag(),
  squash_output: flag(),
  share_features_extractor: flag(),
};

const twoCritics: Shape = {
  ...networks,
  net_arch: layersOf('qf', true),
  n_critics: count,
  share_features_extractor: flag(),
};

const withoutNoise: Shape = { with_bias: flag(), squash_output: flag() };

const automatic = 'a finite number, auto, or auto_x, which begins with x';
const startedAutomatic = z
  .string()
  .refine((value) => value === 'auto' || Number(/^auto_(.+)$/.exec(value)?.[1]) > 0, { error: automatic });

interface Accepted {
  readonly own: Shape;
  /** arguments of each policy */
  readonly policies: Readonly<Record<string, Shape>>;
  /** whether it can explore by noise that depends on the state, which takes a box of actions */
  readonly hasSde?: true;
}

const td3: Shape = { ...offPolicy, ...noise };

const accepted: Readonly<Record<string, Accepted>> = {
  dqn: {
    own: {
      ...offPolicy,
      ...statistics,
      target_update_interval: count,
      // 0 would be divided by.
      exploration_fraction: between(1e-9, 1),
      exploration_initial_eps: share,
      exploration_final_eps: share,
      max_grad_norm: zeroOrMore,
    },
    policies: { MlpPolicy: { ...networks, net_arch: layerList } },
  },
  a2c: {
    own: { ...onPolicy, ...lossWeights, ...statistics, rms_prop_eps: zeroOrMore, use_rms_prop: flag() },
    policies: { MlpPolicy: actorCritic },
    hasSde: true,
  },
  ppo: {
    own: {
      ...onPolicy,
      ...lossWeights,
      ...statistics,
      batch_size: count,
      n_epochs: count,
      clip_range: schedule(aboveZero, positive),
      clip_range_vf: schedule(aboveZero, `${positive}${orNull}`).nullable(),
      target_kl: aboveZero.nullable(),
    },
    policies: { MlpPolicy: actorCritic },
    hasSde: true,
  },
  trpo: {
    own: {
      ...onPolicy,
      ...statistics,
      batch_size: count,
      cg_max_steps: count,
      cg_damping: zeroOrMore,
      line_search_shrinking_factor: share,
      line_search_max_iter: count,
      n_critic_updates: count,
      target_kl: aboveZero,
      sub_sampling_factor: count,
    },
    policies: { MlpPolicy: actorCritic },
    hasSde: true,
  },
  ddpg: { own: td3, policies: { MlpPolicy: twoCritics } },
  td3: {
    own: {
      ...td3,
      ...statistics,
      policy_delay: count,
      target_policy_noise: zeroOrMore,
      target_noise_clip: zeroOrMore,
    },
    policies: { MlpPolicy: twoCritics },
  },
  sac: {
    own: {
      ...offPolicy,
      ...noise,
      ...statistics,
      ent_coef: z.union([z.number(), startedAutomatic], { error: automatic }),
      target_update_interval: count,
      target_entropy: z.union([z.number(), z.literal('auto')], { error: 'a finite number or auto' }),
      sde_sample_freq: whole(-1, most),
      use_sde_at_warmup: flag(),
    },
    policies: { MlpPolicy: { ...twoCritics, log_std_init: finite(), use_expln: flag(), clip_mean: zeroOrMore } },
    hasSde: true,
  },
  ars: {
    own: {
      ...statistics,
      n_delta: count,
      n_top: whole(1, most, orNull).nullable(),
      learning_rate: learningRate,
      delta_std: schedule(aboveZero, positive),
      zero_policy: flag(),
      alive_bonus_offset: finite(),
      n_eval_episodes: count,
    },
    policies: {
      MlpPolicy: { ...withoutNoise, net_arch: layerList, activation_fn: networks.activation_fn! },
      LinearPolicy: withoutNoise,
    },
  },
};

const normalization: Shape = {
  norm_obs: flag(),
  norm_reward: flag(),
  clip_obs: aboveZero,
  clip_reward: aboveZero,
  epsilon: aboveZero,
};

/** What an algorithm takes on an environment, with this policy and this normalisation. */
export function hyperparameterSchema(
  { id }: Pick<Algorithm, 'id'>,
  env: Pick<Env, 'id' | 'action'>,
  chosen: { readonly policy: unknown; readonly normalize: unknown },
) {
  const { own, policies, hasSde } = accepted[id]!;
  const sde =
    env.action.kind === 'box' ? flag() : z.literal(false, { error: `false, as ${env.id} has numbered actions` });
  const policy = policies[String(chosen.policy)] ?? {};
  return section(id, {
    ...optionalOnes(own),
    ...(hasSde && { use_sde: sde.optional() }),
    policy_kwargs: section(`the policy of ${id}`, optionalOnes(policy)).optional(),
    policy: choice(Object.keys(policies) as [string, ...string[]]),
    n_envs: whole(1, 1000),
    // Not a union, whose message would name no key inside.
    normalize: isSection(chosen.normalize)
      ? section('VecNormalize', optionalOnes(normalization))
      : z.boolean({ error: 'true, false or a section of arguments of VecNormalize' }),
  });
}
