/** Maps of the lake: S start, F frozen, H hole, G goal. */
import { UsageError } from '../../base/errors.ts';
import type { EnvOptions } from '../env.ts';

const unit = 'FrozenLake-v1';

/** Source: MAPS of gymnasium/envs/toy_text/frozen_lake.py, 1.4. */
const named: Readonly<Record<string, readonly string[]>> = {
  '4x4': ['SFFF', 'FHFH', 'FFFH', 'HFFG'],
  '8x8': ['SFFFFFFF', 'FFFFFFFF', 'FFFHFFFF', 'FFFFFHFF', 'FFFHFFFF', 'FHHFFFHF', 'FHFFHFHF', 'FFFHFFFG'],
};

export const mapNames = Object.keys(named);

/** Largest number of rows and of columns. */
const maxSide = 16;

/**
 * The options with the map as `map`: Gymnasium has `map_name` for a name, and `desc` for rows. Throws a usage error when
 * the map is given twice.
 */
export function readMapOptions({ map_name: name, desc, ...others }: EnvOptions): EnvOptions {
  // As in Gymnasium, where null leaves the map to the other one.
  const given = Object.entries({ map_name: name, desc }).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) {
    if (name !== null) return others;
    throw new UsageError(unit, `expected option "map_name" to be ${mapNames.join(' or ')}, got null; name one`);
  }
  const [first, second] = [...('map' in others ? ['map'] : []), ...given.map(([key]) => key)];
  if (second !== undefined) throw new UsageError(unit, `expected one map, got "${first}" and "${second}"; remove one`);
  if (typeof name === 'string' && !Object.hasOwn(named, name)) {
    throw new UsageError(unit, `expected option "map_name" to be ${mapNames.join(' or ')}, got "${name}"`);
  }
  return { ...others, map: given[0]![1] };
}

/** The rows, from the top, of a named map or one drawn row by row. Throws a usage error that says what is wrong with it. */
export function readMap(option: unknown): readonly string[] {
  const fail = (message: string): never => {
    throw new UsageError(unit, `in the option "map": ${message}`);
  };
  if (typeof option === 'string') {
    const rows =
      (Object.hasOwn(named, option) ? named[option] : undefined) ??
      fail(`expected ${Object.keys(named).join(' or ')} or a list of rows, got "${option}"`);
    return rows;
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
  return rows;
}
