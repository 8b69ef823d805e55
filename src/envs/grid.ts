/**
 * Parts shared by the grid worlds: moves on a board of numbered cells (row x columns + column), and slippery ground, whose
 * twin is shaders/lib/grid.wgsl. Source: the toy_text environments of Gymnasium 1.4.
 */
import { trueOrFalse } from '../base/option-rules.ts';
import type { Draws } from '../base/rng/draws.ts';
import type { Dynamics, Env } from './env.ts';
import { type EnvOptionRule, option } from './options.ts';

interface GridStep {
  readonly row: number;
  readonly column: number;
}

export const gridParity: Env['parity'] = {
  singleStep: 0,
  reason: 'cells are small whole numbers and draws are compared in float64: nothing is rounded',
};

/** Whether a move may go aside; always in the configuration, as since before there were other options. */
export const slipperyRule = (fallback: boolean): EnvOptionRule<boolean> => ({
  ...option(trueOrFalse(fallback), 'whether a move may go aside'),
  always: true,
});

/** The cell after each move, `[cell * directions + direction]`; a move off the board leaves the cell unchanged. */
export function gridMoves(rows: number, columns: number, directions: readonly GridStep[]): Int32Array {
  const clip = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit - 1);
  return Int32Array.from({ length: rows * columns * directions.length }, (_, i) => {
    const cell = Math.floor(i / directions.length);
    const { row, column } = directions[i % directions.length]!;
    return clip(Math.floor(cell / columns) + row, rows) * columns + clip((cell % columns) + column, columns);
  });
}

export interface GridParams {
  readonly startCell: number;
  /** 1 on slippery ground; elsewhere the original's draws change nothing and are left out */
  readonly slippery: number;
  readonly slipLeftBelow: number;
  readonly slipForwardBelow: number;
  readonly [name: string]: number;
}

/** The start of an episode, and the observation: the state is the number of a cell. */
export const cellDynamics: Pick<Dynamics<GridParams>, 'reset' | 'observe'> = {
  reset(p, rng, state) {
    // The original draws its only start cell, which matters for the later draws.
    if (p.slippery === 1) rng.random();
    state[0] = p.startCell;
  },

  observe(_p, state, observation) {
    observation[0] = state[0]!;
  },
};

/**
 * The direction of a move on slippery ground, of four in turning order: one draw decides between the direction before, the
 * wanted one, and the one after.
 */
export function slip(p: GridParams, direction: number, rng: Draws): number {
  if (p.slippery !== 1) return direction;
  const draw = rng.random();
  // Counted instead of branched: the branch is unpredictable.
  const bounds = Number(draw >= p.slipLeftBelow) + Number(draw >= p.slipForwardBelow);
  return (direction + 3 + bounds) & 3;
}
