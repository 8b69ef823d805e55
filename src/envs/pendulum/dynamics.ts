/**
 * Pendulum in float64, in Gymnasium's order of operations.
 * Source: gymnasium/envs/classic_control/pendulum.py (1.0 to 1.4).
 */
import type { Dynamics } from '../env.ts';
import type { PendulumParams } from './constants.ts';

const TURN = 2 * Math.PI;

/** The angle moved by whole turns into [-pi, pi), as NumPy's remainder does it. */
function wrapAngle(angle: number): number {
  const shifted = angle + Math.PI;
  // The remainder of what lies in its range already is that itself; it is slow, and mostly not needed.
  if (shifted >= 0 && shifted < TURN) return shifted - Math.PI;
  const rest = shifted % TURN;
  return (rest < 0 ? rest + TURN : rest) - Math.PI;
}

/** state: theta [rad], never wrapped; theta_dot [rad/s] */
export const dynamics: Dynamics<PendulumParams> = {
  reset(p, rng, state) {
    state[0] = rng.uniform(p.resetAngleLow, p.resetAngleHigh);
    state[1] = rng.uniform(p.resetSpeedLow, p.resetSpeedHigh);
  },

  observe(_p, state, observation) {
    observation[0] = Math.fround(Math.cos(state[0]!));
    observation[1] = Math.fround(Math.sin(state[0]!));
    observation[2] = Math.fround(state[1]!);
  },

  step(p, state, action, _rng, out) {
    const theta = state[0]!;
    const thetaDot = state[1]!;
    const torque = Math.min(Math.max(action[0]!, -p.maxTorque), p.maxTorque);
    const tilt = wrapAngle(theta);
    // The cost is that of the state before the step.
    const cost = tilt * tilt + p.speedCost * (thetaDot * thetaDot) + p.torqueCost * (torque * torque);
    const faster = thetaDot + (p.gravityGain * Math.sin(theta) + p.torqueGain * torque) * p.timeStep;
    const newThetaDot = Math.min(Math.max(faster, -p.maxSpeed), p.maxSpeed);
    state[0] = theta + newThetaDot * p.timeStep;
    state[1] = newThetaDot;
    out.reward = -cost;
    out.terminated = false;
  },
};
