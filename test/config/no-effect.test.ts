/** Settings that would have no effect are refused, and lists and policy kinds can be set from the command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { parseAxes, parseAxis } from '../../src/config/axes.ts';
import { idleKeys } from '../../src/config/no-effect.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { type Config, keysOf, knownKeys } from '../../src/config/schema.ts';
import { llmSearchSchema } from '../../src/config/sections/llm-search.ts';
import { toSettings } from '../../src/config/settings.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { llmMethods } from '../../src/methods/index.ts';
import { runIteration } from '../../src/methods/interpreter.ts';
import type { PastTrial } from '../../src/methods/method.ts';
import { warmupParameters } from '../../src/methods/warmup.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import type { PairedTest } from '../../src/stats/intervals.ts';
import { expandSweep } from '../../src/sweep/expand.ts';
import { llmConfig } from '../support/llm-config.ts';
import { context, replyOf, scripted, traceOf } from '../support/methods.ts';

const cartpole = 'cartpole/r2po';

describe('a step cap', () => {
  it('above the step limit of the environment is refused, with the option that lengthens episodes', async () => {
    await expect(resolveConfig(cartpole, ['evaluation.max_steps=501'])).rejects.toThrow(
      '[config] override 1 (evaluation.max_steps=501): expected "evaluation.max_steps" to be null or at most 500, the step ' +
        'limit of CartPole-v1, got 501, which has no effect; for longer episodes, remove it and set env_options.max_episode_steps',
    );
    const longer = ['evaluation.max_steps=501', 'env_options.max_episode_steps=501'];
    expect((await resolveConfig(cartpole, longer)).config.evaluation.max_steps).toBe(501);
    expect((await resolveConfig(cartpole, ['evaluation.max_steps=500'])).config.evaluation.max_steps).toBe(500);
  });

  it('below max_episode_steps is refused, as that would have no effect', async () => {
    const overrides = ['env_options.max_episode_steps=700', 'evaluation.max_steps=300'];
    await expect(resolveConfig(cartpole, overrides)).rejects.toThrow(
      /to be null with env_options.max_episode_steps 700/,
    );
  });

  it('is none in the fair settings, and that of the reference in the published ones', async () => {
    expect((await resolveConfig(cartpole)).config.evaluation.max_steps).toBeNull();
    const published = await resolveConfig(cartpole, ['settings=published']);
    expect(published.config.evaluation.max_steps).toBe(1000);
    await expect(resolveConfig(cartpole, ['settings=published', 'evaluation.max_steps=2000'])).rejects.toThrow(
      /at most 500/,
    );
  });

  describe('of a file', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'r2po-steps-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };

    it('is refused with its line, but stays in the configuration of a run', async () => {
      const text =
        'env: CartPole-v1\nmethod: r2po\niterations: 3\npolicy: { kind: linear }\nevaluation:\n  max_steps: 1000\n';
      const name = write('config.yaml', text);
      await expect(resolveConfig(name)).rejects.toThrow(/config\.yaml:6:14: expected "evaluation.max_steps"/);
      write('run.json', '{}');
      expect((await resolveConfig(name)).config.evaluation.max_steps).toBe(1000);
    });
  });
});

describe('policy.kind', () => {
  it('as an override drops the options of the other kind, and keeps those of its own', async () => {
    const { config } = await resolveConfig(cartpole, ['policy.kind=mlp']);
    expect(config.policy.kind).toBe('mlp');
    expect(config.policy.options).not.toHaveProperty('bias');
    for (const overrides of [
      ['policy.kind=mlp', 'policy.options.hidden=[3]'],
      ['policy.options.hidden=[3]', 'policy.kind=mlp'],
    ]) {
      expect((await resolveConfig(cartpole, overrides)).config.policy.options).toMatchObject({ hidden: [3] });
    }
    expect((await resolveConfig(cartpole, ['policy.kind=linear'])).config).toEqual(
      (await resolveConfig(cartpole)).config,
    );
  });
});

describe('a list in brackets', () => {
  it('is several values of a key that holds one, and one value of a key that holds a list', () => {
    expect(parseAxis('seed=[0, 1,5..7]', 1).choices).toEqual(['seed=0', 'seed=1', 'seed=5', 'seed=6', 'seed=7']);
    expect(parseAxis('policy.kind=[linear,mlp]', 1).choices).toEqual(['policy.kind=linear', 'policy.kind=mlp']);
    expect(parseAxis('policy.options.hidden=[8,8],[4]', 1).choices).toEqual([
      'policy.options.hidden=[8,8]',
      'policy.options.hidden=[4]',
    ]);
    expect(() => parseAxis('seed=[]', 1)).toThrow(/expected a value/);
  });
});

/** For each key another value than the one in `base` below; null: the key is one of those below the table. */
const otherValues: Readonly<Record<string, unknown>> = {
  env: 'acrobot',
  env_options: { max_episode_steps: 300 },
  method: 'three-traj',
  model: 'ollama/other',
  settings: 'published',
  seed: 7,
  iterations: 9,
  'policy.kind': 'mlp',
  'policy.options': { bias: false },
  'parameters.low': -5,
  'parameters.high': 5,
  'parameters.decimals': 2,
  'parameters.out_of_range': 'clip',
  'prompt.knowledge': 'none',
  'prompt.explanation': 'reasoning',
  'prompt.reward_decimals': 2,
  'prompt.count_from': 0,
  'search.optimum': 321,
  'search.step_size': 0.5,
  'search.history': 2,
  'search.duplicates': 'allow',
  'search.repair_turns': 5,
  'search.proposals': 3,
  'search.proposals_by': 'calls',
  'critic.conservative_threshold': 33,
  'critic.trajectory_tokens': 150,
  'critic.sensitivity_episodes': 4,
  'critic.statistics': 'basic',
  'critic.history_excerpts': 1,
  selection: 'paired',
  'warmup.policies': 3,
  'warmup.spread': 1,
  'warmup.inside': false,
  'warmup.dir': '/tmp/trials',
  'evaluation.episodes': 21,
  'evaluation.max_steps': 300,
  'evaluation.success_threshold': 400,
  'evaluation.success_tolerance': 0.1,
  'evaluation.holdout': 41,
  'evaluation.backend': 'cpu',
  'recheck.episodes': 99,
  'llm.temperature': 0.5,
  'llm.top_p': 0.5,
  'llm.stop': ['x'],
  'llm.seed': 3,
  'llm.reply_form': 'lines',
  'llm.max_reply_tokens': 500,
  'llm.reasoning_effort': 'low',
  'llm.think': false,
  'llm.num_ctx': 5000,
  'llm.keep_alive': '5m',
  'llm.extra_body': { a: 1 },
  'llm.headers': { 'x-a': '$A' },
  'llm.fallback': ['ollama/third'],
  'llm.max_unusable_in_a_row': 4,
  'llm.timeout_s': 40,
  'llm.idle_timeout_s': 30,
  'llm.max_concurrent': 3,
  'llm.min_spacing_s': 1,
  'llm.max_attempts': 3,
  'llm.critic.model': 'ollama/critic',
  // Limits: a run may end before it reaches one.
  'budget.max_calls': 5,
  'budget.max_tokens': 500,
  'budget.max_cost_usd': 1,
  'budget.max_time_s': 60,
  'budget.max_episodes': 70,
  // A price of a model that does not answer is data for the next run.
  prices: { 'ollama/x': { prompt_per_million: 1, completion_per_million: 1, date: '2026-01-01' } },
};

