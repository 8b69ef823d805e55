import { defineEnv } from '../env.ts';
import { dynamics } from './dynamics.ts';
import { gpujs } from './gpujs.ts';
import { picture } from './picture.ts';

const source = 'gymnasium/envs/classic_control/mountain_car.py, 1.0 to 1.4';

const constants = {
  force: { value: 0.001, unit: 'length/step^2', source },
  gravity: { value: 0.0025, unit: 'length/step^2', source },
  hillFrequency: { value: 3, unit: 'rad/length', source },
  maxSpeed: { value: 0.07, unit: 'length/step', source },
  minPosition: { value: -1.2, unit: 'length', source },
  maxPosition: { value: 0.6, unit: 'length', source },
  goalPosition: { value: 0.5, unit: 'length', source },
  goalSpeed: { value: 0, unit: 'length/step', source },
  resetLow: { value: -0.6, unit: 'length', source },
  resetHigh: { value: -0.4, unit: 'length', source },
} as const;

const position = { name: 'position', meaning: 'place of the car along the track', unit: 'length' } as const;
const velocity = {
  name: 'velocity',
  meaning: 'velocity of the car, positive to the right',
  unit: 'length/step',
} as const;
const { minPosition, maxPosition, maxSpeed } = constants;

export const mountaincar = defineEnv({
  id: 'MountainCar-v0',
  folder: 'mountaincar',
  groundTruth: 'Gymnasium MountainCar-v0 (1.0 to 1.4)',
  state: [
    { ...position, low: minPosition.value, high: maxPosition.value },
    { ...velocity, low: -maxSpeed.value, high: maxSpeed.value },
  ],
  observation: {
    kind: 'vector',
    // Observations are f32, and so are the bounds of the declared space.
    rows: [
      { ...position, low: Math.fround(minPosition.value), high: Math.fround(maxPosition.value) },
      { ...velocity, low: Math.fround(-maxSpeed.value), high: Math.fround(maxSpeed.value) },
    ],
  },
  action: {
    kind: 'discrete',
    meanings: ['drive to the left (-position)', 'do not drive', 'drive to the right (+position)'],
  },
  constants,
  derive: () => ({}),
  exact: ['resetLow', 'resetHigh'],
  timeLimit: 200,
  success: { threshold: -110, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [-200, -1],
  parity: {
    singleStep: 1.2e-6,
    reason: 'the same formulas in IEEE f32 err by 1.1e-7 on the recorded steps; ten times that',
  },
  picture,
  dynamics,
  gpujs,
});
