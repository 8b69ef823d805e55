import { defineEnv } from '../env.ts';
import { dynamics } from './dynamics.ts';
import { gpujs } from './gpujs.ts';
import { picture } from './picture.ts';

const source = 'gymnasium/envs/classic_control/pendulum.py, 1.0 to 1.4';

const constants = {
  gravity: { value: 10, unit: 'm/s^2', source },
  mass: { value: 1, unit: 'kg', source },
  length: { value: 1, unit: 'm', source },
  timeStep: { value: 0.05, unit: 's', source },
  maxSpeed: { value: 8, unit: 'rad/s', source },
  maxTorque: { value: 2, unit: 'N m', source },
  speedCost: { value: 0.1, unit: 'per (rad/s)^2', source },
  torqueCost: { value: 0.001, unit: 'per (N m)^2', source },
  resetAngleLow: { value: -Math.PI, unit: 'rad', source },
  resetAngleHigh: { value: Math.PI, unit: 'rad', source },
  resetSpeedLow: { value: -1, unit: 'rad/s', source },
  resetSpeedHigh: { value: 1, unit: 'rad/s', source },
} as const;

const { maxSpeed, maxTorque, speedCost, torqueCost } = constants;
const timeLimit = 200;
const highestCost = Math.PI ** 2 + speedCost.value * maxSpeed.value ** 2 + torqueCost.value * maxTorque.value ** 2;
const thetaDot = {
  name: 'theta_dot',
  meaning: 'angular velocity of the pendulum',
  unit: 'rad/s',
  low: -maxSpeed.value,
  high: maxSpeed.value,
} as const;

export const pendulum = defineEnv({
  id: 'Pendulum-v1',
  folder: 'pendulum',
  groundTruth: 'Gymnasium Pendulum-v1 (1.0 to 1.4)',
  state: [
    { name: 'theta', meaning: 'angle, 0 upright, full turns counted', unit: 'rad', low: -Infinity, high: Infinity },
    thetaDot,
  ],
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
    rows: [
      {
        name: 'torque',
        meaning: 'torque of the motor, positive towards larger angles',
        unit: 'N m',
        low: -maxTorque.value,
        high: maxTorque.value,
      },
    ],
  },
  constants,
  derive: (c) => ({
    gravityGain: (3 * c.gravity) / (2 * c.length),
    torqueGain: 3 / (c.mass * c.length ** 2),
  }),
  exact: ['resetAngleLow', 'resetAngleHigh', 'resetSpeedLow', 'resetSpeedHigh'],
  timeLimit,
  success: {
    threshold: -200,
    source: 'ours, the Gymnasium registration has none: about one swing up and then standing',
  },
  returnRange: [-timeLimit * highestCost, 0],
  parity: {
    singleStep: 6e-6,
    reason: 'the cost, up to 16, errs by 5.5e-7 of the largest state entry on the recorded steps; ten times that',
  },
  picture,
  dynamics,
  gpujs,
});
