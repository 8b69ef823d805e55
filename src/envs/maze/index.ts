import { envWithOptions, stepLimitRule, withValues } from '../options.ts';
import { columns, constants, derive, passages, stepLimit as registeredLimit, rows } from './constants.ts';
import { mazeDynamics } from './dynamics.ts';
import { mazePicture } from './picture.ts';

/** How much a move to the north, south, east or west changes the number of the cell. */
const moves = [-columns, columns, 1, -1] as const;

/** For each direction one bit per cell, set where there is no wall in that direction. */
const open = moves.map((move) =>
  passages
    .flatMap(([a, b]) => (b - a === move ? [a] : a - b === move ? [b] : []))
    .reduce((sum, cell) => sum + 2 ** cell, 0),
);

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
};

export const maze = envWithOptions('maze-sample-3x3-v0', rules, ({ max_episode_steps: limit }) => {
  return {
    folder: 'maze',
    groundTruth: 'the custom environment maze-sample-3x3-v0 of the R2PO reference (commit 9449c38)',
    state: [
      { name: 'column', meaning: 'column, from the west', unit: 'cells', low: 0, high: columns - 1 },
      { name: 'row', meaning: 'row, from the north', unit: 'cells', low: 0, high: rows - 1 },
      {
        name: 'step_count',
        meaning: 'steps since the start',
        unit: 'steps',
        low: 0,
        high: Math.max(registeredLimit, limit),
      },
    ],
    observation: { kind: 'discrete', n: rows * columns, meaning: 'the cell: row x number of columns + column' },
    action: { kind: 'discrete', meanings: ['north', 'south', 'east', 'west'] },
    // The original counts its own limit too, under which a longer episode would never end at the goal.
    constants: withValues(constants, { stepLimit: Math.max(registeredLimit, limit) }),
    derive,
    exact: [],
    table: open,
    // The one that ends an episode: the registered limit of 1000 steps is never reached.
    timeLimit: limit,
    success: { threshold: 0.9, source: 'the target of the reference: at most ten steps to the goal' },
    returnRange: [-0.1 * (limit / (rows * columns)) - 1e-9, 1],
    parity: {
      singleStep: 1e-8,
      reason: 'positions are small whole numbers; the reward of a step is rounded to f32 once',
    },
    picture: mazePicture(rows, columns, passages),
    grid: Array.from({ length: rows }, () => '.'.repeat(columns)),
    stepCost: { cpu: 10, wasm: 2.7, compile: 110 },
    dynamics: mazeDynamics(open),
  };
});
