/**
 * Acrobot in float64, in Gymnasium's order of operations.
 * Source: gymnasium/envs/classic_control/acrobot.py (1.0 to 1.4) with its default equations, those of Sutton and Barto's
 * book (1998); one Runge-Kutta step of fourth order per action.
 */
import type { Dynamics } from '../env.ts';
import type { AcrobotParams } from './constants.ts';

/** Angular accelerations of one evaluation, of one step's four; here, so that a step allocates nothing. */
const acceleration = new Float64Array(2);

/** Fills `acceleration` (theta1, theta2) [rad/s^2]; angles in rad, speeds in rad/s, torque at the elbow in N m. */
function accelerate(
  p: AcrobotParams,
  torque: number,
  theta1: number,
  theta2: number,
  dot1: number,
  dot2: number,
): void {
  const cos2 = Math.cos(theta2);
  const sin2 = Math.sin(theta2);
  const square1 = p.linkLength1 * p.linkLength1;
  const m2 = p.linkMass2;
  const d1 =
    p.upperInertia + m2 * (square1 + p.centreSquared2 + 2 * p.lengthProduct * cos2) + p.linkInertia + p.linkInertia;
  const d2 = m2 * (p.centreSquared2 + p.lengthProduct * cos2) + p.linkInertia;
  const phi2 = p.lowerWeight * Math.cos(theta1 + theta2 - Math.PI / 2);
  const phi1 =
    -p.coupling * (dot2 * dot2) * sin2 -
    2 * p.coupling * dot2 * dot1 * sin2 +
    p.upperWeight * Math.cos(theta1 - Math.PI / 2) +
    phi2;
  const second =
    (torque + (d2 / d1) * phi1 - p.coupling * (dot1 * dot1) * sin2 - phi2) / (p.lowerInertia - (d2 * d2) / d1);
  acceleration[0] = -(d2 * second + phi1) / d1;
  acceleration[1] = second;
}

/** The angle moved by whole turns into [-pi, pi]. */
function wrapAngle(angle: number): number {
  let wrapped = angle;
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI;
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI;
  return wrapped;
}

/** state: theta1, theta2 [rad], theta1_dot, theta2_dot [rad/s] */
export const dynamics: Dynamics<AcrobotParams> = {
  reset(p, rng, state) {
    // The original starts in f32 and continues in float64.
    for (let i = 0; i < 4; i++) state[i] = Math.fround(rng.uniform(p.resetLow, p.resetHigh));
  },

  observe(_p, state, observation) {
    observation[0] = Math.fround(Math.cos(state[0]!));
    observation[1] = Math.fround(Math.sin(state[0]!));
    observation[2] = Math.fround(Math.cos(state[1]!));
    observation[3] = Math.fround(Math.sin(state[1]!));
    observation[4] = Math.fround(state[2]!);
    observation[5] = Math.fround(state[3]!);
  },

  step(p, state, action, _rng, out) {
    const torque = (action[0]! - 1) * p.torque;
    const h = p.timeStep;
    const half = h / 2;
    const theta1 = state[0]!;
    const theta2 = state[1]!;
    const v1 = state[2]!;
    const v2 = state[3]!;
    accelerate(p, torque, theta1, theta2, v1, v2);
    const a1 = acceleration[0]!;
    const a2 = acceleration[1]!;
    // Speeds (v, w, x, y) and accelerations (a, b, c, d) of the four evaluations.
    const w1 = v1 + half * a1;
    const w2 = v2 + half * a2;
    accelerate(p, torque, theta1 + half * v1, theta2 + half * v2, w1, w2);
    const b1 = acceleration[0]!;
    const b2 = acceleration[1]!;
    const x1 = v1 + half * b1;
    const x2 = v2 + half * b2;
    accelerate(p, torque, theta1 + half * w1, theta2 + half * w2, x1, x2);
    const c1 = acceleration[0]!;
    const c2 = acceleration[1]!;
    const y1 = v1 + h * c1;
    const y2 = v2 + h * c2;
    accelerate(p, torque, theta1 + h * x1, theta2 + h * x2, y1, y2);
    const d1 = acceleration[0]!;
    const d2 = acceleration[1]!;
    const sixth = h / 6;
    const new1 = wrapAngle(theta1 + sixth * (v1 + 2 * w1 + 2 * x1 + y1));
    const new2 = wrapAngle(theta2 + sixth * (v2 + 2 * w2 + 2 * x2 + y2));
    const dot1 = v1 + sixth * (a1 + 2 * b1 + 2 * c1 + d1);
    const dot2 = v2 + sixth * (a2 + 2 * b2 + 2 * c2 + d2);
    state[0] = new1;
    state[1] = new2;
    state[2] = Math.min(Math.max(dot1, -p.maxSpeed1), p.maxSpeed1);
    state[3] = Math.min(Math.max(dot2, -p.maxSpeed2), p.maxSpeed2);
    const height = -p.linkLength1 * Math.cos(new1) - p.linkLength2 * Math.cos(new2 + new1);
    out.terminated = height > p.goalHeight;
    out.reward = out.terminated ? 0 : -1;
  },
};
