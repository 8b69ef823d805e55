/** The result of a run on stdout. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, R2poError } from '../base/errors.ts';
import { runRows } from '../report/tables/run-table.ts';
import { readRun } from '../runs/folder/read-run.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import { LostLockError } from '../runs/journal/lock.ts';
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

/** With `--json`, the summary of a run that `error` has stopped: it is saved, and the one document on stdout. */
export function printStopped(folder: string, error: unknown, { json }: { readonly json?: boolean }, io: Io): void {
  const isStop = error instanceof R2poError && error.exitCode !== exitCodes.usage && !(error instanceof LostLockError);
  if (json && isStop && existsSync(join(folder, 'summary.json'))) io.printJson(readRun(folder).summary());
}
