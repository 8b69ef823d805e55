import { defineEnv } from '../env.ts';
import { capsule, inverseDiagonal, limitConstants, limitGains } from '../mujoco.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const model = 'gymnasium/envs/mujoco/assets/inverted_pendulum.xml, 1.0 to 1.4';
const task = 'gymnasium/envs/mujoco/inverted_pendulum_v5.py, 1.0 to 1.4';
const mujoco = 'MuJoCo 3.14 default';

const state = [
  { name: 'x', meaning: 'cart position on the rail', unit: 'm', low: -Infinity, high: Infinity },
  {
    name: 'theta',
    meaning: 'pole angle, 0 upright, positive towards +x',
    unit: 'rad',
    low: -Infinity,
    high: Infinity,
  },
  { name: 'x_dot', meaning: 'cart velocity', unit: 'm/s', low: -Infinity, high: Infinity },
  { name: 'theta_dot', meaning: 'pole angular velocity', unit: 'rad/s', low: -Infinity, high: Infinity },
] as const;

export const invertedPendulum = defineEnv({
  id: 'InvertedPendulum-v5',
  folder: 'inverted-pendulum',
  groundTruth: 'Gymnasium InvertedPendulum-v5 (1.0 to 1.4) with MuJoCo 3.14',
  state,
  observation: { kind: 'vector', rows: state },
  action: {
    kind: 'box',
    rows: [{ name: 'push', meaning: 'push on the cart, positive towards +x', unit: 'of the gear', low: -3, high: 3 }],
  },
  constants: {
    gravity: { value: 9.81, unit: 'm/s^2', source: mujoco },
    density: { value: 1000, unit: 'kg/m^3', source: mujoco },
    cartRadius: { value: 0.1, unit: 'm', source: model },
    cartHalfLength: { value: 0.1, unit: 'm', source: model },
    poleRadius: { value: 0.049, unit: 'm', source: model },
    // The pole's upper end is not straight above the hinge.
    poleEndX: { value: 0.001, unit: 'm', source: model },
    poleEndZ: { value: 0.6, unit: 'm', source: model },
    gear: { value: 100, unit: 'N', source: model },
    controlLimit: { value: 3, unit: '1', source: model },
    damping: { value: 1, unit: 'N s/m or N m s', source: model },
    railLimit: { value: 1, unit: 'm', source: model },
    hingeLimitDegrees: { value: 90, unit: 'deg', source: model },
    limitMargin: { value: 0, unit: 'm or rad', source: mujoco },
    ...limitConstants,
    timeStep: { value: 0.02, unit: 's', source: model },
    substeps: { value: 2, unit: 'time steps per step', source: task },
    angleLimit: { value: 0.2, unit: 'rad', source: task },
    resetLow: { value: -0.01, unit: 'per entry', source: task },
    resetHigh: { value: 0.01, unit: 'per entry', source: task },
  },
  derive: (c) => {
    const cart = capsule(c.density, c.cartRadius, c.cartHalfLength);
    const centreX = c.poleEndX / 2;
    const centreZ = c.poleEndZ / 2;
    const pole = capsule(c.density, c.poleRadius, Math.hypot(centreX, centreZ));
    const totalMass = cart.mass + pole.mass;
    const poleMomentX = pole.mass * centreX;
    const poleMomentZ = pole.mass * centreZ;
    const hingeInertia = pole.transverseInertia + pole.mass * (centreX * centreX + centreZ * centreZ);
    const weights = inverseDiagonal(totalMass, poleMomentZ, hingeInertia);
    return {
      cartMass: cart.mass,
      poleMass: pole.mass,
      totalMass,
      poleMomentX,
      poleMomentZ,
      /** about the hinge */
      hingeInertia,
      hingeLimit: (c.hingeLimitDegrees * Math.PI) / 180,
      railInverseWeight: weights.first,
      hingeInverseWeight: weights.second,
      ...limitGains(c),
      stepTime: c.timeStep * c.substeps,
      greatestPush: c.gear * c.controlLimit,
      /** where the pole's centre is straight above the hinge */
      balanceAngle: -Math.atan2(centreX, centreZ),
    };
  },
  exact: ['resetLow', 'resetHigh'],
  libraries: ['joint-limit'],
  timeLimit: 1000,
  success: { threshold: 950, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [0, 1000],
  parity: {
    singleStep: 2.6e-5,
    reason:
      'the same formulas in IEEE f32 err by 2.6e-6 on the recorded steps, most in a stop, where a gap of 1e-7 m is a force; ten times that leaves room for fused operations',
  },
  picture,
  dynamics,
});
