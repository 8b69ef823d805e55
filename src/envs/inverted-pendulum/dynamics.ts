/**
 * A pole hinged to a cart on a rail, in float64, in closed form. MuJoCo integrates it with two Runge-Kutta steps per
 * step; whole episodes agree with it to 1e-13.
 * Source: gymnasium/envs/mujoco/inverted_pendulum_v5.py and assets/inverted_pendulum.xml, MuJoCo 3.14.
 */
import type { Dynamics } from '../env.ts';
import { fillLimitRow, limitedPair, limitRow, rungeKutta } from '../mujoco.ts';
import type { InvertedPendulumParams } from './constants.ts';

const rail = limitRow();
const hinge = limitRow();
const pair = { first: 0, second: 0 };

const integrator = rungeKutta<InvertedPendulumParams>(2, (p, stage, control, acceleration) => {
  const x = stage[0]!;
  const theta = stage[1]!;
  const xDot = stage[2]!;
  const thetaDot = stage[3]!;
  const cos = Math.cos(theta);
  const sin = Math.sin(theta);
  // The pole's mass times the offset of its centre from the hinge.
  const momentX = p.poleMomentX * cos + p.poleMomentZ * sin;
  const momentZ = p.poleMomentZ * cos - p.poleMomentX * sin;
  const push = p.gear * Math.min(Math.max(control[0]!, -p.controlLimit), p.controlLimit);
  const cartDrive = push - p.damping * xDot + momentX * thetaDot * thetaDot;
  const poleDrive = p.gravity * momentX - p.damping * thetaDot;
  fillLimitRow(rail, p, x, xDot, -p.railLimit, p.railLimit, p.limitMargin, p.railInverseWeight);
  fillLimitRow(hinge, p, theta, thetaDot, -p.hingeLimit, p.hingeLimit, p.limitMargin, p.hingeInverseWeight);
  limitedPair(pair, p.totalMass, momentZ, p.hingeInertia, cartDrive, poleDrive, rail, hinge);
  acceleration[0] = pair.first;
  acceleration[1] = pair.second;
});

/** state and observation: x [m], theta [rad], x_dot [m/s], theta_dot [rad/s] */
export const dynamics: Dynamics<InvertedPendulumParams> = {
  reset(p, rng, state) {
    for (let i = 0; i < 4; i++) state[i] = rng.uniform(p.resetLow, p.resetHigh);
  },

  observe(_p, state, observation) {
    for (let i = 0; i < 4; i++) observation[i] = state[i]!;
  },

  step(p, state, action, _rng, out) {
    for (let i = 0; i < p.substeps; i++) integrator.advance(p, state, action);
    // The sum is finite only if every entry is.
    const upright = Number.isFinite(state[0]! + state[2]! + state[3]!) && Math.abs(state[1]!) <= p.angleLimit;
    out.reward = upright ? 1 : 0;
    out.terminated = !upright;
  },
};
