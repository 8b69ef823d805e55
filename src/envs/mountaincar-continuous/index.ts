import { defineEnv } from '../env.ts';
import { dynamics } from './dynamics.ts';
import { gpujs } from './gpujs.ts';
import { picture } from './picture.ts';

const source = 'gymnasium/envs/classic_control/continuous_mountain_car.py, 1.0 to 1.4';

const constants = {
  power: { value: 0.0015, unit: 'length/step^2', source },
  gravity: { value: 0.0025, unit: 'length/step^2', source },
  hillFrequency: { value: 3, unit: 'rad/length', source },
  maxSpeed: { value: 0.07, unit: 'length/step', source },
  maxAction: { value: 1, unit: 'of full power', source },
  minPosition: { value: -1.2, unit: 'length', source },
  maxPosition: { value: 0.6, unit: 'length', source },
  goalPosition: { value: 0.45, unit: 'length', source },
  goalSpeed: { value: 0, unit: 'length/step', source },
  goalReward: { value: 100, unit: 'reward', source },
  actionCost: { value: 0.1, unit: 'reward', source },
  resetLow: { value: -0.6, unit: 'length', source },
  resetHigh: { value: -0.4, unit: 'length', source },
} as const;

const { minPosition, maxPosition, maxSpeed, maxAction, goalReward, actionCost } = constants;
const timeLimit = 999;

// State and observation are the same f32 numbers, and so are the bounds of the declared space.
const state = [
  {
    name: 'position',
    meaning: 'place of the car along the track',
    unit: 'length',
    low: Math.fround(minPosition.value),
    high: Math.fround(maxPosition.value),
  },
  {
    name: 'velocity',
    meaning: 'velocity of the car, positive to the right',
    unit: 'length/step',
    low: Math.fround(-maxSpeed.value),
    high: Math.fround(maxSpeed.value),
  },
] as const;

export const mountaincarContinuous = defineEnv({
  id: 'MountainCarContinuous-v0',
  folder: 'mountaincar-continuous',
  groundTruth: 'Gymnasium MountainCarContinuous-v0 (1.0 to 1.4) with NumPy 2',
  state,
  observation: { kind: 'vector', rows: state },
  action: {
    kind: 'box',
    rows: [
      {
        name: 'drive',
        meaning: 'share of full power, positive to the right (+position)',
        unit: 'of full power',
        low: -maxAction.value,
        high: maxAction.value,
      },
    ],
  },
  constants,
  derive: () => ({}),
  exact: ['resetLow', 'resetHigh'],
  timeLimit,
  success: { threshold: 90, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [-timeLimit * actionCost.value * maxAction.value ** 2, goalReward.value],
  parity: {
    singleStep: 1e-5,
    reason:
      'the reward of the goal step, near 100, is rounded to f32: 3.7e-6 on the recorded steps; states err by 1.2e-7',
  },
  picture,
  dynamics,
  gpujs,
});
