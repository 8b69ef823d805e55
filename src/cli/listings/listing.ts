/** What `r2po list` shows. */
import type { Table } from '../../report/tables/table.ts';

/** Records for `--json`, and the same as a table. */
export interface Listing extends Pick<Table, 'columns' | 'rows'> {
  readonly records: readonly object[];
}
