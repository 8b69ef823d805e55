import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { exitCodes, UsageError } from '../../src/base/errors.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { configHash } from '../../src/config/hash.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { idleKeys } from '../../src/config/no-effect.ts';
import { parseOverrides } from '../../src/config/overrides.ts';
import { parseConfig, resolveConfig } from '../../src/config/resolve.ts';
import { type Config, knownKeys, type LlmConfig } from '../../src/config/schema.ts';
import { toSettings } from '../../src/config/settings.ts';
import { shippedConfigs } from '../../src/config/shipped.ts';
import { envs } from '../../src/envs/index.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { reasoningEfforts } from '../../src/llm/controls.ts';
import { replyForms } from '../../src/llm/reply/shape.ts';
import { findLlmMethod, llmMethods } from '../../src/methods/index.ts';
import { maxEpisodes, maxSeed } from '../../src/rollout/job-checks.ts';
import { anyText } from '../support/any-text.ts';
import { llmConfig } from '../support/llm-config.ts';

/** The shortest valid file; line 6 is free. */
const minimal = 'env: CartPole-v1\nmethod: r2po\niterations: 3\npolicy:\n  kind: linear\n';

function load(text: string, overrides: readonly string[] = []): Config {
  return parseConfig({ name: 'exp.yaml', text }, parseOverrides(overrides));
}

/** The message of the `UsageError` that `action` throws, without its unit. */
function problem(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.exitCode).toBe(exitCodes.usage);
    expect(error.message).toBe(`[config] ${error.detail}`);
    return error.detail;
  }
  throw new Error('expected a UsageError, got none');
}

async function asyncProblem(action: () => Promise<unknown>): Promise<string> {
  const outcome = await action().then(
    () => () => {},
    (error: unknown) => () => {
      throw error;
    },
  );
  return problem(outcome);
}

describe('defaults', () => {
  it('fills in every key that a file may leave out', () => {
    expect(load(minimal)).toStrictEqual({
      env: 'CartPole-v1',
      env_options: {},
      method: 'r2po',
      model: 'offline',
      settings: 'fair',
      seed: 0,
      iterations: 3,
      policy: { kind: 'linear', options: { bias: true } },
      parameters: { low: -6, high: 6, decimals: 1, out_of_range: 'refuse' },
      prompt: { knowledge: 'full', explanation: 'sentence', reward_decimals: null, count_from: 1 },
      search: { optimum: null, step_size: null, history: null, duplicates: 'repair', repair_turns: 2 },
      critic: {
        conservative_threshold: null,
        trajectory_tokens: 6000,
        sensitivity_episodes: null,
        statistics: 'full',
        history_excerpts: 5,
      },
      selection: 'mean',
      warmup: { policies: 20, spread: 3, inside: true, dir: null },
      evaluation: { episodes: 20, max_steps: null, success_threshold: null, success_tolerance: 0, backend: 'auto' },
      recheck: { episodes: 10000 },
      llm: {
        temperature: 0,
        seed: null,
        reply_form: 'auto',
        top_p: null,
        stop: [],
        max_reply_tokens: null,
        reasoning_effort: null,
        think: null,
        num_ctx: null,
        keep_alive: null,
        extra_body: {},
        headers: {},
        fallback: [],
        max_unusable_in_a_row: 10,
        search: {},
        critic: {},
        timeout_s: 300,
        idle_timeout_s: 120,
        max_concurrent: null,
        min_spacing_s: 0,
        max_attempts: 10,
      },
      budget: { max_calls: null, max_tokens: null, max_cost_usd: null, max_time_s: null },
      prices: {},
    });
  });

  it('keeps the other defaults of a section that is written in part', () => {
    expect(load(`${minimal}evaluation:\n  episodes: 4\n`).evaluation).toStrictEqual({
      episodes: 4,
      max_steps: null,
      success_threshold: null,
      success_tolerance: 0,
      backend: 'auto',
    });
  });

  it('spells an environment by its id, whichever name the file uses', () => {
    const byFolder = load(minimal.replace('CartPole-v1', 'cartpole'));
    expect(byFolder).toStrictEqual(load(minimal));
  });
});

