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
