/** The result of a run on stdout. */
import { runRows } from '../report/tables/run-table.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import type { Io } from './io.ts';

/** Prints the summary as a table, or with `--json` as it is. */
export function printRun(folder: string, summary: RunSummary, { json }: { readonly json?: boolean }, io: Io): void {
  if (json) {
    io.printJson(summary);
    return;
  }
  const columns = [{ title: `${summary.env} ${summary.method}` }, { title: `seed ${summary.seed}` }];
  io.print(io.table({ columns, rows: runRows(summary) }));
  io.print(`\nrun folder: ${folder}`);
}
