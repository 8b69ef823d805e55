/** A table before it is drawn: on a terminal by the command line, in Markdown here. */

export interface Column {
  readonly title: string;
  /** `right` for numbers; left when left out */
  readonly align?: 'left' | 'right';
}

/** A null cell is drawn as `-`. */
export type Cell = string | number | null;

export interface Table {
  readonly title: string;
  /** what a reader has to know to read it; empty when nothing */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

export function markdownTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const text = (cell: Cell): string => (cell === null ? '-' : String(cell).replaceAll('|', '\\|'));
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(text))),
  ].join('\n');
}
