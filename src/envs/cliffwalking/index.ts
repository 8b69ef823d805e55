import { defineEnv, type Env, type EnvOptions } from '../env.ts';
import { gridParity, readGridOptions } from '../grid.ts';
import { cliffDynamics } from './dynamics.ts';
import { cliffPicture } from './picture.ts';

const id = 'CliffWalking-v1';
const source = 'gymnasium/envs/toy_text/cliffwalking.py, 1.4';
const rows = 4;
const columns = 12;
const cells = rows * columns;

const map = [...Array.from({ length: rows - 1 }, () => 'O'.repeat(columns)), `S${'C'.repeat(columns - 2)}G`].join('\n');

const slipperyGround =
  'The ground is slippery: a move goes where it should with a chance of 1/3, and with 1/3 each to one of the two sides of that ' +
  'direction.';
const firmGround = 'A move always goes where it should.';

/** `is_slippery`: whether a move may go aside. */
export function buildCliffWalking(options: EnvOptions = {}): Env {
  const { slippery } = readGridOptions(id, options, { is_slippery: false });
  return defineEnv({
    id,
    folder: 'cliffwalking',
    groundTruth: 'Gymnasium 1.4 (main, 3f0476a8)',
    state: [{ name: 'cell', meaning: 'row x columns + column of the cell', unit: 'cell', low: 0, high: cells - 1 }],
    observation: { kind: 'discrete', n: cells, meaning: 'the cell: row x number of columns + column' },
    action: { kind: 'discrete', meanings: ['up', 'right', 'down', 'left'] },
    constants: {
      rows: { value: rows, unit: 'cells', source },
      columns: { value: columns, unit: 'cells', source },
      stepReward: { value: -1, unit: 'per step', source },
      cliffReward: { value: -100, unit: 'per fall', source },
      slippery: { value: slippery ? 1 : 0, unit: '1 if a move may go aside', source },
      successRate: { value: 1 / 3, unit: 'chance that a move goes where it should', source },
    },
    derive: (c) => ({
      startCell: (c.rows - 1) * c.columns,
      goalCell: c.rows * c.columns - 1,
      inverseColumns: 1 / c.columns,
      slipLeftBelow: c.successRate,
      slipForwardBelow: c.successRate + c.successRate,
    }),
    exact: ['slipLeftBelow', 'slipForwardBelow'],
    libraries: ['grid'],
    notes: { map, ground: slippery ? slipperyGround : firmGround },
    stepDraws: slippery ? 1 : 0,
    options: { is_slippery: slippery },
    withOptions: buildCliffWalking,
    timeLimit: null,
    success: { threshold: 1 - columns - 2, source: 'the shortest way past the cliff' },
    returnRange: [-Infinity, 1 - columns - 2],
    parity: gridParity,
    picture: cliffPicture(rows, columns),
    dynamics: cliffDynamics(rows, columns),
  });
}

export const cliffwalking = buildCliffWalking();