describe('messages of a file', () => {
  it.each([
    [
      'a slip in a key',
      'evaluation:\n  max_steps: 9\n  episods: 4\n',
      'exp.yaml:8:3: unknown key "evaluation.episods"; did you mean "evaluation.episodes" (episodes per candidate and iteration)?',
    ],
    [
      'a slip in a section',
      'evalution:\n  episodes: 4\n',
      'exp.yaml:6:1: unknown key "evalution"; did you mean "evaluation" (evaluation of a candidate)?',
    ],
    [
      'a key of another section',
      'spread: 2\n',
      'exp.yaml:6:1: unknown key "spread"; did you mean "warmup.spread" (standard deviation of their parameters)?',
    ],
    [
      'a key that is like no other',
      'budget:\n  zzzzzz: 1\n',
      'exp.yaml:7:3: unknown key "budget.zzzzzz"; known in "budget": max_calls, max_tokens, max_cost_usd, max_episodes, max_time_s',
    ],
    [
      'a text for a number',
      'evaluation: {episodes: many}\n',
      'exp.yaml:6:24: expected "evaluation.episodes" (episodes per candidate and iteration) to be a whole number in 1 ... 268435456, got "many"',
    ],
    [
      'a number in quotes',
      'seed: "7"\n',
      'exp.yaml:6:7: expected "seed" (seed of all random numbers of the run) to be a whole number in 0 ... 9007199254740991, got "7"',
    ],
    [
      'a seed that a double cannot hold',
      'seed: 9007199254740993\n',
      'exp.yaml:6:7: expected "seed" (seed of all random numbers of the run) to be a whole number in 0 ... 9007199254740991, got 9007199254740992',
    ],
    [
      'a seed below 0',
      'seed: -1\n',
      'exp.yaml:6:7: expected "seed" (seed of all random numbers of the run) to be a whole number in 0 ... 9007199254740991, got -1',
    ],
    [
      'not a number',
      'warmup: {spread: .nan}\n',
      'exp.yaml:6:18: expected "warmup.spread" (standard deviation of their parameters) to be a number above 0, at most 1000000, got NaN',
    ],
    [
      'an infinite number',
      'parameters:\n  high: .inf\n',
      'exp.yaml:7:9: expected "parameters.high" (largest parameter) to be a finite number, got Infinity',
    ],
    [
      'null where it means nothing',
      'recheck:\n  episodes:\n',
      'exp.yaml:7:12: expected "recheck.episodes" (episodes of the re-check) to be a whole number in 1 ... 268435456, got null',
    ],
    [
      'a section without keys',
      'critic:\n',
      'exp.yaml:6:8: expected "critic" (the critic calls) to be a section of keys, got null',
    ],
    [
      'an unknown choice',
      'parameters:\n  out_of_range: clipp\n',
      'exp.yaml:7:17: unknown parameters.out_of_range "clipp"; did you mean "clip"? known: refuse, clip',
    ],
    [
      'limits the wrong way round',
      'parameters:\n  low: 2\n  high: 1.5\n',
      'exp.yaml:7:8: expected "parameters.low" below "parameters.high", got 2 and 1.5',
    ],
    [
      'a range that holds a single rounded value',
      'parameters:\n  low: 0.96\n  high: 1.04\n  decimals: 1\n',
      'exp.yaml:9:13: expected at least two values in 0.96 ... 1.04 with "parameters.decimals" 1; raise it or widen the range',
    ],
    [
      'a success that the environment cannot give',
      'evaluation:\n  success_threshold: 501\n',
      'exp.yaml:7:22: expected "evaluation.success_threshold" to be a possible return of CartPole-v1 (1 ... 500), got 501',
    ],
    [
      'several documents',
      'seed: 1\n---\nnonsense: 7\n',
      'exp.yaml:7:1: expected one YAML document, got several; remove all but one',
    ],
    ['the same key twice', 'seed: 1\nseed: 2\n', 'exp.yaml:7:1: expected YAML, got an error: Map keys must be unique'],
    [
      'tabs',
      'critic:\n\ttrajectory_tokens: 500\n',
      'exp.yaml:7:1: expected YAML, got an error: Tabs are not allowed as indentation',
    ],
    [
      'an unknown tag',
      'seed: !!python 1\n',
      'exp.yaml:6:7: expected YAML, got an error: Unresolved tag: tag:yaml.org,2002:python',
    ],
    [
      'a key with dots',
      'evaluation.episodes: 3\n',
      'exp.yaml:6:1: expected sections, got the key "evaluation.episodes"; write evaluation: { episodes: 3 }',
    ],
    [
      'an alias without an anchor',
      'seed: *one\n',
      'exp.yaml:6:7: expected the anchor "&one" before "*one", found none',
    ],
  ])('%s', (_name, text, message) => {
    expect(problem(() => load(minimal + text))).toBe(message);
  });

  it.each([
    [
      'an unknown environment',
      'CartPole-v1',
      'CartPole',
      'exp.yaml:1:6: unknown env "CartPole"; did you mean "CartPole-v1"?',
    ],
    ['an unknown method', 'r2po', 'r2p0', 'exp.yaml:2:9: unknown method "r2p0"; did you mean "r2po"?'],
    ['an unknown policy', 'linear', 'linaer', 'exp.yaml:5:9: unknown policy.kind "linaer"; did you mean "linear"?'],
  ])('%s', (_name, right, wrong, start) => {
    expect(problem(() => load(minimal.replace(right, wrong)))).toContain(start);
  });

  it('options that the policy kind does not know', () => {
    expect(problem(() => load(`${minimal}  options: {bais: true}\n`))).toBe(
      'exp.yaml:6:12: in the options of a linear policy: expected only the option "bias", got "bais"; did you mean "bias"?',
    );
  });

  it('reports all problems at once, one per line', () => {
    expect(problem(() => load('method: r2po\nseed: x\npolicy: {kind: linear}\n'))).toMatch(
      /^3 problems\n {2}exp\.yaml:1:1: missing key "env" .*\n {2}exp\.yaml:2:7: .*\n {2}exp\.yaml:1:1: missing key "iterations" .*/,
    );
  });

  it.each([
    ['an empty file', '', 'exp.yaml:1:1: expected a mapping of keys to values, got nothing'],
    ['only a comment', '# env: x\n', 'exp.yaml:1:1: expected a mapping of keys to values, got nothing'],
    ['a list', '- env\n', 'exp.yaml:1:1: expected a mapping of keys to values, got ["env"]'],
    ['a sentence', '\nhello\n', 'exp.yaml:2:1: expected a mapping of keys to values, got "hello"'],
    [
      'deep nesting',
      `a: ${'['.repeat(31)}${']'.repeat(31)}`,
      'exp.yaml:1:1: expected at most 30 levels of nesting, got more',
    ],
    [
      'a text of a megabyte',
      `#${'x'.repeat(1_000_000)}`,
      'expected at most 1000000 characters in exp.yaml, got 1000001',
    ],
  ])('%s', (_name, text, message) => {
    expect(problem(() => load(text))).toBe(message);
  });

  it('nesting that is too deep for the parser', () => {
    expect(problem(() => load(`a: ${'['.repeat(50_000)}`))).toMatch(
      /^exp\.yaml:1:\d+: expected at most 30 levels of nesting/,
    );
  });

  it('aliases that expand to millions of values', () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const bomb = levels.map((name, i) => {
      const inner = i === 0 ? '1' : `*${levels[i - 1]}`;
      return `${name}: &${name} [${Array(9).fill(inner).join(',')}]`;
    });
    expect(problem(() => load(bomb.join('\n')))).toBe(
      'expected plain YAML in exp.yaml, got aliases: Excessive alias count indicates a resource exhaustion attack',
    );
  });

  it('an alias of its own parent', () => {
    expect(problem(() => load('a: &a [*a, *a, *a]\n'))).toMatch(/^exp\.yaml:1:1: expected at most 30 levels/);
    expect(problem(() => load('a: &a [*a]\n'))).toMatch(/^exp\.yaml:1:1: expected at most 30 levels/);
  });
});

