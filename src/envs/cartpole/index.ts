import { defineEnv, unbounded, within } from '../env.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const state = [
  { name: 'x', meaning: 'cart position', unit: 'm', ...within(4.8) },
  { name: 'x_dot', meaning: 'cart velocity', unit: 'm/s', ...unbounded },
  { name: 'theta', meaning: 'pole angle, 0 upright, positive towards +x', unit: 'rad', ...within(0.41887903) },
  { name: 'theta_dot', meaning: 'pole angular velocity', unit: 'rad/s', ...unbounded },
] as const;

export const cartpole = defineEnv({
  id: 'CartPole-v1',
  folder: 'cartpole',
  groundTruth: 'Gymnasium CartPole-v1 (1.0 to 1.4)',
  state,
  observation: { kind: 'vector', rows: state },
  action: { kind: 'discrete', meanings: ['push the cart to the left (-x)', 'push the cart to the right (+x)'] },
  constants,
  derive,
  exact: ['resetLow', 'resetHigh'],
  timeLimit: 500,
  success: { threshold: 475, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [1, 500],
  parity: {
    singleStep: 1.2e-6,
    reason:
      'the same formulas in IEEE f32 err by 1.2e-7 on the recorded steps; ten times that leaves room for fused operations',
  },
  picture,
  dynamics,
});
