/** The numbers of Acrobot, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';

const source = 'gymnasium/envs/classic_control/acrobot.py, 1.0 to 1.4';

export const constants = {
  linkLength1: { value: 1, unit: 'm', source, allowed: 'positive' },
  linkLength2: { value: 1, unit: 'm', source: `${source}, in its end condition`, allowed: 'positive' },
  linkMass1: { value: 1, unit: 'kg', source, allowed: 'positive' },
  linkMass2: { value: 1, unit: 'kg', source, allowed: 'positive' },
  linkCentre1: { value: 0.5, unit: 'm', source },
  linkCentre2: { value: 0.5, unit: 'm', source },
  linkInertia: { value: 1, unit: 'kg m^2', source },
  gravity: { value: 9.8, unit: 'm/s^2', source, allowed: 'any' },
  torque: { value: 1, unit: 'N m', source },
  timeStep: { value: 0.2, unit: 's', source, allowed: 'positive' },
  maxSpeed1: { value: 4 * Math.PI, unit: 'rad/s', source },
  maxSpeed2: { value: 9 * Math.PI, unit: 'rad/s', source },
  goalHeight: { value: 1, unit: 'm', source, allowed: 'any' },
  resetLow: { value: -0.1, unit: 'per entry', source },
  resetHigh: { value: 0.1, unit: 'per entry', source, allowed: 'any' },
} as const;

export const derive = (c: ConstantValues<typeof constants>) => {
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
};

export type AcrobotParams = ParamsOf<typeof constants, typeof derive>;