describe('overrides', () => {
  it('replace values of the file, later ones those of earlier ones, and are parsed as YAML', () => {
    const config = load(`${minimal}seed: 5\n`, [
      'seed=6',
      'seed=1e3',
      'evaluation.max_steps=77',
      'evaluation.max_steps=',
      'critic={trajectory_tokens: 333}',
      'policy.options.bias=false',
      'model="http://127.0.0.1:8080/v1#a=b,c"',
    ]);
    expect(config.seed).toBe(1000);
    expect(config.evaluation.max_steps).toBeNull();
    expect(llmConfig(config).critic).toStrictEqual({
      conservative_threshold: null,
      trajectory_tokens: 333,
      statistics: 'full',
      history_excerpts: 5,
      sensitivity_episodes: null,
    });
    expect(config.policy.options).toStrictEqual({ bias: false });
    expect(llmConfig(config).model).toBe('http://127.0.0.1:8080/v1#a=b,c');
  });

  it.each<[string, RegExp, ...string[]]>([
    ['optimiser.popsize=4', /unknown key "optimiser.popsize"; did you mean "optimiser.population" \(/],
    ['optimiser.zzzz=4', /; known in "optimiser": grid, population, sigma, start, restarts, episodes$/],
    ['method=ars', /; known in "optimiser": grid, start, [^;]*top_directions, step_size$/, 'optimiser.zzzz=4'],
  ])('of a method, %s is answered by its own settings', async (override, message, ...more) => {
    await expect(resolveConfig('cartpole/cma-es', [override, ...more])).rejects.toThrow(message);
  });

  it.each([
    [
      ['seed=1', 'evaluation.episods=4'],
      'override 2 (evaluation.episods=4): unknown key "evaluation.episods"; did you mean "evaluation.episodes" (episodes per candidate and iteration)?',
    ],
    [
      ['seed=1', 'llm.temperature=2.5'],
      'override 2 (llm.temperature=2.5): expected "llm.temperature" (sampling temperature; null: not sent) to be a number in 0 ... 2 or null, got 2.5',
    ],
    [['seed=0..9'], 'override 1 (seed=0..9): expected one value, got "0..9"; lists and ranges are for "r2po sweep"'],
    [['seed=1,2'], 'override 1 (seed=1,2): expected one value, got "1,2"; lists and ranges are for "r2po sweep"'],
    [['seed=[1,2]'], 'override 1 (seed=[1,2]): expected one value, got "[1,2]"; lists and ranges are for "r2po sweep"'],
    [['seed'], 'override 1 (seed): expected key=value, as in evaluation.episodes=4096'],
    [['=4'], 'override 1 (=4): expected key=value, as in evaluation.episodes=4096'],
    [
      ['seed.x=4'],
      'override 1 (seed.x=4): unknown key "seed.x"; "seed" (seed of all random numbers of the run) has no keys inside',
    ],
    [
      ['__proto__.x=4'],
      'override 1 (__proto__.x=4): unknown key "__proto__"; known at the top: env, env_options, method',
    ],
    [['seed={'], 'override 1 (seed={), the value:1:2: expected YAML, got an error: Flow map must end with a }'],
    [
      ['parameters.high=-7'],
      'override 1 (parameters.high=-7): expected "parameters.low" below "parameters.high", got -6 and -7',
    ],
    [
      ['policy.options.bias.x=1'],
      'override 1 (policy.options.bias.x=1): in the options of a linear policy: expected option "bias" to be true or false, got {"x":1}',
    ],
    [
      ['evaluation=5', 'evaluation.episodes=3'],
      'override 1 (evaluation=5): expected "evaluation" (evaluation of a candidate) to be a section of keys, got 5',
    ],
  ])('%j', (overrides, message) => {
    expect(problem(() => load(minimal, overrides))).toContain(message);
  });

  it('leaves a problem of the file to the file', () => {
    expect(problem(() => load(`${minimal}evaluation: 5\n`, ['evaluation.episodes=3']))).toContain('exp.yaml:6:13: ');
  });
});

describe('resolveConfig', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'r2po-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('loads every shipped configuration, and names each by its environment and method', async () => {
    for (const name of shippedConfigs()) {
      const { config } = await resolveConfig(name);
      // A variant of a method has its name behind that of the method: tau-c-half, props-random-features.
      expect(name.startsWith(`${findEnv(config.env).folder}/${config.method}`), name).toBe(true);
    }
  });

  it('offers every environment with every method, and every file in configs/', () => {
    const pairs = envs.flatMap(({ folder: env }) => llmMethods.map(({ id }) => `${env}/${id}`));
    const shared = (name: string) => name.endsWith('/defaults') || name.startsWith('methods/') || name === 'published';
    const files = readdirSync(assetPath('configs'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => file.replaceAll('\\', '/').slice(0, -5))
      .filter((name) => !shared(name));
    expect(shippedConfigs()).toEqual(expect.arrayContaining([...pairs, ...files]));
  });

  it('gives every method of an environment the same fair settings and at most 200 calls', async ({ annotate }) => {
    for (const { folder: env } of envs) {
      const configs = await Promise.all(
        llmMethods.map(async ({ id }) => llmConfig((await resolveConfig(`${env}/${id}`)).config)),
      );
      for (const config of configs) {
        const { method, iterations, ...shared } = config;
        const { method: _, iterations: __, ...first } = configs[0]!;
        expect(shared, `${env}/${method}`).toEqual(first);
        const { stages } = findLlmMethod(method);
        const perIteration = stages.filter((stage) => stage !== 'evaluate').length;
        const calls = iterations * perIteration;
        expect(calls, `${env}/${method}`).toBeLessThanOrEqual(200);
        expect(calls + perIteration, `${env}/${method}`).toBeGreaterThan(200);
        const episodes = iterations * (stages.length - perIteration) * config.evaluation.episodes;
        if (calls !== 200 || episodes !== 4000) {
          await annotate(`${env}/${method}: ${calls} calls and ${episodes} episodes, where others have 200 and 4000`);
        }
      }
    }
  });

  it('uses the settings of the reference when they are requested', async () => {
    const published = async (name: string) => llmConfig((await resolveConfig(name, ['settings=published'])).config);
    expect(await published('inverted-double-pendulum/props')).toMatchObject({
      settings: 'published',
      search: { optimum: 10000, step_size: 0.1 },
      warmup: { policies: 20 },
    });
    expect((await published('inverted-double-pendulum/three-traj')).search.optimum).toBe(200);
    expect((await published('maze/reptraj')).evaluation.max_steps).toBe(100);
    expect(await published('maze/r2po')).toMatchObject({
      critic: { statistics: 'basic', history_excerpts: 100, conservative_threshold: 0.9 },
      evaluation: { max_steps: 20, success_threshold: 0.9 },
    });
    expect((await published('frozenlake/props-plus')).warmup.policies).toBe(0);
    expect((await published('frozenlake/props')).warmup.policies).toBe(20);
    expect(
      llmConfig((await resolveConfig('cartpole/props', ['settings=published', 'warmup.policies=3'])).config).warmup
        .policies,
    ).toBe(3);
    expect((await published('cartpole/tau-c-half')).critic.conservative_threshold).toBe(240);
  });

  it('names the file or override that asks for missing published settings', async () => {
    expect(await asyncProblem(() => resolveConfig('acrobot/props', ['settings=published']))).toBe(
      'override 1 (settings=published): expected published settings of "props", found none; use "settings: fair", or add them under "published"',
    );
    const file = join(folder, 'own.yaml');
    writeFileSync(file, `${minimal}published:\n  props: {}\n`);
    expect(await asyncProblem(() => resolveConfig(file, ['settings=published']))).toBe(
      'override 1 (settings=published): expected published settings of "r2po", found none; known: props; use "settings: fair", or add them under "published"',
    );
  });

  it('merges a file into those that it extends, section by section, and names the file with an error', async () => {
    mkdirSync(join(folder, 'base'));
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write('base/one.yaml', `${minimal}warmup: {policies: 1, spread: 0.5}\ncritic: {statistics: basic}\n`);
    write('base/two.yaml', 'warmup: {policies: 2}\npolicy: {kind: mlp, options: {hidden: [5]}}\n');
    write('leaf.yaml', 'extends: [base/one.yaml, base/two.yaml]\nseed: 77\nwarmup: {policies: 3}\n');
    const { config } = await resolveConfig(join(folder, 'leaf.yaml'));
    expect(config).toMatchObject({
      seed: 77,
      warmup: { policies: 3, spread: 0.5 },
      critic: { statistics: 'basic' },
      policy: { kind: 'mlp', options: { hidden: [5], activation: 'tanh' } },
    });
    write('base/two.yaml', 'warmup:\n  policies: many\n');
    write('leaf.yaml', 'extends: [base/one.yaml, base/two.yaml]\nseed: 77\n');
    const problem = await asyncProblem(() => resolveConfig(join(folder, 'leaf.yaml')));
    expect(problem).toContain(`${join(folder, 'base/two.yaml')}:2:13: `);
    write('leaf.yaml', 'seed: 1\nextends: nowhere.yaml\n');
    expect(await asyncProblem(() => resolveConfig(join(folder, 'leaf.yaml')))).toMatch(
      /leaf\.yaml:2:10: expected a configuration file at ".*nowhere\.yaml", cannot read it: file not found/,
    );
    write('leaf.yaml', 'extends: {a: 1}\n');
    expect(await asyncProblem(() => resolveConfig(join(folder, 'leaf.yaml')))).toContain(
      'expected a path, the name of a shipped configuration, or a list of them in "extends"',
    );
  });

  it('extends a shipped configuration by its name, composed or a file of its own', async () => {
    const file = join(folder, 'mine.yaml');
    const extended = async (text: string) => {
      writeFileSync(file, text);
      return (await resolveConfig(file)).config;
    };
    const { config: composed } = await resolveConfig('cartpole/r2po');
    expect(await extended('extends: cartpole/r2po\nseed: 41\n')).toEqual({ ...composed, seed: 41 });
    const { config: own } = await resolveConfig('swimmer/props-random-features');
    expect(await extended('extends: [cartpole/r2po, swimmer/props-random-features]\n')).toMatchObject({
      env: own.env,
      method: 'props',
      policy: own.policy,
    });
  });

  it('extends files only: no pipe, no device, no folder', async () => {
    const [pipe, inner] = ['pipe', 'inner'].map((name) => join(folder, name));
    execFileSync('mkfifo', [pipe!]);
    mkdirSync(inner!);
    for (const [path, words] of [
      [pipe, 'it is a pipe, no regular file'],
      ['/dev/zero', 'it is a device, no regular file'],
      ['/dev/stdin', 'it is what the shell opened, no regular file'],
      ['/dev/fd/0', 'it is what the shell opened, no regular file'],
      [inner, 'it is a folder'],
    ]) {
      writeFileSync(join(folder, 'mine.yaml'), `seed: 1\nextends: [cartpole/r2po, ${path}]\n`);
      expect(await asyncProblem(() => resolveConfig(join(folder, 'mine.yaml')))).toMatch(
        new RegExp(
          `mine\\.yaml:2:10: expected a configuration file at "${path}", cannot read it: ${words}; change "extends"`,
        ),
      );
    }
  });

  it('extends a file rather than the shipped configuration of the same name', async () => {
    mkdirSync(join(folder, 'cartpole'));
    writeFileSync(join(folder, 'cartpole', 'r2po'), `${minimal}seed: 42\n`);
    writeFileSync(join(folder, 'mine.yaml'), 'extends: cartpole/r2po\n');
    expect((await resolveConfig(join(folder, 'mine.yaml'))).config).toMatchObject({ seed: 42, iterations: 3 });
  });

  it('names the nearest shipped configuration to one that is extended and does not exist', async () => {
    writeFileSync(join(folder, 'mine.yaml'), 'seed: 1\nextends: frozenlake/r2p0\n');
    expect(await asyncProblem(() => resolveConfig(join(folder, 'mine.yaml')))).toMatch(
      /mine\.yaml:2:10: expected the path .* got "frozenlake\/r2p0"; did you mean "frozenlake\/r2po"\?/,
    );
  });

  it('refuses files that extend each other, with the circle', async () => {
    const [a, b] = ['a.yaml', 'b.yaml'].map((name) => join(folder, name));
    writeFileSync(a!, `extends: ./b.yaml\n`);
    writeFileSync(b!, `extends: [cartpole/r2po, a.yaml]\n`);
    expect(await asyncProblem(() => resolveConfig(a!))).toBe(
      `${b}:1:10: expected files that do not extend each other, got ${a} -> ${b} -> ${a}`,
    );
    writeFileSync(a!, 'extends: a.yaml\n');
    expect(await asyncProblem(() => resolveConfig(a!))).toContain(`${a} -> ${a}`);
  });

  it('refuses a chain that multiplies', async () => {
    for (let i = 0; i < 6; i++)
      writeFileSync(join(folder, `n${i}.yaml`), `extends: [n${i + 1}.yaml, n${i + 1}.yaml]\n`);
    writeFileSync(join(folder, 'n6.yaml'), minimal);
    expect(await asyncProblem(() => resolveConfig(join(folder, 'n0.yaml')))).toContain('expected at most 20 files');
  });

  it('gives the settings of the reference for CartPole', async () => {
    const { config, origin } = await resolveConfig('cartpole/r2po');
    expect(origin).toStrictEqual({ file: 'configs/cartpole/r2po', overrides: [] });
    expect(config).toMatchObject({
      iterations: 100,
      search: { optimum: 500, step_size: 1 },
      critic: { conservative_threshold: 480 },
      warmup: { policies: 20 },
      evaluation: { episodes: 20, max_steps: null },
    });
  });

  it('prefers options of the command line to overrides', async () => {
    const flags = {
      seed: 31,
      backend: 'cpu',
      model: 'ollama/m',
      maxCalls: 32,
      maxTokens: 33,
      maxTime: 34.5,
      maxCost: 1.25,
      maxEpisodes: 3500,
    };
    const { config, origin } = await resolveConfig('cartpole/r2po', ['seed=30', 'warmup.policies=7'], flags);
    expect(config).toMatchObject({
      seed: 31,
      model: 'ollama/m',
      warmup: { policies: 7 },
      evaluation: { backend: 'cpu' },
      budget: { max_calls: 32, max_tokens: 33, max_time_s: 34.5, max_cost_usd: 1.25, max_episodes: 3500 },
    });
    expect(origin.overrides).toStrictEqual([
      'override 1 (seed=30)',
      'override 2 (warmup.policies=7)',
      '--seed',
      '--backend',
      '--model',
      '--max-calls',
      '--max-tokens',
      '--max-time',
      '--max-cost',
      '--max-episodes',
    ]);
  });

  it('writes YAML that loads as the same configuration', async () => {
    // Whose settings of the critic, shared with other methods, have no effect.
    const first = await resolveConfig('cartpole/props', ['seed=11', 'llm.temperature=null'], { model: 'ollama/m' });
    const file = join(folder, 'config.yaml');
    writeFileSync(file, first.yaml);
    const second = await resolveConfig(file);
    expect(second.config).toStrictEqual(first.config);
    expect(second.yaml).toBe(first.yaml);
  });

  it.each(['cartpole', 'CartPole-v1', 'cartpol'])(
    'offers the settings of an environment for its name: %s',
    async (name) => {
      expect(await asyncProblem(() => resolveConfig(name))).toContain('did you mean "cartpole/r2po"?');
    },
  );

  it('names the nearest shipped configuration', async () => {
    expect(await asyncProblem(() => resolveConfig('cartpole/r2p'))).toBe(
      'expected the path of a configuration file or the name of a shipped one, got "cartpole/r2p"; ' +
        'did you mean "cartpole/r2po"? shipped are <environment>/<method>: ' +
        shippedConfigs()
          .filter((name) => name.startsWith('cartpole/'))
          .join(', '),
    );
  });

  it('says why a path cannot be read', async () => {
    const missing = join(folder, 'no.yaml');
    expect(await asyncProblem(() => resolveConfig(missing))).toBe(
      `expected a configuration file at "${missing}", cannot read it: file not found`,
    );
    expect(await asyncProblem(() => resolveConfig(folder))).toBe(
      `expected a configuration file at "${folder}", cannot read it: it is a folder`,
    );
    const long = `${'x'.repeat(300)}.yaml`;
    expect(await asyncProblem(() => resolveConfig(long))).toContain('cannot read it: the name is too long');
    const latin1 = join(folder, 'latin1.yaml');
    writeFileSync(latin1, Uint8Array.of(0x65, 0x3a, 0xe9, 0x0a));
    expect(await asyncProblem(() => resolveConfig(latin1))).toBe(
      `expected UTF-8 text in ${latin1}, got other bytes; save it as UTF-8`,
    );
  });

  it('reads a file with a byte order mark and Windows line ends', async () => {
    const file = join(folder, 'windows.yaml');
    writeFileSync(file, `\ufeff${minimal.replaceAll('\n', '\r\n')}seed: 12\r\n`);
    expect((await resolveConfig(file)).config.seed).toBe(12);
  });
});

