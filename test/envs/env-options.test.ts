/** Environments with Gymnasium's options: the recorded episodes of Gymnasium on the cpu, and the others as the cpu does. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { type EnvOptions, stateArraySize } from '../../src/envs/env.ts';
import { envs } from '../../src/envs/index.ts';
import { describeEnvironment } from '../../src/envs/node/description.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openGpujsBackend } from '../../src/rollout/gpujs/node/open.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { hasAdapter } from '../support/gpu.ts';

interface Recording {
  readonly env: string;
  readonly options: EnvOptions;
  readonly episodes: readonly {
    readonly seed: number;
    readonly start: readonly number[];
    /** action, state after it, reward */
    readonly steps: readonly (readonly [number[], number[], number])[];
    readonly terminated: boolean;
    readonly truncated: boolean;
  }[];
}

const file = new URL('../golden/env-options.json', import.meta.url);
const { recordings } = JSON.parse(readFileSync(file, 'utf8')) as { readonly recordings: readonly Recording[] };
const named = recordings.map((recording) => ({ ...recording, name: JSON.stringify(recording.options) }));
const cpu = openCpuBackend({ threads: 1 });
const others: Backend[] = [await openGpujsBackend(), ...(hasAdapter ? [await openWebGpuBackend()] : [])];
afterAll(async () => {
  for (const backend of [cpu, ...others]) await backend.close();
});

const largest = (values: readonly number[]): number => Math.max(1, ...values.map(Math.abs));

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
          expect(Math.abs(state[i]! - value), `step ${t + 1}`).toBeLessThanOrEqual(1e-9 * largest(after));
        });
        expect(Math.abs(out.reward - reward), `step ${t + 1}`).toBeLessThanOrEqual(1e-9 * largest([...after, reward]));
        expect(out.terminated, `step ${t + 1}`).toBe(terminated && t === steps.length - 1);
      });
      expect(truncated).toBe(steps.length === env.timeLimit);
    }
  });
});

describe.each(others.map((other) => ({ other, id: other.id })))('on $id', ({ other }) => {
  const played = named.filter(({ env }) => other.supports(findEnv(env), null) === null);

  it.each(played)('$env with $name starts and steps as on the cpu', async ({ env: id, options, episodes }) => {
    const env = findEnv(id, options);
    const starts = await other.resets(env, 5, 16);
    const wanted = await cpu.resets(env, 5, 16);
    expect(starts.map((state) => Array.from(state))).toEqual(wanted.map((state) => Array.from(state, Math.fround)));
    const inputs = episodes
      .flatMap(({ start, steps }) => steps.map(([action], t) => ({ state: t === 0 ? start : steps[t - 1]![1], action })))
      .map(({ state, action }, i) => ({
        state: state.map(Math.fround),
        action: action.map(Math.fround),
        draws: env.stepDraws > 0 ? [((i + 1) * 0.37) % 1] : [],
      }));
    const [expected, got] = [await cpu.probe(env, inputs), await other.probe(env, inputs)];
    expected.forEach((want, i) => {
      const have = [...got[i]!.state, ...got[i]!.obs, got[i]!.reward];
      [...want.state, ...want.obs, want.reward].forEach((value, j) => {
        const error = Math.abs(value - have[j]!) / largest(want.state);
        expect(error, `step ${i}, entry ${j}`).toBeLessThanOrEqual(env.parity.singleStep);
      });
      expect(got[i]!.terminated, `step ${i}`).toBe(want.terminated);
    });
  });
});

describe('max_episode_steps', () => {
  const longer = 1203;
  /** environments in which an episode may last that long, with a policy that lets it */
  const steady = ['MountainCar-v0', 'Pendulum-v1', 'CliffWalking-v1', 'maze-sample-3x3-v0'].map((id) => ({ id }));

  it.each(steady)('of $id is where episodes are truncated, before and after the registered limit', async ({ id }) => {
    for (const limit of [37, longer]) {
      const env = findEnv(id, { max_episode_steps: limit });
      const kind = policyKinds.find((k) => k.accepts(env) === null)!.id;
      const policy = buildPolicy(kind, env);
      const candidates = [new Float64Array(policy.paramCount)];
      const job = { env, policy, candidates, episodes: 2, seed: 3, maxSteps: null };
      for (const backend of [cpu, ...others].filter((b) => b.supports(env, policy) === null)) {
        const { lengths, ends } = await backend.play(job);
        expect(Array.from(lengths), backend.id).toEqual([limit, limit]);
        expect(ends, backend.id).toEqual((await cpu.play(job)).ends);
      }
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
