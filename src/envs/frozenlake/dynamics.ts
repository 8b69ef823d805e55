/**
 * FrozenLake: a walk over a lake with holes, where the ice may turn a move aside.
 * Source: gymnasium/envs/toy_text/frozen_lake.py, 1.4.
 */
import type { Dynamics } from '../env.ts';
import { cellDynamics, type GridParams, gridMoves, slip } from '../grid.ts';

interface LakeParams extends GridParams {
  readonly goalReward: number;
  readonly holeReward: number;
  readonly frozenReward: number;
}

/** left, down, right, up */
const directions = [
  { row: 0, column: -1 },
  { row: 1, column: 0 },
  { row: 0, column: 1 },
  { row: -1, column: 0 },
] as const;

const HOLE = 1;
const GOAL = 2;

/** `map`: one text per row. state: cell */
export function lakeDynamics(map: readonly string[]): Dynamics<LakeParams> {
  const moves = gridMoves(map.length, map[0]!.length, directions);
  const ends = Uint8Array.from(map.join(''), (letter) => (letter === 'H' ? HOLE : letter === 'G' ? GOAL : 0));
  return {
    ...cellDynamics,

    step(p, state, action, rng, out) {
      const cell = state[0]!;
      const direction = slip(p, action[0]!, rng);
      const over = ends[cell] !== 0;
      const next = over ? cell : moves[cell * 4 + direction]!;
      const end = ends[next];
      state[0] = next;
      out.reward = over ? 0 : end === GOAL ? p.goalReward : end === HOLE ? p.holeReward : p.frozenReward;
      out.terminated = end !== 0;
    },
  };
}
