/** What an environment may ask for beyond CartPole's needs: draws within a step, a table, memory, options. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { RecordedDraws } from '../../src/base/rng/draws.ts';
import { checkEnvironment } from '../../src/checks/conformance.ts';
import { parseConfig } from '../../src/config/resolve.ts';
import { type Constant, defineEnv, type EnvSpec } from '../../src/envs/authoring.ts';
import type { Params } from '../../src/envs/env.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { linear } from '../../src/policies/linear.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { RolloutJob } from '../../src/rollout/job.ts';
import { openWasmBackend } from '../../src/rollout/wasm/node/backend.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { runCli } from '../support/cli.ts';
import { diceEnv, readDiceShader } from '../support/dice-env.ts';
import { describeGpu } from '../support/gpu.ts';

const dice = diceEnv();
const job = (env = dice): RolloutJob => ({
  env,
  policy: linear.build(env, {}),
  // Halves while the sum is below 7, and sometimes later.
  candidates: [Float64Array.of(0.5, 0, 0, -0.75, 0, 3.25)],
  episodes: 300,
  seed: 21,
  maxSteps: null,
});
const probes = [
  { state: [5], action: [0], draws: [2, 0.8] },
  { state: [5], action: [1], draws: [4, 0.3] },
  { state: [38], action: [0], draws: [0] },
];
const probed = [
  { state: [9.75], obs: [9.75, 4.75], reward: 4.75, terminated: false },
  { state: [7.75], obs: [7.75, 2.75], reward: 2.75, terminated: false },
  { state: [41], obs: [41, 3], reward: 3, terminated: true },
];

const cpu = openCpuBackend({ threads: 1 });
afterAll(() => cpu.close());

describe('a step that draws', () => {
  it('takes the given numbers in a probe', async () => {
    expect(await cpu.probe(dice, probes)).toEqual(probed);
  });

  it.each([
    [{ state: [5], action: [0], draws: [] }, 'expected another random number after 0, got none; add it in entry 0'],
    [{ state: [5], action: [0] }, 'expected another random number after 0'],
    [{ state: [5], action: [0], draws: [2] }, 'expected another random number after 1'],
    [{ state: [5], action: [0], draws: [1, 0.5, 0.5] }, 'expected at most 2 draws, got 3 in entry 0'],
    [{ state: [5], action: [0], draws: [Number.NaN] }, 'expected finite draws, got NaN'],
  ])('refuses %j', async (input, message) => {
    await expect(cpu.probe(dice, [input])).rejects.toThrow(`[probe] ${message}`);
  });

  it('gets recorded draws in their order, and none that a generator could not give', () => {
    const draws = new RecordedDraws([0.25, 3, -1.5, 7, 2]);
    const got = [draws.random(), draws.integers(3, 5), draws.standardNormal(), draws.uniform(6, 7), draws.choice(3)];
    expect(got).toEqual([0.25, 3, -1.5, 7, 2]);
    expect(() => new RecordedDraws([1]).random()).toThrow('random number 1 to be at least 0 and below 1, got 1');
    expect(() => new RecordedDraws([5]).integers(3, 5)).toThrow('to be a whole number in 3 ... 4, got 5');
    expect(() => new RecordedDraws([0.5]).choice(3)).toThrow('to be a whole number in 0 ... 2, got 0.5');
    expect(() => new RecordedDraws([5.9]).uniform(6, 7)).toThrow('to be in 6 ... 7, got 5.9');
  });
});

describe('memory', () => {
  it('is observed, and no part of a recorded state', async () => {
    const trace = await cpu.trace(job(), 0, 3);
    expect(trace.finalState).toHaveLength(1);
    trace.steps.forEach((step, t) => {
      expect(step.state).toHaveLength(1);
      expect(step.obs).toEqual([step.state[0], t === 0 ? 0 : trace.steps[t - 1]!.reward]);
    });
  });
});

describe('options', () => {
  it('build another environment and are refused where there are none', async () => {
    const generous = dice.withOptions?.({ bonus: 8 });
    expect(generous?.options).toEqual({ bonus: 8 });
    const [plain, more] = [await cpu.play(job()), await cpu.play(job(generous))];
    expect(more.returns[0]).toBeGreaterThan(plain.returns[0]!);
    expect(() => findEnv('CartPole-v1', { gravity: 3 })).toThrow(
      '[CartPole-v1] expected only the options "max_episode_steps", "sutton_barto_reward", got "gravity"; remove it',
    );
  });
});

describeGpu('the same on the GPU', () => {
  let gpu: Backend;
  beforeAll(async () => {
    gpu = await openWebGpuBackend({ readShader: readDiceShader });
  });
  afterAll(() => gpu.close());

  it('gives the same probes', async () => {
    expect(await gpu.probe(dice, probes)).toEqual(probed);
    await expect(async () => gpu.probe(dice, [{ state: [5], action: [0] }])).rejects.toThrow('another random number');
  });

  it('draws the same numbers from the seed in every step', async () => {
    for (const env of [dice, diceEnv({ bonus: 2 })]) {
      const [a, b] = [await gpu.play(job(env)), await cpu.play(job(env))];
      expect(a.returns).toEqual(b.returns);
      expect(a.lengths).toEqual(b.lengths);
    }
    expect(new Set((await cpu.play(job())).ends).size).toBe(2);
    const [x, y] = [await gpu.trace(job(), 0, 7), await cpu.trace(job(), 0, 7)];
    expect(x).toEqual(y);
  });
});

/** Counts the sum of its actions, without a number of its own. */
const bareSpec = {
  ...{ id: 'Bare-v0', folder: 'bare', groundTruth: 'this file', state: dice.state },
  observation: { kind: 'vector', rows: dice.state },
  action: { kind: 'box', rows: [{ name: 'step', meaning: 'added', unit: '1', low: 0, high: 2 }] },
  ...{ constants: {}, derive: () => ({}), exact: [], timeLimit: 9, grid: ['..', '..'] },
  success: { threshold: 10, source: 'made up' },
  returnRange: [0, 1000],
  parity: { singleStep: 1e-7, reason: 'all numbers are exact in f32' },
  dynamics: {
    reset(_p, rng, s) {
      s[0] = rng.integers(0, 3);
    },
    observe(_p, s, obs) {
      obs[0] = s[0]!;
    },
    step(_p, s, action, _rng, out) {
      s[0]! += action[0]!;
      out.reward = s[0]!;
      out.terminated = false;
    },
  },
  shader: () => ({
    path: 'bare.wgsl',
    text: `
fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState { return EnvState(f32(rng_integers(rng, 3u))); }
fn env_observe(p: EnvParams, s: EnvState) -> Obs { return Obs(s.sum); }
fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  return Transition(EnvState(s.sum + action[0]), s.sum + action[0], false);
}
`,
  }),
} satisfies EnvSpec<Record<string, Constant>, Params>;
const bare = defineEnv(bareSpec);

