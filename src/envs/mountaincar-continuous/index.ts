import { numberIn } from '../../base/option-rules.ts';
import { within } from '../env.ts';
import { position, velocity } from '../mountaincar/index.ts';
import { envWithOptions, option, stepLimitRule, withValues } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const { minPosition, maxPosition, maxSpeed, maxAction, goalReward, actionCost } = constants;
const registeredLimit = 999;

// State and observation are the same f32 numbers, and so are the bounds of the declared space.
const state = [
  { ...position, low: Math.fround(minPosition.value), high: Math.fround(maxPosition.value) },
  { ...velocity, ...within(Math.fround(maxSpeed.value)) },
];

const drive = {
  name: 'drive',
  meaning: 'share of full power, positive to the right (+position)',
  unit: 'of full power',
};

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
  goal_velocity: option(numberIn(0, constants.maxSpeed.value, 0), 'least velocity at the goal that ends the episode'),
};

export const mountaincarContinuous = envWithOptions(
  'MountainCarContinuous-v0',
  rules,
  ({ max_episode_steps: limit, goal_velocity: goalVelocity }) => {
    return {
      folder: 'mountaincar-continuous',
      groundTruth: 'Gymnasium MountainCarContinuous-v0 (1.0 to 1.4) with NumPy 2',
      state,
      observation: { kind: 'vector', rows: state },
      action: {
        kind: 'box',
        rows: [{ ...drive, ...within(maxAction.value) }],
      },
      constants: withValues(constants, { goalSpeed: goalVelocity }),
      derive,
      exact: ['resetLow', 'resetHigh'],
      timeLimit: limit,
      success: { threshold: 90, source: 'reward_threshold of the Gymnasium registration' },
      returnRange: [-limit * actionCost.value * maxAction.value ** 2, goalReward.value],
      parity: {
        singleStep: 1e-5,
        reason:
          'the reward of the goal step, near 100, is rounded to f32: 3.7e-6 on the recorded steps; states err by 1.2e-7',
      },
      picture,
      stepCost: { cpu: 26, wasm: 3.1, compile: 120 },
      dynamics,
    };
  },
);
