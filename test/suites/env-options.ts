/** Environments with Gymnasium's options: their recorded episodes, and a backend that must start and step as the cpu does. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { EnvOptions } from '../../src/envs/env.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';

export interface OptionRecording {
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

export function readOptionRecordings(): readonly OptionRecording[] {
  const file = new URL('../golden/env-options.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { recordings: OptionRecording[] }).recordings;
}

/** What errors are relative to. */
export const scaleOf = (values: readonly number[]): number => Math.max(1, ...values.map(Math.abs));

/** Starts and recorded steps of `other` are those of `cpu`, rounded to f32. */
export async function expectSameSteps(recording: OptionRecording, cpu: Backend, other: Backend): Promise<void> {
  const env = findEnv(recording.env, recording.options);
  const starts = await other.resets(env, 5, 16);
  const wanted = await cpu.resets(env, 5, 16);
  expect(starts.map((state) => Array.from(state))).toEqual(wanted.map((state) => Array.from(state, Math.fround)));
  const inputs = recording.episodes
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
      const error = Math.abs(value - have[j]!) / scaleOf(want.state);
      expect(error, `step ${i}, entry ${j}`).toBeLessThanOrEqual(env.parity.singleStep);
    });
    expect(got[i]!.terminated, `step ${i}`).toBe(want.terminated);
  });
}

/** Episodes of a policy of zeros end where those of `cpu` do, with this step limit. */
export async function expectSameEnds(id: string, limit: number, cpu: Backend, other: Backend): Promise<void> {
  const env = findEnv(id, { max_episode_steps: limit });
  const kind = policyKinds.find((k) => k.accepts(env) === null)!.id;
  const policy = buildPolicy(kind, env);
  const allowed = policy.values.kind === 'choice' ? policy.values.values[0]! : 0;
  const candidates = [new Float64Array(policy.paramCount).fill(allowed)];
  const job = { env, policy, candidates, episodes: 2, seed: 3, maxSteps: null };
  const [wanted, got] = [await cpu.play(job), await other.play(job)];
  expect({ lengths: got.lengths, ends: got.ends }).toEqual({ lengths: wanted.lengths, ends: wanted.ends });
}