async function expectBareAs(backend: Backend): Promise<void> {
  const played = { ...job(bare), candidates: [Float64Array.of(0.5, 0.25)] };
  const [expected, got] = [await cpu.play(played), await backend.play(played)];
  expect(Array.from(got.returns)).toEqual(Array.from(expected.returns));
  const inputs = [{ state: [5], action: [1.5] }];
  expect(await backend.probe(bare, inputs)).toEqual(await cpu.probe(bare, inputs));
  await backend.close();
}

describe('an environment without constants', () => {
  it('is played by its shader on wasm', () => expectBareAs(openWasmBackend({ threads: 1 })));
  describeGpu('on an adapter', () => {
    it('is played by its shader', async () => expectBareAs(await openWebGpuBackend()));
  });
});

describe('a definition', () => {
  const numbered = (...againstRules: number[]) =>
    ({ kind: 'discrete', meanings: ['stay', 'add'], againstRules }) as const;

  it.each([
    [{ action: numbered(1, 2) }, 'expected numbers of actions, 0 ... 1, at action.againstRules, got 2; remove it'],
    [{ action: numbered(-1) }, 'at action.againstRules, got -1; remove it'],
    [{ action: numbered(1, 0) }, 'expected an action that a policy may choose, got all of them at action.againstRules'],
    [{ derive: () => null as never }, 'expected "derive" to return an object of numbers, got null; return {} for none'],
  ])('is refused: %j', (changes, message) => {
    expect(() => defineEnv({ ...bareSpec, ...changes })).toThrow(message);
  });
});

it('a number beyond the states of an environment is named, by a table and by the conformance check', async () => {
  const env = defineEnv({
    ...bareSpec,
    observation: { kind: 'discrete', n: 4, meaning: 'the sum' },
    action: { kind: 'discrete', meanings: ['stay', 'add'] },
  });
  const table = { ...job(env), policy: buildPolicy('tabular', env), candidates: [Float64Array.of(1, 1, 1, 1)] };
  await expect(cpu.play(table)).rejects.toThrow(UsageError);
  await expect(cpu.play(table)).rejects.toThrow('expected an observation in 0 ... 3, got 4; mend the environment');
  expect(await checkEnvironment(env, cpu, () => 'stay, add')).toEqual([
    expect.stringMatching(/^seed \d+, step \d+: expected an observation in 0 \.\.\. 3, got 4$/),
  ]);
});

describe('options from outside', () => {
  it('are refused with their line when the environment takes none', async () => {
    const text = 'env: CartPole-v1\nmethod: r2po\niterations: 3\nenv_options:\n  gravity: 3\npolicy:\n  kind: linear\n';
    expect(() => parseConfig({ name: 'exp.yaml', text })).toThrow(
      /exp\.yaml:5:.*in the options of CartPole-v1: expected only the options .*, got "gravity"/,
    );
    const args = ['probe', '--env', 'CartPole-v1', '--in', '-', '--env-option', 'gravity=3'];
    const { code, stderr } = await runCli(args, { input: '[]' });
    expect(code).toBe(2);
    expect(stderr).toContain('[CartPole-v1] expected only the options "max_episode_steps"');
  });

  it('are key=value', async () => {
    const { code, stderr } = await runCli(['probe', '--env', 'CartPole-v1', '--in', '-', '--env-option', 'gravity']);
    expect(code).toBe(2);
    expect(stderr).toContain('[--env-option] expected key=value, got "gravity"');
  });
});
