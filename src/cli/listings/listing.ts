/** What `r2po list` shows. */
import type { Table } from '../../report/tables/table.ts';

/** The same for `--json` and for the terminal. */
export interface Listing {
  readonly records: readonly object[];
  readonly table: Table;
}