describe('the seed of what a policy draws', () => {
  const projected = `${minimal.replace(/policy:[\s\S]*$/, '')}policy:\n  kind: projected-mlp\n`;

  it('follows that of the run, as the runs of the reference are counted, unless it is given', () => {
    const seedOf = (text: string) => load(text).policy.options.seed;
    expect(seedOf(projected)).toBe(3001);
    expect(seedOf(`${projected}seed: 9\n`)).toBe(3010);
    expect(seedOf(`${projected.replace('projected-mlp', 'random-features')}seed: 4\n`)).toBe(1005);
    expect(seedOf(`${projected}  options: { seed: 77 }\nseed: 9\n`)).toBe(77);
    expect(seedOf(`${projected}seed: 4294967295\n`)).toBe(3000);
    expect(load(`${minimal}seed: 9\n`).policy.options).toEqual({ bias: true });
  });
});

describe('secrets', () => {
  it.each([
    'llm.extra_body.api_key=sk-1',
    'llm.extra_body={provider: {api_key: sk-1}}',
    'llm.search.extra_body={tools: [{type: x}, {server: {token: sk-1}}]}',
    'llm.critic.extra_body.Authorization=x',
    'llm.headers.authorization=sk-1',
  ])('have no place in a configuration: %s', (override) => {
    expect(() => load(minimal, [override])).toThrow(UsageError);
  });

  it('are not shown', () => {
    expect(() => load(minimal, ['llm.extra_body.api_key=sk-1'])).toThrow(
      /^(?!.*sk-1).*override 1 \(llm\.extra_body\.api_key=\.\.\.\): expected no key/s,
    );
    expect(() => load(minimal, ['llm.extra_body={provider: [{api_key: sk-1}]}'])).toThrow(
      /^(?!.*sk-1).*override 1 \(llm\.extra_body=\.\.\.\): expected no key.*got "provider\.0\.api_key"/s,
    );
  });
});

