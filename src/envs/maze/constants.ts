/** The numbers of Maze, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';

const source = 'maze-sample-3x3-v0 of gym-maze in HWUDLabAIRoboticsResearch/R2PO at commit 9449c38';
export const rows = 3;
export const columns = 3;
export const stepLimit = 200;

/** Cells between which there is no wall, as row x columns + column. */
export const passages: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 2],
  [2, 5],
  [5, 4],
  [0, 3],
  [3, 6],
  [6, 7],
  [7, 8],
];

export const constants = {
  rows: { value: rows, unit: 'cells', source, allowed: 'fixed' },
  columns: { value: columns, unit: 'cells', source, allowed: 'fixed' },
  goalReward: { value: 1, unit: 'at the goal', source, allowed: 'any' },
  roundCost: { value: 0.1, unit: 'for as many steps as there are cells', source, allowed: 'any' },
  stepLimit: { value: stepLimit, unit: 'steps', source, allowed: 'fixed' },
} as const;

export const derive = (c: ConstantValues<typeof constants>) => ({
  goalColumn: c.columns - 1,
  goalRow: c.rows - 1,
  stepReward: -c.roundCost / (c.rows * c.columns),
});

export type MazeParams = ParamsOf<typeof constants, typeof derive>;
