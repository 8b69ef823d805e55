/** The numbers of DoublePendulum, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';
import { capsule, limitConstants, limitGains } from '../mujoco.ts';

const model = 'gymnasium/envs/mujoco/assets/inverted_double_pendulum.xml, 1.0 to 1.4';
const task = 'gymnasium/envs/mujoco/inverted_double_pendulum_v5.py, 1.0 to 1.4';
const mujoco = 'MuJoCo 3.14 default';

export const constants = {
  gravity: { value: 9.81, unit: 'm/s^2', source: model, allowed: 'any' },
  sideGravity: { value: 1e-5, unit: 'm/s^2', source: model, allowed: 'any' },
  density: { value: 1000, unit: 'kg/m^3', source: mujoco, allowed: 'positive' },
  cartRadius: { value: 0.1, unit: 'm', source: model, allowed: 'positive' },
  cartHalfLength: { value: 0.1, unit: 'm', source: model, allowed: 'positive' },
  poleRadius: { value: 0.045, unit: 'm', source: model, allowed: 'positive' },
  poleLength: { value: 0.6, unit: 'm', source: model, allowed: 'positive' },
  gear: { value: 500, unit: 'N', source: model },
  controlLimit: { value: 1, unit: '1', source: model, allowed: 'fixed' },
  damping: { value: 0.05, unit: 'N s/m or N m s', source: model },
  railLimit: { value: 1, unit: 'm', source: model },
  railMargin: { value: 0.01, unit: 'm', source: model },
  ...limitConstants,
  timeStep: { value: 0.01, unit: 's', source: model, allowed: 'positive' },
  substeps: { value: 5, unit: 'time steps per step', source: task, allowed: 'whole' },
  aliveReward: { value: 10, unit: 'per step', source: task, allowed: 'any' },
  tipXCost: { value: 0.01, unit: 'per m^2', source: task, allowed: 'any' },
  tipTarget: { value: 2, unit: 'm', source: task },
  rate1Cost: { value: 1e-3, unit: 'per (rad/s)^2', source: task, allowed: 'any' },
  rate2Cost: { value: 5e-3, unit: 'per (rad/s)^2', source: task, allowed: 'any' },
  lowestTip: { value: 1, unit: 'm', source: task, allowed: 'any' },
  observedLimit: { value: 10, unit: 'm/s, rad/s or N', source: task },
  resetLow: { value: -0.1, unit: 'm or rad', source: task },
  resetHigh: { value: 0.1, unit: 'm or rad', source: task, allowed: 'any' },
  resetSpread: { value: 0.1, unit: 'm/s or rad/s', source: task },
} as const;

/** Acceleration of the cart per force on it, both poles upright: the inverse mass matrix at position 0. */
function railInverseWeight(p: {
  readonly totalMass: number;
  readonly lowerMoment: number;
  readonly upperMoment: number;
  readonly coupling: number;
  readonly lowerInertia: number;
  readonly upperInertia: number;
}): number {
  const b1 = p.lowerMoment + p.upperMoment;
  const b2 = p.upperMoment;
  const c12 = p.coupling + p.upperInertia;
  const c11 = p.lowerInertia + 2 * p.coupling + p.upperInertia;
  const determinant = c11 * p.upperInertia - c12 * c12;
  const reduction = (b1 * b1 * p.upperInertia - 2 * b1 * b2 * c12 + b2 * b2 * c11) / determinant;
  return 1 / (p.totalMass - reduction);
}

export const derive = (c: ConstantValues<typeof constants>) => {
  const cartBody = capsule(c.density, c.cartRadius, c.cartHalfLength);
  const pole = capsule(c.density, c.poleRadius, c.poleLength / 2);
  const centre = c.poleLength / 2;
  const masses = {
    cartMass: cartBody.mass,
    poleMass: pole.mass,
    totalMass: cartBody.mass + 2 * pole.mass,
    /** mass times lever of the lower pole's turn, which carries the upper pole */
    lowerMoment: pole.mass * (centre + c.poleLength),
    upperMoment: pole.mass * centre,
    coupling: pole.mass * c.poleLength * centre,
    lowerInertia: pole.transverseInertia + pole.mass * (centre * centre + c.poleLength * c.poleLength),
    upperInertia: pole.transverseInertia + pole.mass * centre * centre,
  };
  return {
    ...masses,
    railInverseWeight: railInverseWeight(masses),
    ...limitGains(c),
    stepTime: c.timeStep * c.substeps,
    highestTip: 2 * c.poleLength,
    /** of a step that balances at rest */
    bestReward: c.aliveReward - (2 * c.poleLength - c.tipTarget) ** 2,
  };
};

export type DoublePendulumParams = ParamsOf<typeof constants, typeof derive>;
