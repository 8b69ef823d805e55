/**
 * CartPole in float64, in Gymnasium's order of operations, so that whole episodes agree to the last bit.
 * Source: gymnasium/envs/classic_control/cartpole.py (1.0 to 1.4 agree), after Barto, Sutton and Anderson (1983).
 */
import type { Dynamics } from '../env.ts';
import type { CartPoleParams } from './constants.ts';

/** state and observation: x [m], x_dot [m/s], theta [rad], theta_dot [rad/s] */
export const dynamics: Dynamics<CartPoleParams> = {
  reset(p, rng, state) {
    for (let i = 0; i < 4; i++) state[i] = rng.uniform(p.resetLow, p.resetHigh);
  },

  observe(_p, state, observation) {
    observation[0] = Math.fround(state[0]!);
    observation[1] = Math.fround(state[1]!);
    observation[2] = Math.fround(state[2]!);
    observation[3] = Math.fround(state[3]!);
  },

  step(p, state, action, _rng, out) {
    const x = state[0]!;
    const xDot = state[1]!;
    const theta = state[2]!;
    const thetaDot = state[3]!;
    const force = action[0] === 1 ? p.force : -p.force;
    const cosTheta = Math.cos(theta);
    const sinTheta = Math.sin(theta);
    const temp = (force + p.poleMassLength * (thetaDot * thetaDot) * sinTheta) / p.totalMass;
    const thetaAcc =
      (p.gravity * sinTheta - cosTheta * temp) /
      (p.halfLength * (4.0 / 3.0 - (p.poleMass * (cosTheta * cosTheta)) / p.totalMass));
    const xAcc = temp - (p.poleMassLength * thetaAcc * cosTheta) / p.totalMass;
    // Explicit Euler: positions move with the old velocities.
    const newX = x + p.timeStep * xDot;
    const newTheta = theta + p.timeStep * thetaDot;
    state[0] = newX;
    state[1] = xDot + p.timeStep * xAcc;
    state[2] = newTheta;
    state[3] = thetaDot + p.timeStep * thetaAcc;
    out.terminated =
      newX < -p.positionLimit || newX > p.positionLimit || newTheta < -p.angleLimit || newTheta > p.angleLimit;
    out.reward = out.terminated ? p.fallReward : p.stepReward;
  },
};
