/** A report on the terminal and in a folder. */
import { type CurveAxis, curveAxes } from '../report/curves/average-curves.ts';
import { type Report, reportTables } from '../report/report.ts';
import type { LeftOut } from '../runs/folder/find-runs.ts';
import type { Io } from './io.ts';

/** A folder gets all curves, the terminal the first. */
export const defaultAxes = (out: string | undefined): readonly CurveAxis[] =>
  out === undefined ? curveAxes.slice(0, 1) : curveAxes;

export function printReport(report: Report, io: Io): void {
  for (const { setting, text } of report.findings) {
    const line = io.wrapped(`${setting}: ${text}`);
    // The setting may be wrapped itself.
    io.print(line.startsWith(setting) ? `${io.outColors.bold(setting)}${line.slice(setting.length)}` : line);
  }
  io.print('');
  for (const table of reportTables(report)) io.print(`${io.titledTable(table)}\n`);
}

/** Returns the files that could not be made. */
export async function saveReportIn(folder: string, report: Report, io: Io): Promise<readonly LeftOut[]> {
  const { saveReport } = await import('../report/pages/report-files.ts');
  const leftOut: LeftOut[] = [];
  const names = await saveReport(folder, report, (file) => leftOut.push(file));
  io.note(`saved in ${folder}: ${names.join(', ')}`);
  for (const { path, reason } of leftOut) io.warn(`left out: ${path}: ${reason}`);
  return leftOut;
}
