import { defineEnv } from '../env.ts';
import { capsule, limitConstants, limitGains } from '../mujoco.ts';
import { dynamics, jointInverseWeights, linkInertias } from './dynamics.ts';
import { picture } from './picture.ts';

const model = 'gymnasium/envs/mujoco/assets/swimmer.xml, 1.0 to 1.4';
const task = 'gymnasium/envs/mujoco/swimmer_v5.py, 1.0 to 1.4';
const mujoco = 'MuJoCo 3.14 default';

const open = { low: -Infinity, high: Infinity } as const;
const place = [
  { name: 'x', meaning: 'place of the swimmer, along the way that counts', unit: 'm', ...open },
  { name: 'y', meaning: 'place of the swimmer, across', unit: 'm', ...open },
] as const;
const moving = [
  { name: 'theta1', meaning: 'heading of the front link, 0 along +x, positive to the left', unit: 'rad', ...open },
  { name: 'theta2', meaning: 'angle of the first joint, 0 in line', unit: 'rad', ...open },
  { name: 'theta3', meaning: 'angle of the second joint, 0 in line', unit: 'rad', ...open },
  { name: 'x_dot', meaning: 'velocity along x', unit: 'm/s', ...open },
  { name: 'y_dot', meaning: 'velocity along y', unit: 'm/s', ...open },
  { name: 'theta1_dot', meaning: 'angular velocity of theta1', unit: 'rad/s', ...open },
  { name: 'theta2_dot', meaning: 'angular velocity of theta2', unit: 'rad/s', ...open },
  { name: 'theta3_dot', meaning: 'angular velocity of theta3', unit: 'rad/s', ...open },
] as const;

export const swimmer = defineEnv({
  id: 'Swimmer-v5',
  folder: 'swimmer',
  groundTruth: 'Gymnasium Swimmer-v5 (1.0 to 1.4) with MuJoCo 3.14',
  state: [...place, ...moving],
  observation: { kind: 'vector', rows: moving },
  action: {
    kind: 'box',
    rows: [
      { name: 'torque1', meaning: 'torque on the first joint', unit: 'of the gear', low: -1, high: 1 },
      { name: 'torque2', meaning: 'torque on the second joint', unit: 'of the gear', low: -1, high: 1 },
    ],
  },
  constants: {
    density: { value: 1000, unit: 'kg/m^3', source: mujoco },
    linkRadius: { value: 0.1, unit: 'm', source: model },
    linkLength: { value: 1, unit: 'm', source: model },
    // The front link lies ahead of the frame whose place is (x, y).
    torsoEnd: { value: 0.5, unit: 'm', source: model },
    gear: { value: 150, unit: 'N m', source: model },
    controlLimit: { value: 1, unit: '1', source: model },
    armature: { value: 0.1, unit: 'kg or kg m^2', source: model },
    fluidDensity: { value: 4000, unit: 'kg/m^3', source: model },
    fluidViscosity: { value: 0.1, unit: 'Pa s', source: model },
    jointLimitDegrees: { value: 100, unit: 'deg', source: model },
    limitMargin: { value: 0, unit: 'rad', source: mujoco },
    ...limitConstants,
    timeStep: { value: 0.01, unit: 's', source: model },
    substeps: { value: 4, unit: 'time steps per step', source: task },
    controlCost: { value: 1e-4, unit: 'per action^2', source: task },
    resetLow: { value: -0.1, unit: 'per entry', source: task },
    resetHigh: { value: 0.1, unit: 'per entry', source: task },
  },
  derive: (c) => {
    const linkCentre = c.linkLength / 2;
    const link = capsule(c.density, c.linkRadius, linkCentre);
    const torsoCentre = c.torsoEnd + linkCentre;
    const inertias = linkInertias({ ...c, torsoCentre, linkCentre }, link.mass, link.transverseInertia);
    const weights = jointInverseWeights(inertias, c.armature);
    // The fluid sees each link as the box of equal mass and inertia, and for slow flow as the ball of its mean diameter.
    const width = Math.sqrt((6 * link.axialInertia) / link.mass);
    const length = Math.sqrt((6 * (2 * link.transverseInertia - link.axialInertia)) / link.mass);
    const diameter = (2 * width + length) / 3;
    return {
      linkMass: link.mass,
      linkInertia: link.transverseInertia,
      linkCentre,
      torsoCentre,
      ...inertias,
      jointLimit: (c.jointLimitDegrees * Math.PI) / 180,
      joint1InverseWeight: weights.first,
      joint2InverseWeight: weights.second,
      linearDrag: 3 * Math.PI * diameter * c.fluidViscosity,
      angularDrag: Math.PI * diameter ** 3 * c.fluidViscosity,
      axialDrag: (c.fluidDensity * width * width) / 2,
      lateralDrag: (c.fluidDensity * width * length) / 2,
      spinDrag: (c.fluidDensity * width * (width ** 4 + length ** 4)) / 64,
      ...limitGains(c),
      stepTime: c.timeStep * c.substeps,
    };
  },
  exact: ['resetLow', 'resetHigh'],
  libraries: ['joint-limit'],
  timeLimit: 1000,
  success: { threshold: 360, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [-Infinity, Infinity],
  parity: {
    singleStep: 5.5e-5,
    reason:
      'the same formulas in IEEE f32 err by 5.5e-6 on the recorded steps, most in a stop; ten times that leaves room for fused operations',
  },
  picture,
  dynamics,
});
