/** The parameters of a policy for their pictures: a matrix, a table on its grid, or a list. */
import type { RunPage } from '../../api/run.ts';

export type PolicyNames = NonNullable<RunPage['names']>;

/** Larger matrices are lists: their cells would be too small to read. */
const maxCells = 1500;
const maxColumns = 24;

export type Shape = 'grid' | 'matrix' | 'list';

export function shapeOf(names: PolicyNames | null, count: number): Shape {
  if (names === null) return 'list';
  const { grid, matrix } = names;
  if (grid && grid.length > 0 && grid.reduce((sum, row) => sum + row.length, 0) === count) return 'grid';
  if (matrix && matrix.rows.length * matrix.columns.length === count && count <= maxCells) {
    return matrix.columns.length <= maxColumns ? 'matrix' : 'list';
  }
  return 'list';
}

export interface Entry {
  readonly index: number;
  readonly name: string;
  readonly value: number;
  /** to the reference; null: there is none */
  readonly change: number | null;
}

export function entriesOf(
  params: readonly number[],
  reference: readonly number[] | null,
  names: PolicyNames | null,
): Entry[] {
  return params.map((value, index) => ({
    index,
    name: names?.params[index] ?? `parameter ${index}`,
    value,
    // Decimals of a reply, not of binary fractions: 0.3 - 0.1 is 0.2.
    change: reference === null ? null : Number((value - reference[index]!).toPrecision(12)),
  }));
}

/** The largest amount; 1 where there is none, as a scale needs a width. */
export function largest(values: readonly (number | null)[]): number {
  let found = 0;
  for (const value of values) if (value !== null && Number.isFinite(value)) found = Math.max(found, Math.abs(value));
  return found > 0 ? found : 1;
}

const directions: readonly (readonly [RegExp, string])[] = [
  [/\b(left|west)\b/i, '←'],
  [/\b(right|east)\b/i, '→'],
  [/\b(up|north)\b/i, '↑'],
  [/\b(down|south)\b/i, '↓'],
];

/** An arrow for the name of an action that is a direction, else its first letters; without names the number. */
export function actionMark(actions: readonly string[] | null, value: number): string {
  const name = actions?.[Math.trunc(value)];
  if (name === undefined) return String(value);
  return directions.find(([pattern]) => pattern.test(name))?.[1] ?? name.slice(0, 3);
}

export const actionName = (actions: readonly string[] | null, value: number): string =>
  actions?.[Math.trunc(value)] ?? String(value);
