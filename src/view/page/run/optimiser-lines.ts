/** Columns of a matrix as lines of a chart, no more than can be told apart. */

export interface Line {
  readonly index: number;
  readonly values: readonly (number | null)[];
}

const mostLines = 12;

/** Columns of `rows`; of more than twelve, those that are evenly apart, first and last among them. */
export function linesOf(rows: readonly (readonly number[])[]): Line[] {
  const count = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const shown = Math.min(count, mostLines);
  return Array.from({ length: shown }, (_, i) => {
    const index = shown === count ? i : Math.round((i * (count - 1)) / (shown - 1));
    return { index, values: rows.map((row) => row[index] ?? null) };
  });
}
