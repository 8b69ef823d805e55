/** A report on the terminal and in a folder. */
import { type CurveAxis, curveAxes } from '../report/curves/average-curves.ts';
import { type Report, reportTables } from '../report/report.ts';
import type { Io } from './io.ts';

/** A folder gets all curves, the terminal the first. */
export const defaultAxes = (out: string | undefined): readonly CurveAxis[] =>
  out === undefined ? curveAxes.slice(0, 1) : curveAxes;

export function printReport(report: Report, io: Io): void {
  for (const { setting, text } of report.findings) io.print(`${io.outColors.bold(setting)}: ${text}`);
  io.print('');
  for (const table of reportTables(report)) io.print(`${io.titledTable(table)}\n`);
}

export async function saveReportIn(folder: string, report: Report, io: Io): Promise<void> {
  const { saveReport } = await import('../report/pages/report-files.ts');
  const names = await saveReport(folder, report);
  io.note(`saved in ${folder}: ${names.join(', ')}`);
}
