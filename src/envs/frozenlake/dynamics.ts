/**
 * FrozenLake: a walk over a lake with holes, where the ice may turn a move aside.
 * Source: gymnasium/envs/toy_text/frozen_lake.py, 1.4.
 */
import type { Dynamics } from '../env.ts';
import { gridMoves, slip } from '../grid.ts';

export interface FrozenLakeParams {
  readonly startCell: number;
  readonly slippery: number;
  readonly slipLeftBelow: number;
  readonly slipForwardBelow: number;
  readonly [name: string]: number;
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
export function lakeDynamics(map: readonly string[]): Dynamics<FrozenLakeParams> {
  const moves = gridMoves(map.length, map[0].length, directions);
  const ends = Uint8Array.from(map.join(''), (letter) => (letter === 'H' ? HOLE : letter === 'G' ? GOAL : 0));
  return {
    reset(p, rng, state) {
      // The original draws its start cell, of which there is one. It matters for what is drawn after it.
      if (p.slippery === 1) rng.random();
      state[0] = p.startCell;
    },

    observe(_p, state, observation) {
      observation[0] = state[0];
    },

    step(p, state, action, rng, out) {
      const cell = state[0];
      // Where nothing slips, the original's draw decides nothing and is left out.
      const direction = p.slippery === 1 ? slip(p, action[0], rng) : action[0];
      const next = ends[cell] === 0 ? moves[cell * 4 + direction] : cell;
      state[0] = next;
      out.reward = ends[next] === GOAL && ends[cell] === 0 ? 1 : 0;
      out.terminated = ends[next] !== 0;
    },
  };
}
