/**
 * CliffWalking: from one end of a cliff to the other without stepping off it.
 * Source: gymnasium/envs/toy_text/cliffwalking.py, 1.4.
 */
import type { Dynamics } from '../env.ts';
import { cellDynamics, type GridParams, gridMoves, slip } from '../grid.ts';

export interface CliffWalkingParams extends GridParams {
  readonly goalCell: number;
  readonly stepReward: number;
  readonly cliffReward: number;
  readonly [name: string]: number;
}

/** up, right, down, left */
const directions = [
  { row: -1, column: 0 },
  { row: 0, column: 1 },
  { row: 1, column: 0 },
  { row: 0, column: -1 },
] as const;

/** The cliff lies between the start and the goal, which are the ends of the last row. state: cell */
export function cliffDynamics(rows: number, columns: number): Dynamics<CliffWalkingParams> {
  const moves = gridMoves(rows, columns, directions);
  return {
    ...cellDynamics,

    step(p, state, action, rng, out) {
      const direction = slip(p, action[0]!, rng);
      const next = moves[state[0]! * 4 + direction]!;
      const fallen = next > p.startCell && next < p.goalCell;
      state[0] = fallen ? p.startCell : next;
      out.reward = fallen ? p.cliffReward : p.stepReward;
      out.terminated = next === p.goalCell;
    },
  };
}
