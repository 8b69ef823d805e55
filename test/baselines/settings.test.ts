/** Names and settings of trainings. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UsageError } from '../../src/base/errors.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { algorithms } from '../../src/baselines/algorithms.ts';
import { hyperparameterSchema } from '../../src/baselines/arguments.ts';
import { isBaselineName, resolveBaseline, trainingEpisodes } from '../../src/baselines/settings.ts';
import { jobOf } from '../../src/baselines/trainer.ts';
import { zooEntry } from '../../src/baselines/zoo.ts';
import { envs } from '../../src/envs/index.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { temporaryFolder } from '../support/experiment.ts';

describe('the settings of a training', () => {
  it('by default are those of Stable-Baselines3, with all episodes for training', async () => {
    const { env, method, iterations, evaluation, sb3 } = await resolveBaseline('cartpole/ppo', [], 3);
    expect({ env, method, iterations }).toEqual({ env: 'CartPole-v1', method: 'sb3/ppo', iterations: 200 });
    expect(evaluation).toEqual({ episodes: 20, max_steps: null, success_threshold: 500, backend: 'auto' });
    expect(sb3).toMatchObject({ hyperparameters: {}, n_envs: 1, normalize: false, training_episodes: 4000, every: 20 });
    expect(sb3.defects).toEqual({ endless_schedule: false, raw_evaluation: false, constant_schedules: false });
  });

  it('charge evaluations as the reference: 190 of 4000 episodes train, 380 of 8000', async () => {
    expect([4000, 8000, 20].map((budget) => trainingEpisodes(budget, 1, 20))).toEqual([190, 380, 0]);
    const { iterations, sb3 } = await resolveBaseline('cartpole/dqn', ['budget=evaluated-episodes']);
    expect({ iterations, every: sb3.every, training: sb3.training_episodes }).toEqual({
      ...{ iterations: 190, every: 1, training: 190 },
    });
    const charged = (episodes: number) =>
      resolveBaseline('cartpole/dqn', ['budget=evaluated-episodes', 'evaluation.every=10', `episodes=${episodes}`]);
    await expect(charged(20)).rejects.toThrow('expected a budget of at least 21 episodes');
    expect((await charged(21)).sb3.training_episodes).toBe(1);
  });

  it('of the zoo are its values, its environments and its number of steps', async () => {
    const { method, sb3 } = await resolveBaseline('cartpole/zoo/ppo', []);
    expect(method).toBe('zoo/ppo');
    expect(sb3).toMatchObject({ n_envs: 8, training_steps: 100_000, training_episodes: null, normalize: false });
    expect(sb3.source).toBe('rl-baselines3-zoo 22e3ff2 (2026-04-23), CartPole-v1');
    expect(sb3.hyperparameters).toMatchObject({ learning_rate: { linear: 0.001 }, n_steps: 32, batch_size: 256 });
    expect(Object.keys(sb3.hyperparameters)).not.toContain('n_timesteps');
    const sac = await resolveBaseline('mountaincar-continuous/sac', ['settings=zoo']);
    expect(sac.sb3.hyperparameters).toMatchObject({
      use_sde: true,
      policy_kwargs: { log_std_init: -3.67, net_arch: [64, 64] },
    });
    const ars = await resolveBaseline('mountaincar/zoo/ars', []);
    expect(ars.sb3).toMatchObject({ policy: 'MlpPolicy', normalize: { norm_obs: true, norm_reward: false } });
    // An entry of an earlier version of the environment says so; none at all is that of all others.
    expect(zooEntry('trpo', 'Swimmer-v5', false).id).toBe('Swimmer-v4');
    expect(zooEntry('trpo', 'Swimmer-v5', true).id).toBe('default');
    expect(zooEntry('td3', 'InvertedPendulum-v5', false)).toMatchObject({ id: 'default', values: { noise_std: 0.1 } });
  });

  it('have the budget that is given, also where the default is another one', async () => {
    const { iterations, sb3 } = await resolveBaseline('cartpole/zoo/ppo', ['episodes=1000']);
    expect({ iterations, ...sb3 }).toMatchObject({ iterations: 200, budget: 'episodes', training_episodes: 1000 });
    expect(sb3.training_steps).toBeNull();
    const steps = await resolveBaseline('cartpole/ppo', ['steps=5000']);
    expect(steps.sb3).toMatchObject({ budget: 'steps', training_steps: 5000, training_episodes: null });
  });

  it('of the reference are zoo entries of exactly this id, in one environment', async () => {
    const { method, sb3 } = await resolveBaseline('mountaincar/reference/ppo', []);
    expect(method).toBe('reference/ppo');
    expect(sb3).toMatchObject({ n_envs: 1, normalize: { norm_reward: false }, hyperparameters: { n_steps: 16 } });
    expect((await resolveBaseline('swimmer/reference/trpo', [])).sb3.hyperparameters).toEqual({});
  });

  it('repeat the defects of the reference where they are asked for', async () => {
    const config = await resolveBaseline('mountaincar/reference/ppo', [
      ...['budget=evaluated-episodes', 'defects.endless_schedule=true', 'defects.raw_evaluation=true'],
      'defects.constant_schedules=true',
    ]);
    expect(jobOf(config)).toMatchObject({
      ...{ episodes: 190, every_episodes: 1, steps: null, every_steps: null },
      ...{ endless_schedule: true, raw_evaluation: true, constant_schedules: true },
    });
  });

  it('may replace any hyperparameter, the number of environments and normalisation', async () => {
    const { sb3 } = await resolveBaseline('cartpole/zoo/ppo', [
      'hyperparameters={n_envs: 2, normalize: true, gamma: 0.9}',
    ]);
    expect(sb3).toMatchObject({ n_envs: 2, normalize: true, hyperparameters: { gamma: 0.9, n_steps: 32 } });
    const sac = await resolveBaseline('mountaincar-continuous/zoo/sac', [
      'hyperparameters.policy_kwargs.net_arch=[128,128]',
    ]);
    expect(sac.sb3.hyperparameters.policy_kwargs).toEqual({ log_std_init: -3.67, net_arch: [128, 128] });
    const ars = await resolveBaseline('mountaincar/zoo/ars', ['hyperparameters.normalize.clip_obs=7']);
    expect(ars.sb3.normalize).toEqual({ norm_obs: true, norm_reward: false, clip_obs: 7 });
    const td3 = await resolveBaseline('pendulum/zoo/td3', ['hyperparameters.noise_type=null']);
    expect(td3.sb3.hyperparameters).toMatchObject({ noise_type: null, noise_std: 0.1 });
  });
});

describe('a name or a setting that cannot be', () => {
  it.each([
    [
      'cartpole/sac',
      [],
      'expected an algorithm for numbered actions, which CartPole-v1 has, got sac, which is for a box of actions; use one of dqn, a2c, ppo, trpo, ars',
    ],
    [
      'pendulum/dqn',
      [],
      'which Pendulum-v1 has, got dqn, which is for numbered actions; use one of a2c, ppo, trpo, ddpg, td3, sac, ars',
    ],
    ['cartpole/pop', [], 'did you mean "ppo"'],
    ['cartpol/ppo', [], 'did you mean'],
    ['cartpole', [], 'expected <environment>/<algorithm>, such as cartpole/ppo, got "cartpole"'],
    ['cartpole/zo/ppo', [], 'did you mean "zoo"'],
    ['cartpole/zoo/ppo', ['settings=sb3'], 'expected the settings of "cartpole/zoo/ppo", got settings=sb3'],
    ['cartpole/ppo', ['episode=3'], 'override 1 (episode=3): unknown key "episode"; did you mean "episodes"?'],
    ['cartpole/ppo', ['episodes=0'], 'override 1 (episodes=0): expected a whole number in 1 ...'],
    ['cartpole/ppo', ['defects.endless=true'], 'override 1 (defects.endless=true)'],
    ['cartpole/ppo', ['budget=episodes', 'steps=100'], 'expected no steps with budget=episodes, got 100'],
    ['cartpole/ppo', ['steps=5000', 'episodes=50'], 'expected no episodes with budget=steps, got 50; leave one of'],
    ['cartpole/zoo/ppo', ['budget=steps', 'episodes=60'], 'expected no episodes with budget=steps, got 60'],
    ['cartpole/ppo', ['episodes'], 'override 1 (episodes): expected key=value'],
    [
      'cartpole/ppo',
      ['hyperparameters.n_envs=two'],
      '"hyperparameters.n_envs" to be a whole number in 1 ... 1000, got "two"',
    ],
    ['cartpole/ppo', ['hyperparameters.n_envs=0'], 'to be a whole number in 1 ... 1000, got 0'],
    ['mountaincar/zoo/ppo', ['hyperparameters.normalize=null'], 'to be true, false or a section of arguments of VecNo'],
    ['pendulum/zoo/td3', ['hyperparameters.noise_type=Normal'], 'one of normal, ornstein-uhlenbeck, got "Normal"'],
    ['pendulum/td3', ['hyperparameters.noise_type=normal'], 'expected "hyperparameters.noise_std" beside noise_type'],
    ['pendulum/td3', ['hyperparameters.noise_std=0.3'], 'expected "hyperparameters.noise_type" beside noise_std'],
    ['cartpole/ppo', ['hyperparameters.policy_kwargs.activation_fn=gelu'], 'activation_fn" to be one of tanh, relu'],
    ['cartpole/ppo', ['hyperparameters.policy_kwargs=3'], 'policy_kwargs" to be a section of arguments, got 3'],
    [
      'cartpole/ppo',
      ['hyperparameters.learning_rat=0.1'],
      'hyperparameters: unknown argument of ppo "learning_rat"; did you mean "learning_rate"?',
    ],
    ['cartpole/dqn', ['hyperparameters.n_epochs=3'], 'hyperparameters: unknown argument of dqn "n_epochs"'],
    ['cartpole/ppo', ['seed=4294967296'], 'expected a whole number in 0 ... 4294967295'],
    ['cartpole/ppo', ['hyperparameters.seed=3'], 'hyperparameters: unknown argument of ppo "seed"'],
    ['cartpole/ppo', ['hyperparameters={noise_type: normal, noise_std: 0.1}'], 'unknown argument of ppo "noise_type"'],
    [
      'cartpole/dqn',
      ['hyperparameters.policy_kwargs.net_arc=[8]'],
      'hyperparameters.policy_kwargs: unknown argument of the policy of dqn "net_arc"; did you mean "net_arch"?',
    ],
    [
      'cartpole/ars',
      ['hyperparameters.policy_kwargs.net_arch=[8]'],
      'unknown argument of the policy of ars "net_arch"',
    ],
    [
      'mountaincar/zoo/ppo',
      ['hyperparameters.normalize.clip_ob=3'],
      'hyperparameters.normalize: unknown argument of VecNormalize "clip_ob"; did you mean "clip_obs"?',
    ],
    [
      'cartpole/ppo',
      ['hyperparameters.learning_rate=.nan'],
      '"hyperparameters.learning_rate" to be a number of at least 0, or {linear: x}, which falls from x to 0, got NaN',
    ],
    ['cartpole/ppo', ['hyperparameters.learning_rate=-0.1'], 'got -0.1'],
    ['cartpole/zoo/ppo', ['hyperparameters.clip_range.linear=.inf'], 'got {"linear":"Infinity"}'],
    ['cartpole/ppo', ['hyperparameters.n_steps=2.5'], '"hyperparameters.n_steps" to be a whole number in 1 ...'],
    ['cartpole/ppo', ['hyperparameters.gamma=1.1'], '"hyperparameters.gamma" to be a number in 0 ... 1, got 1.1'],
    ['cartpole/ppo', ['hyperparameters.use_sde=true'], 'to be false, as CartPole-v1 has numbered actions, got true'],
    ['cartpole/ppo', ['hyperparameters.policy=CnnPolicy'], '"hyperparameters.policy" to be one of MlpPolicy, got "Cnn'],
    ['pendulum/sac', ['hyperparameters.ent_coef=auto_0'], 'auto, or auto_x, which begins with x, got "auto_0"'],
    ['pendulum/td3', ['hyperparameters.policy_kwargs.net_arch={pi: [8]}'], 'or {pi: [64], qf: [64]}, got {"pi":[8]}'],
    [
      'cartpole/ppo',
      ['hyperparameters.policy_kwargs.net_arch=[8,8,8]'],
      'a list of at most two layer sizes in 1 ... 512',
    ],
    [
      'cartpole/dqn',
      ['hyperparameters.policy_kwargs.net_arch=[8,8,8]'],
      'a list of at most two layer sizes in 1 ... 512',
    ],
    [
      'cartpole/ppo',
      ['hyperparameters.policy_kwargs.net_arch=[1024]'],
      'net_arch.0" to be a whole number in 1 ... 512',
    ],
    [
      'cartpole/ppo',
      ['hyperparameters.policy_kwargs.net_arch={qf: [8]}'],
      'net_arch: unknown argument of net_arch "qf"; did you mean "vf"? known: pi, vf',
    ],
    [
      'pendulum/sac',
      ['hyperparameters.policy_kwargs.net_arch={pi: [], qf: [8]}'],
      'expected a hidden layer with squashed actions, which no linear policy here has, got none; add one to',
    ],
    [
      'pendulum/ars',
      ['hyperparameters={normalize: true, policy_kwargs: {squash_output: true}}'],
      'with normalised observations and squashed actions, which no linear policy here has, got none; add one to ' +
        '"hyperparameters.policy_kwargs.net_arch", with hyperparameters.policy=MlpPolicy',
    ],
    ['cartpole/ppo', ['defects.raw_evaluation=true'], 'expected normalised observations with defects.raw_evaluation'],
    ['cartpole/ppo', ['hyperparameters.__proto__.x=1'], 'expected another key'],
  ] as const)('%s %j is refused', async (name, overrides, message) => {
    await expect(resolveBaseline(name, overrides)).rejects.toThrow(message);
    await expect(resolveBaseline(name, overrides)).rejects.toBeInstanceOf(UsageError);
  });

  it.each([
    ['cartpole/ppo', ['hyperparameters.policy_kwargs.net_arch={pi: [], vf: [600, 8, 8]}']],
    ['cartpole/ars', ['hyperparameters.normalize.norm_obs=false']],
    ['cartpole/ars', ['hyperparameters.normalize=true', 'defects.raw_evaluation=true']],
    ['frozenlake/ppo', ['hyperparameters.policy_kwargs.net_arch=[]']],
  ] as const)('%s %j is taken, as its policy can be played', async (name, overrides) => {
    expect(await resolveBaseline(name, overrides)).toMatchObject({ method: expect.stringContaining('sb3/') });
  });

  it('gives a training or a usage error, whatever it is', async () => {
    const word = fc.constantFrom(
      'episodes',
      'steps',
      'budget',
      'evaluation.every',
      'defects',
      'seed',
      'settings',
      'x',
      '',
    );
    const value = fc.constantFrom('1', '-1', 'null', 'zoo', 'steps', '{a: 1}', '[', '1..3', '""', '1e99');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(word, value), { maxLength: 3 }), async (pairs) => {
        const texts = pairs.map(([key, text]) => `${key}=${text}`);
        const resolved = await resolveBaseline('cartpole/ppo', texts).catch((error: unknown) => error);
        if (resolved instanceof Error) expect(resolved).toBeInstanceOf(UsageError);
        else expect(resolved).toMatchObject({ env: 'CartPole-v1' });
      }),
      { numRuns: 60 },
    );
  });
});

it('every algorithm that fits an environment has settings of each source', async () => {
  for (const { folder, action } of envs) {
    const fitting = algorithms.filter(({ actions }) => actions.includes(action.kind));
    expect(fitting.length).toBeGreaterThanOrEqual(5);
    for (const { id } of fitting) {
      const { sb3 } = await resolveBaseline(`${folder}/zoo/${id}`, []);
      expect(sb3.training_steps).toBeGreaterThan(0);
    }
  }
});

interface RecordedArguments {
  readonly VecNormalize: Readonly<Record<string, unknown>>;
  readonly algorithms: Readonly<
    Record<string, Record<'arguments', Record<string, unknown>> & { policies: Record<string, Record<string, unknown>> }>
  >;
}

describe('the arguments of Stable-Baselines3', () => {
  const path = assetPath('test/golden/sb3/arguments.json');
  const { VecNormalize, algorithms: recorded } = JSON.parse(readFileSync(path, 'utf8')) as RecordedArguments;
  /** Those that the trainer gives, that are classes or functions, or that only other observations or logs have. */
  const left = {
    own: [
      ...['env', 'seed', 'device', 'verbose', 'tensorboard_log', '_init_setup_model', 'action_noise'],
      ...['replay_buffer_class', 'rollout_buffer_class'],
    ],
    policy: ['use_sde', 'features_extractor_class', 'features_extractor_kwargs', 'optimizer_class'],
    normalize: ['training', 'gamma', 'norm_obs_keys'],
  };
  const settable = (all: object, others: readonly string[]) =>
    Object.keys(all).filter((name) => !others.includes(name));
  const ids = algorithms.map(({ id }) => id);
  const envOf = (id: string) => findEnv(id === 'dqn' ? 'cartpole' : 'pendulum');
  const schemaOf = (id: string, policy: string) => hyperparameterSchema({ id }, envOf(id), { policy, normalize: {} });
  const namesOf = (id: string, policy: string, part: string): string[] => {
    const shape = schemaOf(id, policy).shape as Record<string, z.ZodType>;
    const inside = shape[part] instanceof z.ZodOptional ? shape[part].unwrap() : shape[part];
    return Object.keys((inside as z.ZodObject).shape).sort();
  };

  it.each(ids)('of %s are those that it takes, and their defaults are of the kind that is taken', (id) => {
    const { arguments: own, policies } = recorded[id]!;
    const ours = Object.keys(schemaOf(id, 'MlpPolicy').shape).filter(
      (name) => !['policy', 'n_envs', 'normalize', 'noise_type', 'noise_std'].includes(name),
    );
    expect(ours.sort()).toEqual(settable(own, left.own).sort());
    expect(Object.keys(policies)).toContain(algorithms.find((one) => one.id === id)!.policy);
    for (const [policy, kwargs] of Object.entries(policies)) {
      const defaults = Object.fromEntries(
        settable(own, [...left.own, 'policy_kwargs']).map((name) => [name, own[name]]),
      );
      const { error } = schemaOf(id, policy).safeParse({ ...defaults, policy, n_envs: 1, normalize: {} });
      expect(error?.issues ?? []).toEqual([]);
      expect(namesOf(id, policy, 'policy_kwargs')).toEqual(settable(kwargs, left.policy).sort());
    }
    expect(namesOf(id, 'MlpPolicy', 'normalize')).toEqual(settable(VecNormalize, left.normalize).sort());
  });

  it.skipIf(!process.env.R2PO_PYTHON)(
    'are those of the Python that trains',
    () => {
      const copy = join(temporaryFolder(), 'arguments.json');
      const script = assetPath('test/golden/record/sb3-arguments.py');
      const { status, stderr } = spawnSync(process.env.R2PO_PYTHON!, ['-B', script, copy], { encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      expect(readFileSync(copy, 'utf8')).toBe(readFileSync(path, 'utf8'));
    },
    120_000,
  );
});

it('a name is that of a training where no other method has it', () => {
  const isOther = (method: string) => ['ars', 'r2po'].includes(method);
  const names = [
    'cartpole/ppo',
    'CartPole-v1/dqn',
    'cartpole/ars',
    'cartpole/sb3/ars',
    'cartpole/r2po',
    'a/ppo',
    'my.yaml',
  ];
  expect(names.filter((name) => isBaselineName(name, isOther))).toEqual([
    'cartpole/ppo',
    'CartPole-v1/dqn',
    'cartpole/sb3/ars',
  ]);
});
