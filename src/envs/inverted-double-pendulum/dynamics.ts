/**
 * Two poles, one on top of the other, hinged to a cart on a rail, in float64, in closed form. MuJoCo integrates it with
 * five Runge-Kutta steps per step.
 * Source: gymnasium/envs/mujoco/inverted_double_pendulum_v5.py and assets/inverted_double_pendulum.xml, MuJoCo 3.14.
 */
import type { Dynamics } from '../env.ts';
import { fillLimitRow, limitForce, limitRow, rungeKutta } from '../mujoco.ts';
import type { DoublePendulumParams } from './constants.ts';

const rail = limitRow();
/** of the latest stage */
let railForce = 0;

const integrator = rungeKutta<DoublePendulumParams>(3, (p, stage, control, acceleration) => {
  const theta1 = stage[1]!;
  const theta2 = stage[2]!;
  const xDot = stage[3]!;
  const rate1 = stage[4]!;
  const rate2 = stage[5]!;
  const sin1 = Math.sin(theta1);
  const cos1 = Math.cos(theta1);
  const sin2 = Math.sin(theta1 + theta2);
  const cos2 = Math.cos(theta1 + theta2);
  const turning1 = rate1 * rate1;
  const turning2 = (rate1 + rate2) * (rate1 + rate2);
  // Mass matrix: the cart's row and column (total, b1, b2), and the poles' block.
  const b2 = p.upperMoment * cos2;
  const b1 = p.lowerMoment * cos1 + b2;
  const coupling = p.coupling * Math.cos(theta2);
  const c12 = coupling + p.upperInertia;
  const c11 = p.lowerInertia + coupling + c12;
  const c22 = p.upperInertia;
  const swing = p.coupling * Math.sin(theta2);
  const push = p.gear * Math.min(Math.max(control[0]!, -p.controlLimit), p.controlLimit);
  const cartDrive =
    push +
    p.lowerMoment * sin1 * turning1 +
    p.upperMoment * sin2 * turning2 +
    p.totalMass * p.sideGravity -
    p.damping * xDot;
  const lower = swing * turning2 + p.lowerMoment * (p.sideGravity * cos1 + p.gravity * sin1);
  const upper = -swing * turning1 + p.upperMoment * (p.sideGravity * cos2 + p.gravity * sin2);
  const drive1 = lower + upper - p.damping * rate1;
  const drive2 = upper - p.damping * rate2;
  // The poles eliminated: what is left is a cart of another mass.
  const determinant = c11 * c22 - c12 * c12;
  const free1 = (c22 * drive1 - c12 * drive2) / determinant;
  const free2 = (c11 * drive2 - c12 * drive1) / determinant;
  const yield1 = (c22 * b1 - c12 * b2) / determinant;
  const yield2 = (c11 * b2 - c12 * b1) / determinant;
  const mass = p.totalMass - b1 * yield1 - b2 * yield2;
  const drive = cartDrive - b1 * free1 - b2 * free2;
  fillLimitRow(rail, p, stage[0]!, xDot, -p.railLimit, p.railLimit, p.railMargin, p.railInverseWeight);
  railForce = limitForce(rail, mass, drive);
  const cart = (drive + railForce) / mass;
  acceleration[0] = cart;
  acceleration[1] = free1 - yield1 * cart;
  acceleration[2] = free2 - yield2 * cart;
});

/** Keeps what MuJoCo has computed from these positions: tip_x, tip_z, rail_force. */
function remember(p: DoublePendulumParams, positions: Float64Array, state: Float64Array): void {
  const upper = positions[1]! + positions[2]!;
  state[6] = positions[0]! + p.poleLength * (Math.sin(positions[1]!) + Math.sin(upper));
  state[7] = p.poleLength * (Math.cos(positions[1]!) + Math.cos(upper));
  state[8] = railForce;
}

const clip = (value: number, limit: number): number => Math.min(Math.max(value, -limit), limit);

/** state: x [m], theta1, theta2 [rad], x_dot [m/s], theta1_dot, theta2_dot [rad/s]; memory: tip_x, tip_z [m], rail_force [N] */
export const dynamics: Dynamics<DoublePendulumParams> = {
  reset(p, rng, state) {
    for (let i = 0; i < 3; i++) state[i] = rng.uniform(p.resetLow, p.resetHigh);
    for (let i = 3; i < 6; i++) state[i] = p.resetSpread * rng.standardNormal();
    // The rail's stops are far from where it starts.
    railForce = 0;
    remember(p, state, state);
  },

  observe(p, state, observation) {
    observation[0] = state[0]!;
    observation[1] = Math.sin(state[1]!);
    observation[2] = Math.sin(state[2]!);
    observation[3] = Math.cos(state[1]!);
    observation[4] = Math.cos(state[2]!);
    observation[5] = clip(state[3]!, p.observedLimit);
    observation[6] = clip(state[4]!, p.observedLimit);
    observation[7] = clip(state[5]!, p.observedLimit);
    observation[8] = clip(state[8]!, p.observedLimit);
  },

  step(p, state, action, _rng, out) {
    for (let i = 0; i < p.substeps; i++) integrator.advance(p, state, action);
    remember(p, integrator.stage, state);
    const standing = state[7]! > p.lowestTip;
    const short = state[7]! - p.tipTarget;
    out.reward =
      (standing ? p.aliveReward : 0) -
      (p.tipXCost * state[6]! * state[6]! + short * short) -
      (p.rate1Cost * state[4]! * state[4]! + p.rate2Cost * state[5]! * state[5]!);
    out.terminated = !standing;
  },
};
