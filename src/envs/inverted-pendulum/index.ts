import { unbounded } from '../env.ts';
import { envWithOptions, inProportion, resetNoiseRule, stepLimitRule, withValues } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const state = [
  { name: 'x', meaning: 'cart position on the rail', unit: 'm', ...unbounded },
  { name: 'theta', meaning: 'pole angle, 0 upright, positive towards +x', unit: 'rad', ...unbounded },
  { name: 'x_dot', meaning: 'cart velocity', unit: 'm/s', ...unbounded },
  { name: 'theta_dot', meaning: 'pole angular velocity', unit: 'rad/s', ...unbounded },
] as const;

const registeredLimit = 1000;

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
  reset_noise_scale: resetNoiseRule(constants.resetHigh.value),
};

export const invertedPendulum = envWithOptions(
  'InvertedPendulum-v5',
  rules,
  ({ max_episode_steps: limit, reset_noise_scale: noise }) => {
    return {
      folder: 'inverted-pendulum',
      groundTruth: 'Gymnasium InvertedPendulum-v5 (1.0 to 1.4) with MuJoCo 3.14',
      state,
      observation: { kind: 'vector', rows: state },
      action: {
        kind: 'box',
        rows: [
          { name: 'push', meaning: 'push on the cart, positive towards +x', unit: 'of the gear', low: -3, high: 3 },
        ],
      },
      constants: withValues(constants, { resetLow: 0 - noise, resetHigh: noise }),
      derive,
      exact: ['resetLow', 'resetHigh'],
      libraries: ['joint-limit'],
      timeLimit: limit,
      success: {
        threshold: inProportion(950, limit, registeredLimit),
        source: 'reward_threshold of the Gymnasium registration',
      },
      returnRange: [0, limit],
      parity: {
        singleStep: 2.6e-5,
        reason:
          'the same formulas in IEEE f32 err by 2.6e-6 on the recorded steps, most in a stop, where a gap of 1e-7 m is a force; ten times that leaves room for fused operations',
      },
      picture,
      stepCost: { cpu: 220, wasm: 53, compile: 190 },
      dynamics,
    };
  },
);
