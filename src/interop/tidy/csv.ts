/** The tidy table as CSV. */
import { inertCsvLine } from '../../base/csv-line.ts';
import { type TidyRow, tidyColumns } from './rows.ts';

export function csvHeader(): string {
  return inertCsvLine(tidyColumns.map(({ name }) => name));
}

/** `kept` is 1 or 0; a cell without a value is empty. */
export function csvRow(row: TidyRow): string {
  return inertCsvLine(tidyColumns.map(({ name }) => (name === 'kept' ? Number(row.kept) : row[name])));
}
