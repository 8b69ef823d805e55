/** The numbers of Pendulum, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';

const source = 'gymnasium/envs/classic_control/pendulum.py, 1.0 to 1.4';

export const constants = {
  gravity: { value: 10, unit: 'm/s^2', source, allowed: 'any' },
  mass: { value: 1, unit: 'kg', source, allowed: 'positive' },
  length: { value: 1, unit: 'm', source, allowed: 'positive' },
  timeStep: { value: 0.05, unit: 's', source, allowed: 'positive' },
  maxSpeed: { value: 8, unit: 'rad/s', source },
  maxTorque: { value: 2, unit: 'N m', source, allowed: 'fixed' },
  speedCost: { value: 0.1, unit: 'per (rad/s)^2', source, allowed: 'any' },
  torqueCost: { value: 0.001, unit: 'per (N m)^2', source, allowed: 'any' },
  resetAngleLow: { value: -Math.PI, unit: 'rad', source },
  resetAngleHigh: { value: Math.PI, unit: 'rad', source, allowed: 'any' },
  resetSpeedLow: { value: -1, unit: 'rad/s', source },
  resetSpeedHigh: { value: 1, unit: 'rad/s', source, allowed: 'any' },
} as const;

export const derive = (c: ConstantValues<typeof constants>) => ({
  gravityGain: (3 * c.gravity) / (2 * c.length),
  torqueGain: 3 / (c.mass * c.length ** 2),
});

export type PendulumParams = ParamsOf<typeof constants, typeof derive>;
