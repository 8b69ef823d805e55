import { defineEnv } from '../env.ts';
import { mazeDynamics } from './dynamics.ts';

const source = 'maze-sample-3x3-v0 of gym-maze in HWUDLabAIRoboticsResearch/R2PO at commit 9449c38';
const rows = 3;
const columns = 3;
const stepLimit = 200;

/** Cells between which there is no wall, as row x columns + column. */
const passages: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 2],
  [2, 5],
  [5, 4],
  [0, 3],
  [3, 6],
  [6, 7],
  [7, 8],
];

/** How much a move to the north, south, east or west changes the number of the cell. */
const moves = [-columns, columns, 1, -1] as const;

/** For each direction one bit per cell, set where there is no wall in that direction. */
const open = moves.map((move) =>
  passages
    .flatMap(([a, b]) => (b - a === move ? [a] : a - b === move ? [b] : []))
    .reduce((sum, cell) => sum + 2 ** cell, 0),
);

const cellName = (cell: number): string => `cell ${cell} (row ${Math.floor(cell / columns)}, column ${cell % columns})`;

export const maze = defineEnv({
  id: 'maze-sample-3x3-v0',
  folder: 'maze',
  groundTruth: 'the custom environment maze-sample-3x3-v0 of the R2PO reference (commit 9449c38)',
  state: [
    { name: 'column', meaning: 'column, from the west', unit: 'cells', low: 0, high: columns - 1 },
    { name: 'row', meaning: 'row, from the north', unit: 'cells', low: 0, high: rows - 1 },
    { name: 'step_count', meaning: 'steps since the start', unit: 'steps', low: 0, high: stepLimit },
  ],
  observation: { kind: 'discrete', n: rows * columns, meaning: 'the cell: row x number of columns + column' },
  action: { kind: 'discrete', meanings: ['north', 'south', 'east', 'west'] },
  constants: {
    rows: { value: rows, unit: 'cells', source },
    columns: { value: columns, unit: 'cells', source },
    goalReward: { value: 1, unit: 'at the goal', source },
    roundCost: { value: 0.1, unit: 'for as many steps as there are cells', source },
    stepLimit: { value: stepLimit, unit: 'steps', source },
  },
  derive: (c) => ({
    goalColumn: c.columns - 1,
    goalRow: c.rows - 1,
    stepReward: -c.roundCost / (c.rows * c.columns),
  }),
  exact: [],
  table: open,
  notes: { passages: passages.map(([a, b]) => `- ${cellName(a)} and ${cellName(b)}`).join('\n') },
  // The one that ends an episode: the registered limit of 1000 steps is never reached.
  timeLimit: stepLimit,
  success: { threshold: 0.9, source: 'the target of the reference: at most ten steps to the goal' },
  returnRange: [-0.1 * (stepLimit / (rows * columns)) - 1e-9, 1],
  parity: {
    singleStep: 1e-8,
    reason: 'positions are small whole numbers; the reward of a step is rounded to f32 once',
  },
  dynamics: mazeDynamics(open),
});
