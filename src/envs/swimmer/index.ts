import { numberIn } from '../../base/option-rules.ts';
import { unbounded } from '../env.ts';
import { envWithOptions, inProportion, option, resetNoiseRule, stepLimitRule, withValues } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const place = [
  { name: 'x', meaning: 'place of the swimmer, along the way that counts', unit: 'm', ...unbounded },
  { name: 'y', meaning: 'place of the swimmer, across', unit: 'm', ...unbounded },
] as const;
const moving = [
  { name: 'theta1', meaning: 'heading of the front link, 0 along +x, positive to the left', unit: 'rad', ...unbounded },
  { name: 'theta2', meaning: 'angle of the first joint, 0 in line', unit: 'rad', ...unbounded },
  { name: 'theta3', meaning: 'angle of the second joint, 0 in line', unit: 'rad', ...unbounded },
  { name: 'x_dot', meaning: 'velocity along x', unit: 'm/s', ...unbounded },
  { name: 'y_dot', meaning: 'velocity along y', unit: 'm/s', ...unbounded },
  { name: 'theta1_dot', meaning: 'angular velocity of theta1', unit: 'rad/s', ...unbounded },
  { name: 'theta2_dot', meaning: 'angular velocity of theta2', unit: 'rad/s', ...unbounded },
  { name: 'theta3_dot', meaning: 'angular velocity of theta3', unit: 'rad/s', ...unbounded },
] as const;

const registeredLimit = 1000;
const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
  reset_noise_scale: resetNoiseRule(constants.resetHigh.value),
  forward_reward_weight: option(numberIn(0, 100, 1), 'reward per m/s along x'),
  ctrl_cost_weight: option(numberIn(0, 100, constants.controlCost.value), 'cost of a step per squared action'),
};

export const swimmer = envWithOptions(
  'Swimmer-v5',
  rules,
  ({
    max_episode_steps: limit,
    reset_noise_scale: noise,
    forward_reward_weight: weight,
    ctrl_cost_weight: controlCost,
  }) => {
    return {
      folder: 'swimmer',
      groundTruth: 'Gymnasium Swimmer-v5 (1.0 to 1.4) with MuJoCo 3.14',
      state: [...place, ...moving],
      observation: { kind: 'vector', rows: moving },
      action: {
        kind: 'box',
        rows: [
          { name: 'torque1', meaning: 'torque on the first joint', unit: 'of the gear', low: -1, high: 1 },
          { name: 'torque2', meaning: 'torque on the second joint', unit: 'of the gear', low: -1, high: 1 },
        ],
      },
      constants: withValues(constants, { resetLow: 0 - noise, resetHigh: noise, forwardReward: weight, controlCost }),
      derive,
      exact: ['resetLow', 'resetHigh'],
      libraries: ['joint-limit'],
      timeLimit: limit,
      success: {
        threshold: inProportion(340 * weight, limit, registeredLimit),
        source: 'ours: the best linear policy known has 357; 12.5 % of its episodes reach the 360 of the registration',
      },
      returnRange: [-Infinity, Infinity],
      parity: {
        // The errors of the velocity and of the cost count in the reward with their weights.
        singleStep: 5.5e-5 * Math.max(1, weight, controlCost),
        reason:
          'the same formulas in IEEE f32 err by 5.5e-6 on the recorded steps, most in a stop; ten times that leaves room for fused operations',
      },
      picture,
      stepCost: { cpu: 1700, wasm: 320, compile: 290 },
      dynamics,
    };
  },
);
