/** Runs beside each other: the document of `r2po report --json` for them, and what differs between their configurations. */
import { R2poError, UsageError } from '../../base/errors.ts';
import { leaves } from '../../config/leaves.ts';
import { defaultReport, makeReport, reportDocument } from '../../report/report.ts';
import { findReportRuns, withVariants } from '../../report/run-records.ts';
import { readRun } from '../../runs/folder/read-run.ts';
import type { Comparison } from '../api/requests.ts';

/** Runs whose report is made within seconds. */
export const mostCompared = 400;

export interface ComparedRun {
  readonly id: string;
  readonly folder: string;
}

/** `by`: grouping keys; none: those of the report. Throws a usage error for runs that the report refuses. */
export async function comparisonOf(runs: readonly ComparedRun[], by: readonly string[]): Promise<Comparison> {
  if (runs.length === 0) throw new UsageError('view', 'expected runs to compare, got none; add run=ID');
  if (runs.length > mostCompared) {
    throw new UsageError(
      'view',
      `expected at most ${mostCompared} runs to compare, got ${runs.length}; use "r2po report"`,
    );
  }
  const found = await withVariants(findReportRuns(runs.map(({ folder }) => folder)));
  const grouping = by.length === 0 ? {} : { by, pool: true };
  const report = makeReport(found, { ...defaultReport, ...grouping });
  return {
    report: reportDocument(report),
    differs: differencesOf(runs),
    runs: runs.map(({ id }) => id),
  };
}

function leavesOf({ folder }: ComparedRun): ReadonlyMap<string, string> {
  try {
    return new Map(leaves(readRun(folder).writtenConfig()));
  } catch (error) {
    // The report says why a run is left out.
    if (error instanceof R2poError) return new Map();
    throw error;
  }
}

/** Keys that do not have the same value in all configurations, in the order in which they stand there. */
function differencesOf(runs: readonly ComparedRun[]): Comparison['differs'] {
  const all = runs.map(leavesOf);
  const keys = new Set(all.flatMap((one) => [...one.keys()]));
  return [...keys].flatMap((key) => {
    const values = all.map((one) => one.get(key) ?? '');
    return new Set(values).size > 1 ? [{ key, values }] : [];
  });
}
