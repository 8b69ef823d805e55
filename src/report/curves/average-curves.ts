/** Reward curves averaged over the runs of a group. */

import type { MetricsRow } from '../../runs/folder/metrics.ts';
import type { RunGroup } from '../groups.ts';
import { bandOf, spreadOf } from '../groups.ts';
import { type ReportRun, uncounted } from '../run-records.ts';

export const curveAxes = ['episodes', 'iterations', 'calls', 'tokens'] as const;
export type CurveAxis = (typeof curveAxes)[number];

/** `kept`: of the policy that the last iteration kept; `best`: the highest so far. */
export const curveValues = ['kept', 'best'] as const;
export type CurveValue = (typeof curveValues)[number];

export interface CurveStep {
  readonly x: number;
  /** over all runs of the group */
  readonly mean: number;
  /** interval of the mean; null for one run */
  readonly low: number | null;
  readonly high: number | null;
  /** the lowest and the highest run */
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

export interface LeftOutRun {
  readonly folder: string;
  readonly reason: string;
}

export interface AverageCurve {
  /** empty if the runs have no common range */
  readonly steps: readonly CurveStep[];
  /** excluded runs, and why */
  readonly leftOut: readonly LeftOutRun[];
}

const axisValues: Readonly<Record<CurveAxis, (row: MetricsRow) => number | null>> = {
  episodes: ({ episodes }) => episodes,
  iterations: ({ iteration }) => iteration,
  calls: ({ calls }) => calls,
  tokens: ({ tokens }) => tokens,
};

const gridPoints = 101;

interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/** The points of a run, or the reason why it has none. */
function pointsOf(run: ReportRun, axis: CurveAxis, value: CurveValue): readonly CurvePoint[] | string {
  const reason = axis === 'episodes' ? uncounted(run, axis) : null;
  if (reason !== null) return reason;
  const list: CurvePoint[] = [];
  for (const row of run.rows) {
    const y = value === 'best' ? row.best : row.mean;
    const x = axisValues[axis](row);
    if (x === null) return `its metrics.csv does not count ${axis}`;
    if (y !== null) list.push({ x, y });
  }
  return list.length === 0 ? 'it kept no policy' : list;
}

/**
 * The mean over runs on a grid in their common range, so that every mean includes every run. Runs count different numbers
 * of episodes or tokens; the value of a run at a grid point is that of its last iteration before.
 */
export function averageCurve(group: RunGroup, axis: CurveAxis, value: CurveValue): AverageCurve {
  const runs: (readonly CurvePoint[])[] = [];
  const leftOut: LeftOutRun[] = [];
  for (const run of group.runs) {
    const points = pointsOf(run, axis, value);
    if (typeof points === 'string') leftOut.push({ folder: run.folder, reason: points });
    else runs.push(points);
  }
  return { steps: averageOf(runs, axis), leftOut };
}

/** What each run of a group adds to the mean at `x`, in the order of the runs; null: it is left out of the curve. */
export function valuesAt(
  { runs }: Pick<RunGroup, 'runs'>,
  axis: CurveAxis,
  value: CurveValue,
  x: number,
): { readonly run: ReportRun; readonly value: number | null }[] {
  return runs.map((run) => {
    const points = pointsOf(run, axis, value);
    const before = typeof points === 'string' ? [] : points.filter((point) => point.x <= x);
    return { run, value: before.at(-1)?.y ?? null };
  });
}

function averageOf(runs: readonly (readonly CurvePoint[])[], axis: CurveAxis): CurveStep[] {
  if (runs.length === 0) return [];
  const from = Math.max(...runs.map((list) => list[0]!.x));
  const to = Math.min(...runs.map((list) => list[list.length - 1]!.x));
  if (to < from) return [];
  const count = to === from ? 1 : axis === 'iterations' ? Math.min(gridPoints, to - from + 1) : gridPoints;
  const reached = runs.map(() => 0);
  return Array.from({ length: count }, (_, i) => {
    const x = count === 1 ? from : from + ((to - from) * i) / (count - 1);
    const values = runs.map((list, r) => {
      while (reached[r]! + 1 < list.length && list[reached[r]! + 1]!.x <= x) reached[r]!++;
      return list[reached[r]!]!.y;
    });
    const spread = spreadOf(values)!;
    const { mean, min, max } = spread;
    const [low, high] = bandOf(spread);
    return { x, mean, low, high, min, max, runs: values.length };
  });
}
