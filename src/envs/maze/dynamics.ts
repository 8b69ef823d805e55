/**
 * A maze of three by three cells with walls between them.
 * Source: maze-sample-3x3-v0 of gym-maze, as HWUDLabAIRoboticsResearch/R2PO uses it at commit 9449c38.
 */
import type { Dynamics } from '../env.ts';
import type { MazeParams } from './constants.ts';

/** `open`: for each direction (north, south, east, west) one bit per cell. state: column, row, step_count */
export function mazeDynamics(open: readonly number[]): Dynamics<MazeParams> {
  return {
    reset(_p, _rng, state) {
      state[0] = 0;
      state[1] = 0;
      state[2] = 0;
    },

    observe(p, state, observation) {
      observation[0] = state[1]! * p.columns + state[0]!;
    },

    step(p, state, action, _rng, out) {
      const direction = action[0]!;
      if ((open[direction]! >> (state[1]! * p.columns + state[0]!)) & 1) {
        if (direction === 0) state[1]! -= 1;
        else if (direction === 1) state[1]! += 1;
        else if (direction === 2) state[0]! += 1;
        else state[0]! -= 1;
      }
      state[2]! += 1;
      const arrived = state[0] === p.goalColumn && state[1] === p.goalRow;
      out.reward = arrived ? p.goalReward : p.stepReward;
      // At its own limit the original takes the end at the goal back, and keeps the reward.
      out.terminated = arrived && state[2]! < p.stepLimit;
    },
  };
}
