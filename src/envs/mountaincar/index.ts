import { numberIn } from '../../base/option-rules.ts';
import { within } from '../env.ts';
import { envWithOptions, option, reachable, stepLimitRule, withValues } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

/** Rows of both mountain cars, without bounds. */
export const position = { name: 'position', meaning: 'place of the car along the track', unit: 'length' } as const;
export const velocity = {
  name: 'velocity',
  meaning: 'velocity of the car, positive to the right',
  unit: 'length/step',
} as const;
const { minPosition, maxPosition, maxSpeed } = constants;

const registeredLimit = 200;

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
  goal_velocity: option(numberIn(0, constants.maxSpeed.value, 0), 'least velocity at the goal that ends the episode'),
};

export const mountaincar = envWithOptions(
  'MountainCar-v0',
  rules,
  ({ max_episode_steps: limit, goal_velocity: goalVelocity }) => {
    const returnRange = [-limit, -1] as const;
    return {
      folder: 'mountaincar',
      groundTruth: 'Gymnasium MountainCar-v0 (1.0 to 1.4)',
      state: [
        { ...position, low: minPosition.value, high: maxPosition.value },
        { ...velocity, ...within(maxSpeed.value) },
      ],
      observation: {
        kind: 'vector',
        // Observations are f32, and so are the bounds of the declared space.
        rows: [
          { ...position, low: Math.fround(minPosition.value), high: Math.fround(maxPosition.value) },
          { ...velocity, ...within(Math.fround(maxSpeed.value)) },
        ],
      },
      action: {
        kind: 'discrete',
        meanings: ['drive to the left (-position)', 'do not drive', 'drive to the right (+position)'],
      },
      constants: withValues(constants, { goalSpeed: goalVelocity }),
      derive,
      exact: ['resetLow', 'resetHigh'],
      timeLimit: limit,
      success: {
        threshold: reachable(-110, returnRange, limit, registeredLimit),
        source: 'reward_threshold of the Gymnasium registration',
      },
      returnRange,
      parity: {
        singleStep: 1.2e-6,
        reason: 'the same formulas in IEEE f32 err by 1.1e-7 on the recorded steps; ten times that',
      },
      picture,
      stepCost: { cpu: 32, wasm: 3.7, compile: 130 },
      dynamics,
    };
  },
);
