/** Maps of the lake: S start, F frozen, H hole, G goal. */
import { UsageError } from '../../base/errors.ts';

const unit = 'FrozenLake-v1';

/** Source: MAPS of gymnasium/envs/toy_text/frozen_lake.py, 1.4. */
const named: Readonly<Record<string, readonly string[]>> = {
  '4x4': ['SFFF', 'FHFH', 'FFFH', 'HFFG'],
  '8x8': ['SFFFFFFF', 'FFFFFFFF', 'FFFHFFFF', 'FFFFFHFF', 'FFFHFFFF', 'FHHFFFHF', 'FHFFHFHF', 'FFFHFFFG'],
};

/** Largest number of rows and of columns. */
const maxSide = 16;

export interface LakeMap {
  /** as it is given in the options */
  readonly option: string | readonly string[];
  /** one text per row, from the top */
  readonly rows: readonly string[];
}

/** A named map, or one drawn row by row. Throws a usage error that says what is wrong with it. */
export function readMap(option: unknown): LakeMap {
  const fail = (message: string): never => {
    throw new UsageError(unit, `in the option "map": ${message}`);
  };
  if (typeof option === 'string') {
    const rows =
      named[option] ?? fail(`expected ${Object.keys(named).join(' or ')} or a list of rows, got "${option}"`);
    return { option, rows };
  }
  const isList = Array.isArray(option) && option.length > 0 && option.every((row) => typeof row === 'string');
  if (!isList)
    return fail(`expected ${Object.keys(named).join(', ')} or a list of rows, got ${JSON.stringify(option)}`);
  const rows = option as readonly string[];
  const columns = rows[0]!.length;
  if (rows.length > maxSide || columns > maxSide || rows.length * columns < 2) {
    fail(`expected 2 cells to ${maxSide} x ${maxSide}, got ${rows.length} rows of ${columns}`);
  }
  rows.forEach((row, r) => {
    if (row.length !== columns) fail(`expected ${columns} letters in row ${r}, as in row 0, got "${row}"`);
    const unknown = /[^SFHG]/.exec(row);
    if (unknown) fail(`expected the letters S, F, H and G, got "${unknown[0]}" in row ${r}, column ${unknown.index}`);
  });
  const count = (letter: string): number => rows.join('').split(letter).length - 1;
  if (count('S') !== 1) fail(`expected one start (S), got ${count('S')}`);
  if (count('G') < 1) fail('expected at least one goal (G), got none');
  return { option: rows, rows };
}
