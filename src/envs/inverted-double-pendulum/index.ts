import { defineEnv, type Row } from '../env.ts';
import { capsule, limitConstants, limitGains } from '../mujoco.ts';
import { dynamics, railInverseWeight } from './dynamics.ts';
import { picture } from './picture.ts';

const model = 'gymnasium/envs/mujoco/assets/inverted_double_pendulum.xml, 1.0 to 1.4';
const task = 'gymnasium/envs/mujoco/inverted_double_pendulum_v5.py, 1.0 to 1.4';
const mujoco = 'MuJoCo 3.14 default';

const open = { low: -Infinity, high: Infinity } as const;
const cart = { name: 'x', meaning: 'cart position on the rail', unit: 'm', ...open } as const;
const cut = { low: -10, high: 10 } as const;
const velocities = [
  { name: 'x_dot', meaning: 'cart velocity', unit: 'm/s' },
  { name: 'theta1_dot', meaning: 'angular velocity of theta1', unit: 'rad/s' },
  { name: 'theta2_dot', meaning: 'angular velocity of theta2', unit: 'rad/s' },
] as const;

function circle(name: 'sin' | 'cos', angle: string, meaning: string): Row {
  return { name: `${name}_${angle}`, meaning: `${name} of ${meaning}`, unit: '1', low: -1, high: 1 };
}

const lower = 'the angle of the lower pole from upright, positive towards +x';
const upper = 'the angle of the upper pole against the lower one, 0 in line with it';

export const invertedDoublePendulum = defineEnv({
  id: 'InvertedDoublePendulum-v5',
  folder: 'inverted-double-pendulum',
  groundTruth: 'Gymnasium InvertedDoublePendulum-v5 (1.0 to 1.4) with MuJoCo 3.14',
  state: [
    cart,
    { name: 'theta1', meaning: lower, unit: 'rad', ...open },
    { name: 'theta2', meaning: upper, unit: 'rad', ...open },
    ...velocities.map((row) => ({ ...row, ...open })),
  ],
  // MuJoCo shows these as they were in the last stage of its last time step, a moment before the state.
  memory: [
    { name: 'tip_x', meaning: 'tip of the upper pole', unit: 'm', ...open },
    { name: 'tip_z', meaning: 'height of the tip above the hinge of the cart', unit: 'm', ...open },
    { name: 'rail_force', meaning: 'force of the stop of the rail on the cart', unit: 'N', ...open },
  ],
  observation: {
    kind: 'vector',
    rows: [
      cart,
      circle('sin', 'theta1', lower),
      circle('sin', 'theta2', upper),
      circle('cos', 'theta1', lower),
      circle('cos', 'theta2', upper),
      ...velocities.map((row) => ({ ...row, meaning: `${row.meaning}, cut at the bounds`, ...cut })),
      {
        name: 'rail_force',
        meaning: 'force of the stop of the rail on the cart, cut at the bounds; 0 away from the stops',
        unit: 'N',
        ...cut,
      },
    ],
  },
  action: {
    kind: 'box',
    rows: [{ name: 'push', meaning: 'push on the cart, positive towards +x', unit: 'of the gear', low: -1, high: 1 }],
  },
  constants: {
    gravity: { value: 9.81, unit: 'm/s^2', source: model },
    sideGravity: { value: 1e-5, unit: 'm/s^2', source: model },
    density: { value: 1000, unit: 'kg/m^3', source: mujoco },
    cartRadius: { value: 0.1, unit: 'm', source: model },
    cartHalfLength: { value: 0.1, unit: 'm', source: model },
    poleRadius: { value: 0.045, unit: 'm', source: model },
    poleLength: { value: 0.6, unit: 'm', source: model },
    gear: { value: 500, unit: 'N', source: model },
    controlLimit: { value: 1, unit: '1', source: model },
    damping: { value: 0.05, unit: 'N s/m or N m s', source: model },
    railLimit: { value: 1, unit: 'm', source: model },
    railMargin: { value: 0.01, unit: 'm', source: model },
    ...limitConstants,
    timeStep: { value: 0.01, unit: 's', source: model },
    substeps: { value: 5, unit: 'time steps per step', source: task },
    aliveReward: { value: 10, unit: 'per step', source: task },
    tipXCost: { value: 0.01, unit: 'per m^2', source: task },
    tipTarget: { value: 2, unit: 'm', source: task },
    rate1Cost: { value: 1e-3, unit: 'per (rad/s)^2', source: task },
    rate2Cost: { value: 5e-3, unit: 'per (rad/s)^2', source: task },
    lowestTip: { value: 1, unit: 'm', source: task },
    observedLimit: { value: 10, unit: 'm/s, rad/s or N', source: task },
    resetLow: { value: -0.1, unit: 'm or rad', source: task },
    resetHigh: { value: 0.1, unit: 'm or rad', source: task },
    resetSpread: { value: 0.1, unit: 'm/s or rad/s', source: task },
  },
  derive: (c) => {
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
  },
  exact: ['resetLow', 'resetHigh', 'resetSpread'],
  libraries: ['joint-limit'],
  normalDraws: true,
  timeLimit: 1000,
  success: { threshold: 9100, source: 'reward_threshold of the Gymnasium registration' },
  returnRange: [-Infinity, 9360.01],
  parity: {
    singleStep: 3.3e-5,
    reason:
      'the same formulas in IEEE f32 err by 3.3e-6 on the recorded steps; ten times that leaves room for fused operations',
  },
  picture,
  dynamics,
});