const samplings = [
  'temperature',
  'top_p',
  'stop',
  'reply_form',
  'max_reply_tokens',
  'reasoning_effort',
  'think',
  'extra_body',
];
const ofPurposes = ['search', 'critic'].flatMap((purpose) =>
  samplings.map((key) => [`llm.${purpose}.${key}`, otherValues[`llm.${key}`]] as const),
);
const table = [...Object.entries(otherValues), ...ofPurposes];
const override = ([key, value]: readonly [string, unknown]) => `${key}=${JSON.stringify(value)}`;

describe('every key of the schema', () => {
  it('is in the table', () => {
    const own = keysOf(llmSearchSchema);
    const values = [...knownKeys.values()]
      .filter(({ keys, path }) => path !== '' && keys === null && own.has(path))
      .map(({ path }) => path);
    expect(table.map(([key]) => key).sort()).toEqual(values.sort());
  });

  it.each(table)('%s changes a run of a language model that it has an effect on', async (key, value) => {
    const name = key === 'critic.history_excerpts' ? 'cartpole/reptraj' : cartpole;
    const base = ['model=ollama/one', 'evaluation.success_threshold=null', 'search.proposals=2'];
    const before = (await resolveConfig(name, base)).config;
    const others = base.filter((text) => !text.startsWith(`${key}=`));
    const after = await resolveConfig(name, [...others, override([key, value])]);
    expect(after.config).not.toEqual(before);
  });

  it.each(
    table.filter(([key]) => /^llm\./.test(key) && key !== 'llm.max_unusable_in_a_row' && !key.endsWith('.model')),
  )('%s is refused with the offline model, which reads no such setting', async (key, value) => {
    await expect(resolveConfig(cartpole, [override([key, value])])).rejects.toThrow(
      `expected no "${key}", which has no effect here: the offline model`,
    );
  });
});

