/** The numbers of MountainCarContinuous, with units and sources, and what follows from them. */
import type { ParamsOf } from '../env.ts';

const source = 'gymnasium/envs/classic_control/continuous_mountain_car.py, 1.0 to 1.4';

export const constants = {
  power: { value: 0.0015, unit: 'length/step^2', source },
  gravity: { value: 0.0025, unit: 'length/step^2', source, allowed: 'any' },
  hillFrequency: { value: 3, unit: 'rad/length', source },
  maxSpeed: { value: 0.07, unit: 'length/step', source },
  maxAction: { value: 1, unit: 'of full power', source, allowed: 'fixed' },
  minPosition: { value: -1.2, unit: 'length', source },
  maxPosition: { value: 0.6, unit: 'length', source, allowed: 'any' },
  goalPosition: { value: 0.45, unit: 'length', source, allowed: 'any' },
  goalSpeed: { value: 0, unit: 'length/step', source, allowed: 'any' },
  goalReward: { value: 100, unit: 'reward', source, allowed: 'any' },
  actionCost: { value: 0.1, unit: 'reward', source, allowed: 'any' },
  resetLow: { value: -0.6, unit: 'length', source },
  resetHigh: { value: -0.4, unit: 'length', source },
} as const;

export const derive = () => ({});

export type MountainCarContinuousParams = ParamsOf<typeof constants, typeof derive>;
