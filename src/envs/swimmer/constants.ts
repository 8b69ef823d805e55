/** The numbers of Swimmer, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';
import { capsule, inverseDiagonal, limitConstants, limitGains } from '../mujoco.ts';

const model = 'gymnasium/envs/mujoco/assets/swimmer.xml, 1.0 to 1.4';
const task = 'gymnasium/envs/mujoco/swimmer_v5.py, 1.0 to 1.4';
const mujoco = 'MuJoCo 3.14 default';

export const constants = {
  density: { value: 1000, unit: 'kg/m^3', source: mujoco, allowed: 'positive' },
  linkRadius: { value: 0.1, unit: 'm', source: model, allowed: 'positive' },
  linkLength: { value: 1, unit: 'm', source: model, allowed: 'positive' },
  // The front link lies ahead of the frame, whose position is (x, y).
  torsoEnd: { value: 0.5, unit: 'm', source: model, allowed: 'any' },
  gear: { value: 150, unit: 'N m', source: model },
  controlLimit: { value: 1, unit: '1', source: model, allowed: 'fixed' },
  armature: { value: 0.1, unit: 'kg or kg m^2', source: model },
  fluidDensity: { value: 4000, unit: 'kg/m^3', source: model },
  fluidViscosity: { value: 0.1, unit: 'Pa s', source: model },
  jointLimitDegrees: { value: 100, unit: 'deg', source: model },
  limitMargin: { value: 0, unit: 'rad', source: mujoco },
  ...limitConstants,
  timeStep: { value: 0.01, unit: 's', source: model, allowed: 'positive' },
  substeps: { value: 4, unit: 'time steps per step', source: task, allowed: 'whole' },
  forwardReward: { value: 1, unit: 'per m/s', source: task, allowed: 'any' },
  controlCost: { value: 1e-4, unit: 'per action^2', source: task, allowed: 'any' },
  resetLow: { value: -0.1, unit: 'per entry', source: task },
  resetHigh: { value: 0.1, unit: 'per entry', source: task, allowed: 'any' },
} as const;

/** What the links weigh in the equations of their headings, the position of the frame eliminated. kg, kg m, kg m^2. */
function linkInertias(
  c: {
    readonly torsoCentre: number;
    readonly torsoEnd: number;
    readonly linkLength: number;
    readonly linkCentre: number;
    readonly armature: number;
  },
  mass: number,
  transverseInertia: number,
) {
  const levers = [
    [c.torsoCentre, 0, 0],
    [c.torsoEnd, -c.linkCentre, 0],
    [c.torsoEnd, -c.linkLength, -c.linkCentre],
  ];
  const totalMass = 3 * mass + c.armature;
  const moment = (i: number): number => levers.reduce((sum, lever) => sum + mass * lever[i]!, 0);
  const coupling = (i: number, j: number): number =>
    levers.reduce((sum, lever) => sum + mass * lever[i]! * lever[j]!, 0) - (moment(i) * moment(j)) / totalMass;
  return {
    totalMass,
    moment1: moment(0),
    moment2: moment(1),
    moment3: moment(2),
    inertia11: coupling(0, 0) + transverseInertia,
    inertia22: coupling(1, 1) + transverseInertia,
    inertia33: coupling(2, 2) + transverseInertia,
    coupling12: coupling(0, 1),
    coupling13: coupling(0, 2),
    coupling23: coupling(1, 2),
  };
}

/** Accelerations of the two joints per torque on them, the swimmer straight: the inverse mass matrix at position 0. */
function jointInverseWeights(p: ReturnType<typeof linkInertias>, armature: number): ReturnType<typeof inverseDiagonal> {
  const c33 = p.inertia33 + armature;
  const c23 = p.coupling23 + p.inertia33;
  const c22 = p.inertia22 + 2 * p.coupling23 + p.inertia33 + armature;
  const c13 = p.coupling13 + c23;
  const c12 = p.coupling12 + p.coupling13 + p.inertia22 + 2 * p.coupling23 + p.inertia33;
  const c11 = p.inertia11 + p.coupling12 + p.coupling13 + c12 + armature;
  return inverseDiagonal(c22 - (c12 * c12) / c11, c23 - (c12 * c13) / c11, c33 - (c13 * c13) / c11);
}

export const derive = (c: ConstantValues<typeof constants>) => {
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
};

export type SwimmerParams = ParamsOf<typeof constants, typeof derive>;