/** What a model is told in an iteration and what is played before it, as text. */
async function traceOfIteration(config: Config): Promise<string> {
  const env = findEnv(config.env, config.env_options);
  const policy = buildPolicy(config.policy.kind, env, config.policy.options);
  const settings = toSettings(llmConfig(config), env);
  const rng = Generator.from(5);
  const drawn = Array.from({ length: settings.warmupPolicies }, () => warmupParameters(policy, settings, rng));
  const choice = policy.values.kind === 'choice' ? policy.values.values : null;
  const vector = (shift: number) =>
    Array.from({ length: policy.paramCount }, (_, i) =>
      choice ? choice[(i + shift) % choice.length]! : (i + shift) / 2,
    );
  const trials: PastTrial[] = [1, 2, 3].map((n) => ({
    kind: 'iteration',
    params: choice ? vector(0).map(() => choice[n]!) : vector(n + 3),
    mean: n / 7,
    trace: async () => traceOf(200 + n, n),
  }));
  const replies = [0, 1, 2].map((n) => replyOf(vector(n)));
  const test = settings.selection === 'paired' ? ({ p: 0.9 } as PairedTest) : null;
  const { effects, prompts, log } = scripted(replies, [0.5, 0.25, 0.125], test);
  const method = llmMethods.find(({ id }) => id === config.method)!;
  const outcome = await runIteration(method, { ...context, env, policy, settings, trials }, effects);
  return JSON.stringify([drawn, prompts, log, outcome.kept]);
}

const promptKeys = table.filter(
  ([key]) => /^(?:parameters|prompt|search|critic|warmup)\./.test(key) || key === 'selection',
);
/** They change how replies are read, which the scripted ones do not show. */
const ofReplies = ['search.duplicates', 'search.repair_turns', 'parameters.out_of_range'];

describe.each(llmMethods.flatMap(({ id }) => [`cartpole/${id}`, `frozenlake/${id}`]))('of %s', (name) => {
  it('what the rules call without effect changes nothing, and all else changes something', async () => {
    const { config } = await resolveConfig(name, ['model=ollama/one']);
    const before = await traceOfIteration(config);
    const idle = idleKeys(config).map(({ key }) => key);
    for (const [key, value] of promptKeys) {
      const [section, inner] = key.split('.') as [keyof Config, string | undefined];
      const changed = (
        inner
          ? { ...config, [section]: { ...(config[section] as object), [inner]: value } }
          : { ...config, [section]: value }
      ) as Config;
      if (ofReplies.includes(key) && !idle.includes(key)) continue;
      const same = (await traceOfIteration(changed)) === before;
      expect([key, same]).toEqual([key, idle.includes(key)]);
    }
  });
});

