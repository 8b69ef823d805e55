/** Environments with Gymnasium's options on cpu and gpujs; test/checks/parity.test.ts has them on webgpu. */
import { afterAll, describe, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { stateArraySize } from '../../src/envs/env.ts';
import { envs } from '../../src/envs/index.ts';
import { describeEnvironment } from '../../src/envs/node/description.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openGpujsBackend } from '../../src/rollout/gpujs/node/open.ts';
import { endCauses } from '../../src/rollout/job.ts';
import { expectSameEnds, expectSameSteps, readOptionRecordings, scaleOf } from '../suites/env-options.ts';

const named = readOptionRecordings().map((recording) => ({ ...recording, name: JSON.stringify(recording.options) }));
const cpu = openCpuBackend({ threads: 1 });
const gpujs = await openGpujsBackend();
afterAll(async () => {
  await cpu.close();
  await gpujs.close();
});

describe('the recorded episodes of Gymnasium', () => {
  it.each(named)('of $env with $name are played on the cpu', ({ env: id, options, episodes }) => {
    const env = findEnv(id, options);
    for (const { seed, start, steps, terminated, truncated } of episodes) {
      const rng = Generator.from(seed);
      const state = new Float64Array(stateArraySize(env));
      const out = { reward: 0, terminated: false };
      env.dynamics.reset(env.params, rng, state);
      expect(Array.from(state.subarray(0, start.length))).toEqual(start);
      steps.forEach(([action, after, reward], t) => {
        env.dynamics.step(env.params, state, Float64Array.from(action), rng, out);
        after.forEach((value, i) => {
          expect(Math.abs(state[i]! - value), `step ${t + 1}`).toBeLessThanOrEqual(1e-9 * scaleOf(after));
        });
        expect(Math.abs(out.reward - reward), `step ${t + 1}`).toBeLessThanOrEqual(1e-9 * scaleOf([...after, reward]));
        expect(out.terminated, `step ${t + 1}`).toBe(terminated && t === steps.length - 1);
      });
      expect(truncated).toBe(steps.length === env.timeLimit);
    }
  });
});

describe('on gpujs', () => {
  const played = named.filter(({ env }) => gpujs.supports(findEnv(env), null) === null);

  it.each(played)('$env with $name starts and steps as on the cpu', async (recording) => {
    await expectSameSteps(recording, cpu, gpujs);
  });
});

describe('max_episode_steps', () => {
  const longer = 1203;
  /** environments in which an episode may last that long, with a policy that lets it */
  const steady = ['MountainCar-v0', 'Pendulum-v1', 'CliffWalking-v1', 'maze-sample-3x3-v0'].map((id) => ({ id }));

  it.each(steady)('of $id is where episodes are truncated, before and after the registered limit', async ({ id }) => {
    for (const limit of [37, longer]) {
      const env = findEnv(id, { max_episode_steps: limit });
      const policy = buildPolicy(policyKinds.find((k) => k.accepts(env) === null)!.id, env);
      const candidates = [new Float64Array(policy.paramCount)];
      const { lengths, ends } = await cpu.play({ env, policy, candidates, episodes: 2, seed: 3, maxSteps: null });
      expect(Array.from(lengths)).toEqual([limit, limit]);
      expect(new Set(Array.from(ends, (end) => endCauses[end]))).toEqual(new Set(['truncated']));
      if (gpujs.supports(env, policy) === null) await expectSameEnds(id, limit, cpu, gpujs);
      expect(describeEnvironment(env)).toContain(`truncated after ${limit} steps`);
    }
  });

  it.each(envs.map((env) => ({ env, id: env.id })))('of $id is no difference at its default', ({ env }) => {
    if (env.timeLimit === null) return;
    const same = findEnv(env.id, { max_episode_steps: env.timeLimit });
    expect({ options: same.options, params: same.params }).toEqual({ options: env.options, params: env.params });
    expect(describeEnvironment(same)).toBe(describeEnvironment(env));
  });

  it.each(envs.map((env) => ({ env, id: env.id })))('of $id keeps the success threshold within reach', ({ env }) => {
    const limits = [2, 3, 14, 60, 230, 5000, env.timeLimit ?? 300];
    for (const limit of limits) {
      let other: typeof env;
      try {
        other = findEnv(env.id, { max_episode_steps: limit });
      } catch {
        continue;
      }
      const [lowest, highest] = other.returnRange;
      expect(other.success.threshold, `${limit}`).toBeLessThanOrEqual(highest);
      expect(other.success.threshold, `${limit}`).toBeGreaterThan(lowest);
    }
  });
});

describe('options are refused', () => {
  it.each([
    ['CartPole-v1', { sutton_barto_reward: 1 }, /"sutton_barto_reward" to be true or false, got 1/],
    ['CartPole-v1', { max_episode_steps: 0 }, /"max_episode_steps" to be a whole number in 1 \.\.\. 16777216, got 0/],
    ['CliffWalking-v1', { max_episode_steps: 13 }, /a whole number in 14 /],
    ['MountainCar-v0', { goal_velocity: 0.08 }, /"goal_velocity" to be a number in 0 \.\.\. 0\.07, got 0\.08/],
    ['Pendulum-v1', { g: '9' }, /"g" to be a number in 0 \.\.\. 1000, got "9"/],
    ['Pendulum-v1', { G: 9 }, /only the options "max_episode_steps", "g", got "G"; did you mean "g"\?/],
    [
      'InvertedPendulum-v5',
      { reset_noise_scale: -0.1 },
      /"reset_noise_scale" to be a number in 0 \.\.\. 0\.9, got -0\.1/,
    ],
    ['FrozenLake-v1', { map_name: '9x9' }, /"map_name" to be 4x4 or 8x8, got "9x9"/],
    ['FrozenLake-v1', { map_name: null }, /"map_name" to be 4x4 or 8x8, got null/],
    ['FrozenLake-v1', { map_name: '8x8', desc: ['SG'] }, /one map, got "map_name" and "desc"; remove one/],
    ['FrozenLake-v1', { success_rate: 1.5 }, /"success_rate" to be a number in 0 \.\.\. 1, got 1\.5/],
    ['FrozenLake-v1', { success_rate: 0.8, is_slippery: false }, /no option "success_rate" with "is_slippery" false/],
    ['FrozenLake-v1', { reward_schedule: [1, 0] }, /"reward_schedule" to be a list of three numbers/],
  ])('of %s: %j', (id, options, message) => {
    expect(() => findEnv(id, options)).toThrow(message);
  });
});

describe('the options of a map', () => {
  it('are one, however they are written', () => {
    const { options } = findEnv('FrozenLake-v1', { map: '8x8' });
    expect(options).toEqual({ map: '8x8', is_slippery: true });
    expect(findEnv('FrozenLake-v1', { map_name: '8x8', desc: null, success_rate: 1 / 3 }).options).toEqual(options);
    expect(findEnv('FrozenLake-v1', { desc: ['SF', 'FG'] }).options.map).toEqual(['SF', 'FG']);
  });
});

describe('the success line of FrozenLake', () => {
  const lineOf = (reward_schedule: readonly number[]) =>
    findEnv('FrozenLake-v1', { reward_schedule }).success.threshold;

  it('is below each return that reaches the goal, where no other end gives as much', () => {
    expect(lineOf([1, 0, 0])).toBe(1);
    expect(lineOf([2, -0.75, -0.001])).toBeCloseTo(2 - 0.099, 3);
  });

  it('is above the returns of a hole and of the step limit', () => {
    // The goal in the last step gives -8.9, and a hole in the first -1.
    expect(lineOf([1, -1, -0.1])).toBeGreaterThan(-1);
    expect(lineOf([1, -1, -0.1])).toBeCloseTo(-1, 4);
    expect(lineOf([1, 0, 0.1])).toBeGreaterThan(10);
  });
});

it('a pole that falls at once is no success of InvertedDoublePendulum, whatever it earns for each step', () => {
  const lineOf = (healthy_reward: number) => findEnv('InvertedDoublePendulum-v5', { healthy_reward }).success.threshold;
  expect([lineOf(10), lineOf(3), lineOf(0)]).toEqual([9100, 2100, 0]);
});
