/** How good a run was after each part of its budget: the best value so far against episodes, time and money. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorDetail } from '../../base/errors.ts';
import type { LlmConfig } from '../../config/schema.ts';
import { StoredRun } from '../../runs/folder/read-run.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { RunTotals } from '../../runs/journal/totals.ts';
import { costOfRun } from '../../runs/models/cost.ts';
import { type ReportRun, uncounted } from '../run-records.ts';

export const budgetAxes = ['episodes', 'time', 'cost'] as const;
export type BudgetAxis = (typeof budgetAxes)[number];

/** Where a run stands at the end of an iteration. */
export interface CoursePoint {
  /** what was used so far: episodes, s or USD; above 0 and never lower than before */
  readonly x: number;
  /** the highest mean return of a kept policy so far, as measured in the search */
  readonly best: number;
}

export interface Course {
  readonly run: ReportRun;
  /** one or more */
  readonly points: readonly CoursePoint[];
}

/** Times are recorded in ms, so that a first iteration may take none; the axis is logarithmic. */
const leastTime = 1e-3;

/** The course of a run, or the reason why it has none along this axis; null: it used nothing of it. */
export function courseOf(run: ReportRun, axis: BudgetAxis): Course | string | null {
  const used = usedBy[axis](run);
  if (typeof used === 'string' || used === null) return used;
  const points = run.rows.flatMap(({ best }, i) => (best === null ? [] : [{ x: used[i]!, best }]));
  return points.length === 0 ? 'it kept no policy' : { run, points };
}

const usedBy: Readonly<Record<BudgetAxis, (run: ReportRun) => readonly number[] | string | null>> = {
  // An imported log may count no episode in its first iteration.
  episodes: (run) => uncounted(run, 'episodes') ?? run.rows.map(({ episodes }) => Math.max(1, episodes)),
  time: (run) => {
    const { rows } = run;
    const times = rows.flatMap(({ seconds }) => (seconds === null ? [] : [Math.max(leastTime, seconds)]));
    return times.length < rows.length ? 'its metrics.csv has no wall_s' : (uncounted(run, 'seconds') ?? times);
  },
  cost: rowCosts,
};

/** USD at the end of each iteration, from the record, which alone has the calls of each model; null: it cost nothing. */
function rowCosts(run: ReportRun): readonly number[] | string | null {
  const { folder, manifest, summary } = run;
  const total = summary.llm.cost_usd;
  if (total === null) return 'its cost is unknown';
  if (total === 0) return null;
  if (!existsSync(join(folder, eventsName))) return 'it has no record, which tells the cost of each iteration';
  try {
    const stored = new StoredRun(folder, manifest);
    const config = stored.writtenConfig() as { readonly prices?: LlmConfig['prices'] } | null;
    const prices = config?.prices ?? {};
    const totals = new RunTotals();
    const costs: number[] = [];
    for (const event of stored.events().events) {
      totals.add(event);
      if (event.type === 'iteration') costs.push(costOfRun({ prices }, totals) ?? Number.NaN);
    }
    const isSame = costs.length >= run.rows.length && costs.every((cost) => cost > 0 && cost <= total);
    return isSame ? costs : 'its record gives no cost of each iteration';
  } catch (error) {
    return errorDetail(error);
  }
}

/** The best value after `x` was used; null before the first iteration ended. Binary search. */
export function bestAt({ points }: Course, x: number): number | null {
  let [from, to] = [0, points.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (points[middle]!.x <= x) from = middle + 1;
    else to = middle;
  }
  return points[from - 1]?.best ?? null;
}

export const firstX = ({ points }: Course): number => points[0]!.x;
export const lastX = ({ points }: Course): number => points.at(-1)!.x;