describe('a key without effect', () => {
  it('may be set to the value that it has', async () => {
    const overrides = ['llm.temperature=0', 'llm.stop=[]', 'critic.conservative_threshold=480', 'warmup.spread=3'];
    expect((await resolveConfig('cartpole/props', overrides)).config).toEqual(
      (await resolveConfig('cartpole/props')).config,
    );
  });

  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'r2po-idle-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it.each([
    ['cartpole/props', 'critic.statistics=basic', 'the prompts of props show no statistics'],
    ['cartpole/props', 'critic.sensitivity_episodes=5', 'props makes no critic calls'],
    ['cartpole/props', 'llm.critic.model=ollama/x', 'props makes no critic calls'],
    ['cartpole/props', 'selection=paired', 'props has one candidate in an iteration'],
    ['cartpole/always-critic', 'selection=paired', 'always-critic always keeps its revision'],
    ['cartpole/three-traj', 'critic.trajectory_tokens=500', 'the prompts of three-traj show no whole episodes'],
    ['frozenlake/r2po', 'parameters.low=-3', 'the parameters of a tabular policy are numbers of actions'],
    ['frozenlake/r2po', 'warmup.spread=2', 'the parameters of a tabular policy are numbers of actions'],
    ['cartpole/r2po', 'warmup={policies: 0, spread: 2}', 'there are no warm-up policies (warmup.policies is 0)'],
    [
      'cartpole/r2po',
      'critic={statistics: basic, history_excerpts: 3}',
      'the prompts of r2po show no excerpts of episodes',
    ],
  ])('is refused in %s: %s', async (name, text, reason) => {
    await expect(resolveConfig(name, [text])).rejects.toThrow(`which has no effect here: ${reason}; remove it`);
    await expect(resolveConfig(name, [text])).rejects.toThrow(`[config] override 1 (${text}): expected no "`);
  });

  it('is refused in the file of a run with its line, and stays in settings that several runs share', async () => {
    const own = write('own.yaml', 'extends: cartpole/props\ncritic:\n  statistics: basic\n');
    await expect(resolveConfig(own)).rejects.toThrow(/own\.yaml:3:15: expected no "critic.statistics"/);
    write('shared.yaml', 'extends: cartpole/r2po\ncritic:\n  statistics: basic\n');
    const shared = write('props.yaml', 'extends: shared.yaml\nmethod: props\n');
    expect(llmConfig((await resolveConfig(shared)).config).critic.statistics).toBe('basic');
    const r2po = write('r2po.yaml', 'extends: cartpole/r2po\ncritic: { statistics: basic }\nllm: { temperature: 1 }\n');
    await expect(resolveConfig(r2po)).rejects.toThrow(/r2po\.yaml:3:21: expected no "llm.temperature"/);
    const asking = await resolveConfig(r2po, ['method=props'], { model: 'ollama/a' });
    expect(llmConfig(asking.config).critic.statistics).toBe('basic');
  });

  it('stays in the configuration of a run', async () => {
    const text = 'env: CartPole-v1\nmethod: props\niterations: 3\npolicy: { kind: linear }\nllm: { temperature: 1 }\n';
    const name = write('config.yaml', text);
    await expect(resolveConfig(name)).rejects.toThrow(/"llm.temperature"/);
    write('run.json', '{}');
    expect(llmConfig((await resolveConfig(name)).config).llm.temperature).toBe(1);
  });

  it('is refused in a sweep where no run reads it', async () => {
    const sweep = async (configs: readonly string[], texts: readonly string[]) => {
      const runs: string[] = [];
      const request = { configs, axes: parseAxes(texts), flags: {}, shard: null };
      for await (const { config } of expandSweep(request)) runs.push(config.method);
      return runs;
    };
    const basic = 'critic.statistics=basic';
    expect(await sweep(['cartpole/r2po', 'cartpole/props'], [basic])).toEqual(['r2po', 'props']);
    expect(await sweep(['cartpole/props'], ['method=r2po,props', basic])).toEqual(['r2po', 'props']);
    await expect(sweep(['cartpole/pure-search', 'cartpole/props'], [basic, 'seed=0..3'])).rejects.toThrow(
      'override 1 (critic.statistics=basic): expected no "critic.statistics"',
    );
  });
});
