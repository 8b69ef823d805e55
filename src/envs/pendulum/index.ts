import { numberIn } from '../../base/option-rules.ts';
import { unbounded, within } from '../env.ts';
import { envWithOptions, option, reachable, stepLimitRule, withValues } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const { maxSpeed, maxTorque, speedCost, torqueCost } = constants;
const registeredLimit = 200;
const highestCost = Math.PI ** 2 + speedCost.value * maxSpeed.value ** 2 + torqueCost.value * maxTorque.value ** 2;
const speed = within(maxSpeed.value);
const thetaDot = { name: 'theta_dot', meaning: 'angular velocity of the pendulum', unit: 'rad/s', ...speed };
const torque = { name: 'torque', meaning: 'torque of the motor, positive towards larger angles', unit: 'N m' };

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
  g: option(numberIn(0, 1000, constants.gravity.value), 'gravity in m/s^2'),
};

export const pendulum = envWithOptions('Pendulum-v1', rules, ({ max_episode_steps: limit, g }) => {
  const returnRange = [-limit * highestCost, 0] as const;
  return {
    folder: 'pendulum',
    groundTruth: 'Gymnasium Pendulum-v1 (1.0 to 1.4)',
    state: [{ name: 'theta', meaning: 'angle, 0 upright, full turns counted', unit: 'rad', ...unbounded }, thetaDot],
    observation: {
      kind: 'vector',
      rows: [
        { name: 'cos_theta', meaning: 'cos of the angle: 1 upright, -1 hanging down', unit: '1', low: -1, high: 1 },
        { name: 'sin_theta', meaning: 'sin of the angle', unit: '1', low: -1, high: 1 },
        thetaDot,
      ],
    },
    action: {
      kind: 'box',
      rows: [{ ...torque, ...within(maxTorque.value) }],
    },
    constants: withValues(constants, { gravity: g }),
    derive,
    exact: ['resetAngleLow', 'resetAngleHigh', 'resetSpeedLow', 'resetSpeedHigh'],
    timeLimit: limit,
    success: {
      threshold: reachable(-200, returnRange, limit, registeredLimit),
      source: 'ours, the Gymnasium registration has none: about one swing up and then standing',
    },
    returnRange,
    parity: {
      // Gravity multiplies the error of the sine.
      singleStep: 6e-6 * Math.max(1, g / constants.gravity.value),
      reason: 'the cost, up to 16, errs by 5.5e-7 of the largest state entry on the recorded steps; ten times that',
    },
    picture,
    stepCost: { cpu: 59, wasm: 5.6, compile: 180 },
    dynamics,
  };
});
