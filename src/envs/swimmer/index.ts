import { defineEnv, unbounded } from '../env.ts';
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

export const swimmer = defineEnv({
  id: 'Swimmer-v5',
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
  constants,
  derive,
  exact: ['resetLow', 'resetHigh'],
  libraries: ['joint-limit'],
  timeLimit: 1000,
  success: { threshold: 360, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [-Infinity, Infinity],
  parity: {
    singleStep: 5.5e-5,
    reason:
      'the same formulas in IEEE f32 err by 5.5e-6 on the recorded steps, most in a stop; ten times that leaves room for fused operations',
  },
  picture,
  dynamics,
});
