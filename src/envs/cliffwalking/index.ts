import { gridParity, slipperyRule } from '../grid.ts';
import { envWithOptions, stepLimitRule } from '../options.ts';
import { cliffDynamics } from './dynamics.ts';
import { cliffPicture } from './picture.ts';

const id = 'CliffWalking-v1';
const source = 'gymnasium/envs/toy_text/cliffwalking.py, 1.4';
const rows = 4;
const columns = 12;
const cells = rows * columns;

/** One step up, along the cliff, and one down. */
const bestReturn = 1 - columns - 2;

const derive = (c: Readonly<Record<'rows' | 'columns' | 'successRate', number>>) => ({
  startCell: (c.rows - 1) * c.columns,
  goalCell: c.rows * c.columns - 1,
  inverseColumns: 1 / c.columns,
  slipLeftBelow: c.successRate,
  slipForwardBelow: c.successRate + c.successRate,
});

const rules = {
  is_slippery: slipperyRule(false),
  // With fewer steps, an episode that arrives would be no better than one that stays.
  max_episode_steps: stepLimitRule(null, 1 - bestReturn),
};

export const cliffwalking = envWithOptions(id, rules, ({ is_slippery: slippery, max_episode_steps: limit }) => ({
  folder: 'cliffwalking',
  groundTruth: 'Gymnasium 1.4 (main, 3f0476a8)',
  state: [{ name: 'cell', meaning: 'row x columns + column of the cell', unit: 'cell', low: 0, high: cells - 1 }],
  observation: { kind: 'discrete', n: cells, meaning: 'the cell: row x number of columns + column' },
  action: { kind: 'discrete', meanings: ['up', 'right', 'down', 'left'] },
  constants: {
    rows: { value: rows, unit: 'cells', source, allowed: 'fixed' },
    columns: { value: columns, unit: 'cells', source, allowed: 'fixed' },
    stepReward: { value: -1, unit: 'per step', source, allowed: 'any' },
    cliffReward: { value: -100, unit: 'per fall', source, allowed: 'any' },
    slippery: { value: slippery ? 1 : 0, unit: '1 if a move may go aside', source, allowed: 'fixed' },
    successRate: {
      value: 1 / 3,
      unit: 'chance that a move goes where it should',
      source,
      allowed: slippery ? 'share' : 'fixed',
    },
  },
  derive,
  exact: ['slipLeftBelow', 'slipForwardBelow'],
  libraries: ['grid'],
  stepDraws: slippery ? 1 : 0,
  timeLimit: limit,
  success: { threshold: bestReturn, source: 'the shortest way past the cliff' },
  returnRange: [limit === null ? -Infinity : -100 * limit, bestReturn],
  parity: gridParity,
  picture: cliffPicture(rows, columns),
  grid: [...Array.from({ length: rows - 1 }, () => '.'.repeat(columns)), `S${'C'.repeat(columns - 2)}G`],
  stepCost: { cpu: 16, wasm: 2.5, compile: 110 },
  dynamics: cliffDynamics(rows, columns),
}));
