import { defineEnv, type Env, type EnvOptions } from '../env.ts';
import { gridParity, readGridOptions } from '../grid.ts';
import { lakeDynamics } from './dynamics.ts';
import { readMap } from './maps.ts';
import { lakePicture } from './picture.ts';

const id = 'FrozenLake-v1';
const source = 'gymnasium/envs/toy_text/frozen_lake.py, 1.4';
const wordBits = 32;
const slipperyIce =
  'The ice is slippery: a move goes where it should with a chance of 1/3, and with 1/3 each to one of the two sides of that ' +
  'direction (a move to the right may go up or down, never to the left).';
const slipperyGround = `${slipperyIce} So the safest action in a cell is often the one that points away from a hole.`;
const firmGround = 'The ice is not slippery: a move always goes where it should.';

/** `cell 15`, `cells 3 and 15` */
function cellsOf(cells: string, letter: string): string {
  const found = [...cells].flatMap((cell, i) => (cell === letter ? [i] : []));
  return `cell${found.length === 1 ? '' : 's'} ${found.join(' and ')}`;
}

/** One bit per cell, 32 to a word, set where the map has one of these letters. */
function bits(cells: string, letters: string): number[] {
  return Array.from({ length: Math.ceil(cells.length / wordBits) }, (_, word) =>
    Array.from(cells.slice(word * wordBits, (word + 1) * wordBits)).reduce(
      (sum, letter, bit) => sum + (letters.includes(letter) ? 2 ** bit : 0),
      0,
    ),
  );
}

/** `map`: "4x4", "8x8" or a list of rows; `is_slippery`: whether a move may go aside. */
export function buildFrozenLake(options: EnvOptions = {}): Env {
  const { map: wanted, slippery } = readGridOptions(id, options, { map: '4x4', is_slippery: true });
  const map = readMap(wanted);
  const cells = map.rows.join('');
  return defineEnv({
    id,
    folder: 'frozenlake',
    groundTruth: 'Gymnasium 1.4 (main, 3f0476a8)',
    state: [
      { name: 'cell', meaning: 'row x columns + column of the cell', unit: 'cell', low: 0, high: cells.length - 1 },
    ],
    observation: { kind: 'discrete', n: cells.length, meaning: 'the cell: row x number of columns + column' },
    action: { kind: 'discrete', meanings: ['left', 'down', 'right', 'up'] },
    constants: {
      rows: { value: map.rows.length, unit: 'cells', source },
      columns: { value: map.rows[0]!.length, unit: 'cells', source },
      startCell: { value: cells.indexOf('S'), unit: 'cell', source },
      slippery: { value: slippery ? 1 : 0, unit: '1 if a move may go aside', source },
      successRate: { value: 1 / 3, unit: 'chance that a move goes where it should', source },
    },
    derive: (c) => {
      const aside = (1 - c.successRate) / 2;
      // The sums of the chances in the original's order: a draw below the first goes to the direction before.
      return { slipLeftBelow: aside, slipForwardBelow: aside + c.successRate, inverseColumns: 1 / c.columns };
    },
    exact: ['slipLeftBelow', 'slipForwardBelow'],
    // Cells that end an episode, then those of them that are goals.
    table: [...bits(cells, 'HG'), ...bits(cells, 'G')],
    libraries: ['grid'],
    notes: {
      map: map.rows.join('\n'),
      ground: slippery ? slipperyGround : firmGround,
      ice: slippery ? slipperyIce : firmGround,
      goals: cellsOf(cells, 'G'),
    },
    stepDraws: slippery ? 1 : 0,
    options: { map: map.option, is_slippery: slippery },
    withOptions: buildFrozenLake,
    timeLimit: 100,
    success: { threshold: 1, source: 'the goal was reached' },
    returnRange: [0, 1],
    parity: gridParity,
    picture: lakePicture(map.rows),
    dynamics: lakeDynamics(map.rows),
  });
}

export const frozenlake = buildFrozenLake();
