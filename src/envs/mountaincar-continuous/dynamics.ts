/**
 * MountainCarContinuous in Gymnasium's order of operations and in its mixture of precisions: the original keeps its
 * state as the f32 array that it returns, but starts in float64, and computes a step with the precision that NumPy 2 gives f32
 * scalars, float64 scalars and Python floats. A Python float counts as f32 beside an f32 scalar.
 * Source: gymnasium/envs/classic_control/continuous_mountain_car.py (1.0 to 1.4), run with NumPy 2.4.
 */
import type { Dynamics } from '../env.ts';
import { track } from '../mountaincar/dynamics.ts';
import type { MountainCarContinuousParams } from './constants.ts';

/** state and observation: position [length], velocity [length/step] */
export const dynamics: Dynamics<MountainCarContinuousParams> = {
  ...track,

  step(p, state, action, _rng, out) {
    let position = state[0]!;
    let velocity = state[1]!;
    const given = action[0]!;
    const force = Math.min(Math.max(given, -p.maxAction), p.maxAction);
    // Only the float64 start is not an f32 number.
    const single = Math.fround(position) === position && Math.fround(velocity) === velocity;
    const angle = p.hillFrequency * position;
    const change = force * p.power - p.gravity * Math.cos(single ? Math.fround(angle) : angle);
    // A float64 action makes the velocity float64; one that was cut to the range, or a velocity that was, is a Python
    // float and leaves the sum in f32.
    let narrow = single && force !== given;
    velocity = narrow ? Math.fround(velocity + Math.fround(change)) : velocity + change;
    let goalSpeed = narrow ? Math.fround(p.goalSpeed) : p.goalSpeed;
    if (velocity > p.maxSpeed) {
      velocity = p.maxSpeed;
      goalSpeed = p.goalSpeed;
      narrow = single;
    } else if (velocity < -p.maxSpeed) {
      velocity = -p.maxSpeed;
      narrow = single;
    }
    position = narrow ? Math.fround(position + Math.fround(velocity)) : position + velocity;
    position = Math.min(Math.max(position, p.minPosition), p.maxPosition);
    if (position === p.minPosition && velocity < 0) velocity = 0;
    const goal = narrow ? Math.fround(p.goalPosition) : p.goalPosition;
    const terminated = position >= goal && velocity >= goalSpeed;
    state[0] = Math.fround(position);
    state[1] = Math.fround(velocity);
    // The cost is that of the action before it was cut.
    out.reward = (terminated ? p.goalReward : 0) - given * given * p.actionCost;
    out.terminated = terminated;
  },
};
