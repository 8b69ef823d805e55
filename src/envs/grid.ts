/**
 * What the grid worlds share: moves on a board of numbered cells (row x columns + column), and ground on which a move may
 * go aside. The twin of the latter is shaders/lib/grid.wgsl. Source: the toy_text environments of Gymnasium 1.4.
 */
import type { Draws } from '../base/rng/draws.ts';

export interface GridStep {
  readonly row: number;
  readonly column: number;
}

/** The cell after each move, `[cell * directions + direction]`; a move off the board leaves the cell unchanged. */
export function gridMoves(rows: number, columns: number, directions: readonly GridStep[]): Int32Array {
  const clip = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit - 1);
  return Int32Array.from({ length: rows * columns * directions.length }, (_, i) => {
    const cell = Math.floor(i / directions.length);
    const { row, column } = directions[i % directions.length];
    return clip(Math.floor(cell / columns) + row, rows) * columns + clip((cell % columns) + column, columns);
  });
}

export interface GridParams {
  readonly startCell: number;
  /** 1 on slippery ground; the original's draws decide nothing elsewhere, and are left out there */
  readonly slippery: number;
  readonly slipLeftBelow: number;
  readonly slipForwardBelow: number;
  readonly [name: string]: number;
}

/** The original draws its start cell, of which there is one: it matters for what is drawn after it. */
export function gridStart(p: GridParams, rng: Draws): number {
  if (p.slippery === 1) rng.random();
  return p.startCell;
}

/**
 * Where a move goes on slippery ground, of the four directions in turning order: one draw decides between the direction
 * before, the one that was meant, and the one after.
 */
export function slip(p: GridParams, direction: number, rng: Draws): number {
  if (p.slippery !== 1) return direction;
  const draw = rng.random();
  // Counted instead of branched: nobody can predict the branch.
  const bounds = Number(draw >= p.slipLeftBelow) + Number(draw >= p.slipForwardBelow);
  return (direction + 3 + bounds) & 3;
}
