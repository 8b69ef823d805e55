import { defineEnv, type Row } from '../env.ts';
import { dynamics } from './dynamics.ts';
import { gpujs } from './gpujs.ts';
import { picture } from './picture.ts';

const source = 'gymnasium/envs/classic_control/acrobot.py, 1.0 to 1.4';

const constants = {
  linkLength1: { value: 1, unit: 'm', source },
  linkLength2: { value: 1, unit: 'm', source: `${source}, in its end condition` },
  linkMass1: { value: 1, unit: 'kg', source },
  linkMass2: { value: 1, unit: 'kg', source },
  linkCentre1: { value: 0.5, unit: 'm', source },
  linkCentre2: { value: 0.5, unit: 'm', source },
  linkInertia: { value: 1, unit: 'kg m^2', source },
  gravity: { value: 9.8, unit: 'm/s^2', source },
  torque: { value: 1, unit: 'N m', source },
  timeStep: { value: 0.2, unit: 's', source },
  maxSpeed1: { value: 4 * Math.PI, unit: 'rad/s', source },
  maxSpeed2: { value: 9 * Math.PI, unit: 'rad/s', source },
  goalHeight: { value: 1, unit: 'm', source },
  resetLow: { value: -0.1, unit: 'per entry', source },
  resetHigh: { value: 0.1, unit: 'per entry', source },
} as const;

const angles = [
  { meaning: 'angle of the upper link, 0 hanging straight down', unit: 'rad', name: 'theta1' },
  { meaning: 'angle of the lower link against the upper one, 0 in line with it', unit: 'rad', name: 'theta2' },
] as const;
const [theta1, theta2] = angles;
const theta1Dot = { name: 'theta1_dot', meaning: 'angular velocity of theta1', unit: 'rad/s' } as const;
const theta2Dot = { name: 'theta2_dot', meaning: 'angular velocity of theta2', unit: 'rad/s' } as const;

/** One of the two numbers that an angle is observed as. */
function observedAngle(of: 'cos' | 'sin', angle: { readonly name: string; readonly meaning: string }): Row {
  return {
    name: `${of}_${angle.name}`,
    meaning: `${of} of ${angle.name}, the ${angle.meaning}`,
    unit: '1',
    low: -1,
    high: 1,
  };
}

export const acrobot = defineEnv({
  id: 'Acrobot-v1',
  folder: 'acrobot',
  groundTruth: 'Gymnasium Acrobot-v1 (1.0 to 1.4)',
  state: [
    { ...theta1, low: -Math.PI, high: Math.PI },
    { ...theta2, low: -Math.PI, high: Math.PI },
    { ...theta1Dot, low: -constants.maxSpeed1.value, high: constants.maxSpeed1.value },
    { ...theta2Dot, low: -constants.maxSpeed2.value, high: constants.maxSpeed2.value },
  ],
  observation: {
    kind: 'vector',
    rows: [
      observedAngle('cos', theta1),
      observedAngle('sin', theta1),
      observedAngle('cos', theta2),
      observedAngle('sin', theta2),
      // Observations are f32, and so are the bounds of the declared space.
      { ...theta1Dot, low: Math.fround(-constants.maxSpeed1.value), high: Math.fround(constants.maxSpeed1.value) },
      { ...theta2Dot, low: Math.fround(-constants.maxSpeed2.value), high: Math.fround(constants.maxSpeed2.value) },
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
  derive: (c) => {
    const upperInertia = c.linkMass1 * c.linkCentre1 ** 2;
    const centreSquared2 = c.linkCentre2 ** 2;
    const lengthProduct = c.linkLength1 * c.linkCentre2;
    const coupling = c.linkMass2 * lengthProduct;
    const lowerInertia = c.linkMass2 * centreSquared2 + c.linkInertia;
    const bentInertia = upperInertia + c.linkMass2 * (c.linkLength1 ** 2 + centreSquared2) + 2 * c.linkInertia;
    return {
      upperInertia,
      centreSquared2,
      lengthProduct,
      coupling,
      upperWeight: (c.linkMass1 * c.linkCentre1 + c.linkMass2 * c.linkLength1) * c.gravity,
      lowerWeight: c.linkMass2 * c.linkCentre2 * c.gravity,
      lowerInertia,
      // The GPU's factors: the inertia about the shoulder with the elbow at a right angle, and the part of the mass
      // matrix's determinant that does not depend on the elbow.
      bentInertia,
      determinant: lowerInertia * (bentInertia - lowerInertia),
    };
  },
  exact: ['resetLow', 'resetHigh'],
  timeLimit: 500,
  success: { threshold: -100, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [-500, 0],
  parity: {
    singleStep: 1.8e-4,
    reason:
      'f32 errs by 1.8e-5 on the recorded steps, since fast swings amplify rounding within the 0.2 s of a step; ten times that',
  },
  picture,
  dynamics,
  gpujs,
});
