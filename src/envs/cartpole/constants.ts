/** The numbers of CartPole, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';

const source = 'gymnasium/envs/classic_control/cartpole.py, 1.0 to 1.4';

export const constants = {
  gravity: { value: 9.8, unit: 'm/s^2', source, allowed: 'any' },
  cartMass: { value: 1.0, unit: 'kg', source, allowed: 'positive' },
  poleMass: { value: 0.1, unit: 'kg', source, allowed: 'positive' },
  halfLength: { value: 0.5, unit: 'm', source, allowed: 'positive' },
  force: { value: 10.0, unit: 'N', source },
  timeStep: { value: 0.02, unit: 's', source, allowed: 'positive' },
  positionLimit: { value: 2.4, unit: 'm', source },
  angleLimitDegrees: { value: 12, unit: 'deg', source },
  stepReward: { value: 1, unit: 'per step', source, allowed: 'any' },
  // Unlike the step's only with the option sutton_barto_reward.
  fallReward: { value: 1, unit: 'for the step that ends the episode', source, allowed: 'any' },
  resetLow: { value: -0.05, unit: 'per entry', source },
  resetHigh: { value: 0.05, unit: 'per entry', source, allowed: 'any' },
} as const;

export const derive = (c: ConstantValues<typeof constants>) => {
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
};

export type CartPoleParams = ParamsOf<typeof constants, typeof derive>;
