/** The numbers of InvertedPendulum, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';
import { capsule, inverseDiagonal, limitConstants, limitGains } from '../mujoco.ts';

const model = 'gymnasium/envs/mujoco/assets/inverted_pendulum.xml, 1.0 to 1.4';
const task = 'gymnasium/envs/mujoco/inverted_pendulum_v5.py, 1.0 to 1.4';
const mujoco = 'MuJoCo 3.14 default';

export const constants = {
  gravity: { value: 9.81, unit: 'm/s^2', source: mujoco, allowed: 'any' },
  density: { value: 1000, unit: 'kg/m^3', source: mujoco, allowed: 'positive' },
  cartRadius: { value: 0.1, unit: 'm', source: model, allowed: 'positive' },
  cartHalfLength: { value: 0.1, unit: 'm', source: model, allowed: 'positive' },
  poleRadius: { value: 0.049, unit: 'm', source: model, allowed: 'positive' },
  // The pole's upper end is not straight above the hinge.
  poleEndX: { value: 0.001, unit: 'm', source: model, allowed: 'any' },
  poleEndZ: { value: 0.6, unit: 'm', source: model, allowed: 'positive' },
  gear: { value: 100, unit: 'N', source: model },
  controlLimit: { value: 3, unit: '1', source: model, allowed: 'fixed' },
  damping: { value: 1, unit: 'N s/m or N m s', source: model },
  railLimit: { value: 1, unit: 'm', source: model },
  hingeLimitDegrees: { value: 90, unit: 'deg', source: model },
  limitMargin: { value: 0, unit: 'm or rad', source: mujoco },
  ...limitConstants,
  timeStep: { value: 0.02, unit: 's', source: model, allowed: 'positive' },
  substeps: { value: 2, unit: 'time steps per step', source: task, allowed: 'whole' },
  angleLimit: { value: 0.2, unit: 'rad', source: task },
  resetLow: { value: -0.01, unit: 'per entry', source: task },
  resetHigh: { value: 0.01, unit: 'per entry', source: task, allowed: 'any' },
} as const;

export const derive = (c: ConstantValues<typeof constants>) => {
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
};

export type InvertedPendulumParams = ParamsOf<typeof constants, typeof derive>;
