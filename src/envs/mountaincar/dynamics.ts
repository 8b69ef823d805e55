/**
 * MountainCar in float64, in Gymnasium's order of operations.
 * Source: gymnasium/envs/classic_control/mountain_car.py (1.0 to 1.4), after Moore (1990).
 */
import type { Dynamics } from '../env.ts';
import type { MountainCarParams } from './constants.ts';

/** Of both mountain cars. state and observation: position [length], velocity [length/step] */
export const track: Omit<Dynamics<Pick<MountainCarParams, 'resetLow' | 'resetHigh'>>, 'step'> = {
  reset(p, rng, state) {
    state[0] = rng.uniform(p.resetLow, p.resetHigh);
    state[1] = 0;
  },

  observe(_p, state, observation) {
    observation[0] = Math.fround(state[0]!);
    observation[1] = Math.fround(state[1]!);
  },
};

export const dynamics: Dynamics<MountainCarParams> = {
  ...track,

  step(p, state, action, _rng, out) {
    let position = state[0]!;
    let velocity = state[1]! + ((action[0]! - 1) * p.force + Math.cos(p.hillFrequency * position) * -p.gravity);
    velocity = Math.min(Math.max(velocity, -p.maxSpeed), p.maxSpeed);
    position = Math.min(Math.max(position + velocity, p.minPosition), p.maxPosition);
    // Inelastic left wall; no right wall.
    if (position === p.minPosition && velocity < 0) velocity = 0;
    state[0] = position;
    state[1] = velocity;
    out.reward = -1;
    out.terminated = position >= p.goalPosition && velocity >= p.goalSpeed;
  },
};
