/** Every environment of the registry, by the shared suite. */
import { describe } from 'vitest';
import { envs } from '../../src/envs/index.ts';
import { type GoldenTolerance, suiteForEnv } from '../suites/env.ts';

/**
 * Single steps are exact. Whole episodes are exact too but where the engine's `sin` or `cos` rounds the last bit
 * otherwise than the C library of the recording, which a balanced pole then grows (5e-14 seen on Node 20).
 */
const usual: GoldenTolerance = { singleStep: 0, episode: 1e-9 };

/** In a joint limit MuJoCo's solver stops at a tolerance of its own; docs/mujoco.md shows both sides of it. */
const mujoco: GoldenTolerance = { singleStep: 1e-6, episode: 1e-6 };

/** Environments that need more, with the reason. */
const others: Readonly<Record<string, GoldenTolerance>> = {
  // Sines and cosines that differ in the last bit, through the four evaluations of a step: 8.7e-15.
  'Acrobot-v1': { singleStep: 1e-13, episode: 1e-9, chaotic: { until: 0.1, slack: 0 } },
  'InvertedPendulum-v5': mujoco,
  'InvertedDoublePendulum-v5': mujoco,
  // The solver's tolerance, met at every touch of a stop, grows like the displacement of the start.
  'Swimmer-v5': { ...mujoco, chaotic: { until: 0.1, slack: 1 } },
  // Its own counter ends an episode long before the registered limit. It shows column and row; ours numbers the cells.
  'maze-sample-3x3-v0': { ...usual, timeLimit: 200, observed: ([column, row]) => [row! * 3 + column!] },
  // An f32 observation that rounds to the other side moves the torque by the weight times 6e-8: 2e-8 seen.
  'Pendulum-v1': { singleStep: 0, episode: 1e-6 },
};

describe.each(envs.map((env) => ({ env, id: env.id })))('$id', ({ env }) => {
  suiteForEnv(env, others[env.id] ?? usual);
});
