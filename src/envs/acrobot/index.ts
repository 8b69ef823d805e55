import { type Row, within } from '../env.ts';
import { envWithOptions, reachable, stepLimitRule } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const angles = [
  { meaning: 'angle of the upper link, 0 hanging straight down', unit: 'rad', name: 'theta1' },
  { meaning: 'angle of the lower link against the upper one, 0 in line with it', unit: 'rad', name: 'theta2' },
] as const;
const [theta1, theta2] = angles;
const theta1Dot = { name: 'theta1_dot', meaning: 'angular velocity of theta1', unit: 'rad/s' } as const;
const theta2Dot = { name: 'theta2_dot', meaning: 'angular velocity of theta2', unit: 'rad/s' } as const;

/** One of the two numbers that an angle is observed as. */
function observedAngle(of: 'cos' | 'sin', angle: { readonly name: string; readonly meaning: string }): Row {
  const meaning = `${of} of ${angle.name}, the ${angle.meaning}`;
  return { name: `${of}_${angle.name}`, meaning, unit: '1', ...within(1) };
}

const registeredLimit = 500;

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
};

export const acrobot = envWithOptions('Acrobot-v1', rules, ({ max_episode_steps: limit }) => {
  const returnRange = [-limit, 0] as const;
  return {
    folder: 'acrobot',
    groundTruth: 'Gymnasium Acrobot-v1 (1.0 to 1.4)',
    state: [
      { ...theta1, ...within(Math.PI) },
      { ...theta2, ...within(Math.PI) },
      { ...theta1Dot, ...within(constants.maxSpeed1.value) },
      { ...theta2Dot, ...within(constants.maxSpeed2.value) },
    ],
    observation: {
      kind: 'vector',
      rows: [
        observedAngle('cos', theta1),
        observedAngle('sin', theta1),
        observedAngle('cos', theta2),
        observedAngle('sin', theta2),
        // Observations are f32, and so are the bounds of the declared space.
        { ...theta1Dot, ...within(Math.fround(constants.maxSpeed1.value)) },
        { ...theta2Dot, ...within(Math.fround(constants.maxSpeed2.value)) },
      ],
    },
    action: {
      kind: 'discrete',
      meanings: [
        'turn the elbow with negative torque (towards smaller theta2)',
        'apply no torque',
        'turn the elbow with positive torque (towards larger theta2)',
      ],
    },
    constants,
    derive,
    exact: ['resetLow', 'resetHigh'],
    timeLimit: limit,
    success: {
      threshold: reachable(-100, returnRange, limit, registeredLimit),
      source: 'reward_threshold of the Gymnasium registration',
    },
    returnRange,
    parity: {
      singleStep: 1.8e-4,
      reason:
        'f32 errs by 1.8e-5 on the recorded steps, since fast swings amplify rounding within the 0.2 s of a step; ten times that',
    },
    picture,
    stepCost: { cpu: 150, wasm: 18, compile: 200 },
    dynamics,
  };
});
