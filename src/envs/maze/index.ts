import { defineEnv } from '../env.ts';
import { columns, constants, derive, rows, stepLimit } from './constants.ts';
import { mazeDynamics } from './dynamics.ts';
import { mazePicture } from './picture.ts';

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

/** The maze from above, in characters: S start, G goal, walls as lines. */
function drawing(): string {
  const isOpen = (a: number, b: number): boolean => passages.some((pair) => pair.includes(a) && pair.includes(b));
  const cells = Array.from({ length: columns }, (_, column) => column);
  const letter = (cell: number): string => (cell === 0 ? 'S' : cell === rows * columns - 1 ? 'G' : ' ');
  const line = (row: number, inner: (cell: number, column: number) => string): string =>
    cells.map((column) => inner(row * columns + column, column)).join('');
  const below = (row: number): string =>
    line(row, (cell) => (row < rows - 1 && isOpen(cell, cell + columns) ? '   +' : '---+'));
  const across = (row: number): string =>
    line(row, (cell, column) => ` ${letter(cell)} ${column < columns - 1 && isOpen(cell, cell + 1) ? ' ' : '|'}`);
  const walls = Array.from({ length: rows }, (_, row) => [`|${across(row)}`, `+${below(row)}`]);
  return [`+${'---+'.repeat(columns)}`, ...walls.flat()].join('\n');
}

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
  constants,
  derive,
  exact: [],
  table: open,
  notes: { map: drawing(), passages: passages.map(([a, b]) => `- ${cellName(a)} and ${cellName(b)}`).join('\n') },
  // The one that ends an episode: the registered limit of 1000 steps is never reached.
  timeLimit: stepLimit,
  success: { threshold: 0.9, source: 'the target of the reference: at most ten steps to the goal' },
  returnRange: [-0.1 * (stepLimit / (rows * columns)) - 1e-9, 1],
  parity: {
    singleStep: 1e-8,
    reason: 'positions are small whole numbers; the reward of a step is rounded to f32 once',
  },
  picture: mazePicture(rows, columns, passages),
  dynamics: mazeDynamics(open),
});
