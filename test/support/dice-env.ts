/**
 * A small environment whose step draws random numbers, reads a table, and remembers what the last step did. All numbers
 * are exact in f32, so that both backends must agree to the last bit.
 */

import { UsageError } from '../../src/base/errors.ts';
import { readAsset } from '../../src/base/node/assets.ts';
import { defineEnv, type Env, type EnvOptions } from '../../src/envs/env.ts';

const sum = { name: 'sum', meaning: 'sum so far', unit: '1', low: 0, high: 1000 } as const;
const last = { name: 'last', meaning: 'what the last step added', unit: '1', low: 0, high: 100 } as const;

/** `bonus` is added to every face of the dice. */
export function diceEnv(options: EnvOptions = {}): Env {
  const { bonus = 0, ...unknown } = options;
  if (Object.keys(unknown).length > 0 || typeof bonus !== 'number') {
    throw new UsageError('Dice-v0', `expected only the option "bonus", a number, got ${JSON.stringify(options)}`);
  }
  const faces = [3, 1, 4, 1, 5].map((face) => face + bonus);
  return defineEnv({
    id: 'Dice-v0',
    folder: 'dice',
    groundTruth: 'this file',
    state: [sum],
    memory: [last],
    observation: { kind: 'vector', rows: [sum, last] },
    action: { kind: 'discrete', meanings: ['throw once', 'throw and halve'] },
    constants: { half: { value: 0.5, unit: '1', source: 'made up' } },
    derive: () => ({}),
    exact: [],
    table: faces,
    stepDraws: 2,
    options: { bonus },
    withOptions: diceEnv,
    timeLimit: 14,
    success: { threshold: 10, source: 'made up' },
    returnRange: [0, 10_000],
    parity: { singleStep: 1e-7, reason: 'all numbers are exact in f32' },
    dynamics: {
      reset(_p, rng, s) {
        s[0] = rng.integers(0, 3);
        s[1] = 0;
      },
      observe(_p, s, obs) {
        obs[0] = s[0]!;
        obs[1] = s[1]!;
      },
      step(p, s, action, rng, out) {
        const face = faces[rng.integers(0, faces.length)]!;
        const added = action[0] === 1 ? p.half * face : face;
        // The second draw is taken only by high faces, and shows that what is pending is kept.
        s[1] = face > 3 ? added + Math.floor(rng.random() * 4) / 4 : added;
        s[0]! += s[1]!;
        out.reward = s[1]!;
        out.terminated = s[0]! > 40;
      },
    },
  });
}

const wgsl = `
fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(f32(rng_integers(rng, 3u)), 0.0);
}
fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.sum, s.last);
}
fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  var faces = ENV_TABLE;
  let face = f32(faces[rng_integers(rng, 5u)]);
  var added = select(face, p.half * face, action == 1u);
  if (face > 3.0) {
    added += floor(rng_random_f32(rng) * 4.0) / 4.0;
  }
  let total = s.sum + added;
  return Transition(EnvState(total, added), added, total > 40.0);
}
`;

/** The shipped shaders and the dice's own. */
export function readDiceShader(path: string): string {
  return path === 'shaders/envs/dice.wgsl' ? wgsl : readAsset(path);
}
