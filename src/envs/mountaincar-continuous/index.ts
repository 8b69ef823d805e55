import { defineEnv } from '../env.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

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
  derive,
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
});