describe('configHash', () => {
  const hash = (text: string) => configHash(load(text));

  it('is the same for the same configuration written differently', () => {
    const reordered =
      '# the same\npolicy: {kind: linear}\nmodel: "offline"\niterations: 3\nmethod: r2po\nenv: cartpole\n';
    expect(hash(reordered)).toBe(hash(minimal));
    expect(hash(minimal)).toMatch(/^[0-9a-f]{12}$/);
  });

  it('counts every key', () => {
    const changes = [
      'seed: 1',
      'budget: {max_calls: 5}',
      'llm: {timeout_s: 301}',
      'model: ollama/x',
      'warmup: {spread: 2}',
    ];
    const hashes = [minimal, ...changes.map((line) => `${minimal}${line}\n`)].map(hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('does not change, because run folders contain it', () => {
    expect(hash(minimal)).toBe('ec959b6f615d');
  });
});

describe('toSettings', () => {
  it('contains every setting, and uses the success threshold of the environment when none is given', () => {
    const env = findEnv('CartPole-v1');
    const text =
      'iterations: 31\nparameters: {low: -32, high: 33, decimals: 4, out_of_range: clip}\n' +
      'search: {optimum: 35, step_size: 0.36, history: 37, duplicates: repair, repair_turns: 7}\ncritic: {conservative_threshold: 38, trajectory_tokens: 390, statistics: basic, history_excerpts: 45, sensitivity_episodes: 46}\nselection: paired\n' +
      'warmup: {policies: 40, spread: 41, inside: false, dir: /tmp/trials}\nevaluation: {episodes: 42, max_steps: 43, success_threshold: 44, success_tolerance: 0.25}\nprompt: {knowledge: reference, explanation: reasoning, reward_decimals: 3, count_from: 0}\n';
    const config = load(minimal.replace('iterations: 3\n', '') + text);
    const settings = {
      prompt: { knowledge: 'reference', explanation: 'reasoning', rewardDecimals: 3, countFrom: 0 },
      iterations: 31,
      parameters: { low: -32, high: 33, decimals: 4, outOfRange: 'clip' },
      optimum: 35,
      stepSize: 0.36,
      repairTurns: 7,
      conservativeThreshold: 38,
      trajectoryTokens: 390,
      statistics: 'basic',
      historyExcerpts: 45,
      sensitivityEpisodes: 46,
      selection: 'paired',
      historyWindow: 37,
      duplicates: 'repair',
      warmupPolicies: 40,
      warmupSpread: 41,
      warmupInside: false,
      warmupDir: '/tmp/trials',
      evaluationEpisodes: 42,
      maxSteps: 43,
      successThreshold: 33,
    };
    expect(toSettings(llmConfig(config), env)).toStrictEqual(settings);
    const own = { ...llmConfig(config), evaluation: { ...config.evaluation, success_threshold: null } };
    expect(toSettings(own, env)).toStrictEqual({ ...settings, successThreshold: 356.25 });
  });
});

describe('JSON Schema', () => {
  interface Node {
    readonly description?: string;
    readonly properties?: Record<string, Node>;
    readonly additionalProperties?: unknown;
    readonly required?: readonly string[];
  }

  it('describes every key, closes every section, and requires nothing, as a file may extend another', () => {
    const schema = configJsonSchema() as unknown as Node & { readonly $schema: string };
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema.required).toBeUndefined();
    const visit = (node: Node, path: string): string[] => {
      expect(node.description, path).toMatch(/\w/);
      if (node.properties) expect(node.additionalProperties, path).toBe(false);
      const prefix = path === '' ? '' : `${path}.`;
      return [path, ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => visit(child, prefix + key))];
    };
    expect(visit(schema, '').sort()).toStrictEqual([...knownKeys.keys(), 'extends', 'published'].sort());
  });
});

describe('any input', () => {
  /** JSON has no -0. */
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((x) => x + 0);
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
  const whole = (min: number, max: number) => fc.integer({ min, max });

  const sampling = {
    temperature: optional(number(0, 2)),
    top_p: optional(number(1e-6, 1)),
    stop: fc.array(fc.string({ minLength: 1 }), { maxLength: 16 }),
    reply_form: fc.constantFrom('auto' as const, ...replyForms),
    max_reply_tokens: optional(whole(16, 1_000_000)),
    reasoning_effort: optional(fc.constantFrom(...reasoningEfforts)),
    think: optional(fc.boolean()),
    extra_body: fc.dictionary(fc.constantFrom('min_p', 'provider'), fc.constantFrom(0.5, 'x', null, [1], { a: 2 })),
  };

  const configs: fc.Arbitrary<LlmConfig> = fc.record({
    env: fc.constant('CartPole-v1'),
    env_options: fc.constant({}),
    method: fc.constantFrom('r2po', 'props', 'tau-c'),
    settings: fc.constantFrom('fair' as const, 'published' as const),
    model: fc.oneof(
      fc.constant('offline'),
      fc.string({ minLength: 1 }).map((name) => `ollama/${name}`),
    ),
    seed: fc.maxSafeNat(),
    iterations: whole(1, 1_000_000),
    policy: fc.record({ kind: fc.constant('linear'), options: fc.record({ bias: fc.boolean() }) }),
    parameters: fc.record({
      low: number(-1e6, -1),
      high: number(1, 1e6),
      decimals: optional(whole(0, 12)),
      out_of_range: fc.constantFrom('refuse' as const, 'clip' as const),
    }),
    prompt: fc.record({
      knowledge: fc.constantFrom('full' as const, 'reference' as const, 'none' as const),
      explanation: fc.constantFrom('sentence' as const, 'reasoning' as const),
      reward_decimals: optional(whole(0, 12)),
      count_from: fc.constantFrom(0 as const, 1 as const),
    }),
    search: fc.record({
      optimum: optional(number(-1e9, 1e9)),
      step_size: optional(number(1e-300, 1e9)),
      history: optional(whole(1, 1_000_000)),
      repair_turns: whole(0, 20),
      duplicates: fc.constantFrom('allow' as const, 'repair' as const),
    }),
    critic: fc.record({
      conservative_threshold: optional(number(-1e9, 1e9)),
      trajectory_tokens: optional(whole(100, 1_000_000)),
      statistics: fc.constantFrom('basic' as const, 'full' as const),
      history_excerpts: whole(0, 10_000),
      sensitivity_episodes: optional(whole(1, 1_000_000)),
    }),
    selection: fc.constantFrom('mean' as const, 'paired' as const),
    warmup: fc.record({
      policies: whole(0, 10_000),
      spread: number(1e-9, 1e6),
      inside: fc.boolean(),
      dir: optional(fc.constant('/tmp/trials')),
    }),
    evaluation: fc.record({
      episodes: whole(1, maxEpisodes),
      max_steps: optional(whole(1, 500)),
      success_threshold: optional(number(1, 500)),
      success_tolerance: number(0, 1),
      holdout: optional(whole(1, maxEpisodes)),
      backend: fc.constantFrom('auto' as const, 'webgpu' as const, 'cpu' as const),
    }),
    recheck: fc.record({ episodes: whole(1, maxEpisodes) }),
    llm: fc.record({
      ...sampling,
      num_ctx: optional(whole(512, 10_000_000)),
      keep_alive: optional(fc.constantFrom('-1', '0', '30m', '250ms')),
      headers: fc.dictionary(fc.constantFrom('x-team', 'OpenAI-Beta'), fc.constantFrom('$TEAM', '$_x1')),
      fallback: fc.array(fc.constantFrom('ollama/a', 'offline'), { maxLength: 8 }),
      max_unusable_in_a_row: optional(whole(1, 1_000_000)),
      search: fc.record(sampling, { requiredKeys: [] }),
      critic: fc.record({ ...sampling, model: fc.constantFrom('openai/strong', 'auto') }, { requiredKeys: [] }),
      seed: optional(whole(0, 2 ** 31 - 1)),
      timeout_s: number(1e-3, 86_400),
      idle_timeout_s: number(1e-3, 86_400),
      max_attempts: whole(1, 100),
      max_concurrent: optional(whole(1, 1000)),
      min_spacing_s: number(0, 86_400),
    }),
    budget: fc.record({
      max_calls: optional(whole(1, maxSeed)),
      max_tokens: optional(whole(1, maxSeed)),
      max_cost_usd: optional(number(1e-6, 1e6)),
      max_time_s: optional(number(1e-3, 1e9)),
    }),
    prices: fc.dictionary(
      fc.constantFrom('offline', 'openai/m', 'http://host:80/v1#x'),
      fc.record({
        prompt_per_million: number(0, 1e3),
        completion_per_million: number(0, 1e3),
        date: fc.constant('2026-11-20'),
      }),
      { noNullPrototype: true },
    ),
  });

  it('a valid configuration, written as YAML, loads back equal', () => {
    fc.assert(
      fc.property(configs, (config) => {
        expect(load(stringify(config))).toEqual(config);
      }),
    );
  });

  it('a valid configuration, given key by key as overrides, comes out equal', () => {
    const flatten = (value: object, prefix: string): string[] =>
      Object.entries(value).flatMap(([key, inner]) =>
        typeof inner === 'object' && inner !== null && !Array.isArray(inner) && Object.keys(inner).length > 0
          ? flatten(inner, `${prefix}${key}.`)
          : [`${prefix}${key}=${JSON.stringify(inner)}`],
      );
    // Published settings need a file that has them.
    const fair = configs.map((config) => ({ ...config, settings: 'fair' as const }));
    fc.assert(
      fc.property(fair, (config) => {
        const idle = idleKeys(config).map(({ key }) => key);
        const effective = (of: object) =>
          flatten(of, '').filter(
            (text) =>
              !text.endsWith('={}') && !idle.some((key) => text.startsWith(key) && /[.=]/.test(text[key.length]!)),
          );
        expect(effective(load(minimal, effective(config))).sort()).toEqual(effective(config).sort());
      }),
    );
  });

  /** Passes when nothing is thrown, or a usage error that says where. */
  const refusesPolitely = (action: () => unknown) => {
    try {
      action();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).message).toMatch(/exp\.yaml|override 1 /);
    }
  };

  const yamlPieces = fc
    .array(
      fc.constantFrom(
        ...[
          'env',
          'policy',
          'kind',
          'linear',
          'seed',
          '0',
          '-',
          ':',
          ': ',
          '\n',
          '  ',
          '\t',
          '[',
          ']',
          '{',
          '}',
          ',',
          '&a ',
          '*a',
        ],
        ...[
          '#',
          '|',
          '>',
          '"',
          "'",
          '? ',
          '---',
          '...',
          '!x ',
          '%YAML 9',
          '<<',
          '.nan',
          '\u0000',
          '\ufeff',
          '\r',
          '\\',
          '__proto__',
        ],
      ),
      { maxLength: 40 },
    )
    .map((pieces) => pieces.join(''));

  it('a text of any kind loads, or is refused with its place', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), anyText(), yamlPieces), (text) => {
        refusesPolitely(() => load(text));
        refusesPolitely(() => load(minimal + text));
      }),
      { numRuns: 1000 },
    );
  });

  it('any value at any key loads, or is refused with its place', () => {
    const keys = fc.constantFrom(...[...knownKeys.keys()].filter((key) => key !== ''));
    fc.assert(
      fc.property(keys, fc.jsonValue({ maxDepth: 4 }), (key, value) => {
        const nested = key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
        refusesPolitely(() => load(stringify(nested)));
      }),
      { numRuns: 500 },
    );
  });

  it('an override of any text is accepted, or is refused and quoted', () => {
    const text = fc.oneof(
      fc.string(),
      yamlPieces,
      yamlPieces.map((t) => `policy.options.x=${t}`),
      yamlPieces.map((t) => `seed=${t}`),
    );
    fc.assert(
      fc.property(text, (override) => refusesPolitely(() => load(minimal, [override]))),
      { numRuns: 1000 },
    );
  });
});
