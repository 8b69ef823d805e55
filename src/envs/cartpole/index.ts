import { defineEnv } from '../env.ts';
import { dynamics } from './dynamics.ts';
import { gpujs } from './gpujs.ts';
import { picture } from './picture.ts';

const source = 'gymnasium/envs/classic_control/cartpole.py, 1.0 to 1.4';

const state = [
  { name: 'x', meaning: 'cart position', unit: 'm', low: -4.8, high: 4.8 },
  { name: 'x_dot', meaning: 'cart velocity', unit: 'm/s', low: -Infinity, high: Infinity },
  {
    name: 'theta',
    meaning: 'pole angle, 0 upright, positive towards +x',
    unit: 'rad',
    low: -0.41887903,
    high: 0.41887903,
  },
  { name: 'theta_dot', meaning: 'pole angular velocity', unit: 'rad/s', low: -Infinity, high: Infinity },
] as const;

export const cartpole = defineEnv({
  id: 'CartPole-v1',
  folder: 'cartpole',
  groundTruth: 'Gymnasium CartPole-v1 (1.0 to 1.4)',
  state,
  observation: { kind: 'vector', rows: state },
  action: { kind: 'discrete', meanings: ['push the cart to the left (-x)', 'push the cart to the right (+x)'] },
  constants: {
    gravity: { value: 9.8, unit: 'm/s^2', source },
    cartMass: { value: 1.0, unit: 'kg', source },
    poleMass: { value: 0.1, unit: 'kg', source },
    halfLength: { value: 0.5, unit: 'm', source },
    force: { value: 10.0, unit: 'N', source },
    timeStep: { value: 0.02, unit: 's', source },
    positionLimit: { value: 2.4, unit: 'm', source },
    angleLimitDegrees: { value: 12, unit: 'deg', source },
    resetLow: { value: -0.05, unit: 'per entry', source },
    resetHigh: { value: 0.05, unit: 'per entry', source },
  },
  derive: (c) => {
    const totalMass = c.cartMass + c.poleMass;
    const poleMassLength = c.poleMass * c.halfLength;
    return {
      totalMass,
      poleMassLength,
      angleLimit: (c.angleLimitDegrees * 2 * Math.PI) / 360,
      // The GPU's factors: the same equations with the division by the total mass done once, here.
      forcePerMass: c.force / totalMass,
      poleLengthShare: poleMassLength / totalMass,
      rodInertiaLength: (c.halfLength * 4) / 3,
    };
  },
  exact: ['resetLow', 'resetHigh'],
  timeLimit: 500,
  success: { threshold: 475, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [1, 500],
  parity: {
    singleStep: 1.2e-6,
    reason:
      'the same formulas in IEEE f32 err by 1.2e-7 on the recorded steps; ten times that leaves room for fused operations',
  },
  picture,
  dynamics,
  gpujs,
});
