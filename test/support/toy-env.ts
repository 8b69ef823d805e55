/**
 * A small environment with a Box action and numbers that f32 holds exactly, so that both backends must agree to the
 * last bit. It ends when x reaches `goal`, else at its time limit of 12 steps.
 */
import { readAsset } from '../../src/base/node/assets.ts';
import { defineEnv } from '../../src/envs/env.ts';

const state = [
  { name: 'x', meaning: 'position', unit: 'm', low: -1000, high: 1000 },
  { name: 't', meaning: 'steps so far', unit: '1', low: 0, high: 12 },
] as const;

export const toyEnv = defineEnv({
  id: 'Toy-v0',
  folder: 'toy',
  groundTruth: 'this file',
  state,
  observation: { kind: 'vector', rows: state },
  action: {
    kind: 'box',
    rows: [
      { name: 'walk', meaning: 'walk', unit: 'm', low: -0.5, high: 2 },
      { name: 'run', meaning: 'run', unit: 'm', low: -1, high: 4 },
    ],
  },
  constants: {
    goal: { value: 40, unit: 'm', source: 'made up' },
    runFactor: { value: 2, unit: '1', source: 'made up' },
  },
  derive: () => ({}),
  exact: [],
  timeLimit: 12,
  success: { threshold: 10, source: 'made up' },
  returnRange: [-100, 1000],
  parity: { singleStep: 1e-7, reason: 'all numbers are exact in f32' },
  dynamics: {
    // A start that depends on the seed and is exact in f32: k/8 with k = 0 ... 7.
    reset(_p, rng, s) {
      s[0] = Math.floor(rng.random() * 8) / 8;
      s[1] = 0;
    },
    observe(_p, s, obs) {
      obs[0] = s[0]!;
      obs[1] = s[1]!;
    },
    step(p, s, action, _rng, out) {
      s[0]! += action[0]! + p.runFactor * action[1]!;
      s[1]! += 1;
      out.reward = s[0]! / 4;
      out.terminated = s[0]! >= p.goal;
    },
  },
});

const wgsl = `
fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(floor(rng_random_f32(rng) * 8.0) / 8.0, 0.0);
}
fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.x, s.t);
}
fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let x = s.x + action[0] + p.run_factor * action[1];
  return Transition(EnvState(x, s.t + 1.0), x / 4.0, x >= p.goal);
}
`;

/** The shipped shaders and the toy's own. */
export function readToyShader(path: string): string {
  return path === 'shaders/envs/toy.wgsl' ? wgsl : readAsset(path);
}
