/** Reward against what it cost, averaged over the runs of a group. */

import type { MetricsRow } from '../../runs/folder/metrics.ts';
import type { RunGroup } from '../groups.ts';
import { spreadOf } from '../groups.ts';
import type { ReportRun } from '../run-records.ts';

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
  readonly runs: number;
}

export interface LeftOutRun {
  readonly folder: string;
  readonly reason: string;
}

export interface AverageCurve {
  /** none where the runs share no place */
  readonly steps: readonly CurveStep[];
  /** runs that are in none of its means, and why */
  readonly leftOut: readonly LeftOutRun[];
}

const positions: Readonly<Record<CurveAxis, (row: MetricsRow) => number | null>> = {
  episodes: ({ episodes }) => episodes,
  iterations: ({ iteration }) => iteration,
  calls: ({ calls }) => calls,
  tokens: ({ tokens }) => tokens,
};

const gridPoints = 101;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** What a run shows at each place, or why it shows nothing. */
function placesOf(run: ReportRun, axis: CurveAxis, value: CurveValue): readonly Place[] | string {
  const list: Place[] = [];
  for (const row of run.rows) {
    const y = value === 'best' ? row.best : row.mean;
    const x = positions[axis](row);
    if (x === null) return `its metrics.csv does not count ${axis}`;
    if (y !== null) list.push({ x, y });
  }
  return list.length === 0 ? 'it kept no policy' : list;
}

/**
 * The mean over runs on a grid that all of them cover: from where the last one has begun to where the first one ends, so
 * that every run is in every mean. Runs do not count the same episodes or tokens, so each gives the value that it holds:
 * that of its last iteration up to there.
 */
export function averageCurve(group: RunGroup, axis: CurveAxis, value: CurveValue): AverageCurve {
  const runs: (readonly Place[])[] = [];
  const leftOut: LeftOutRun[] = [];
  for (const run of group.runs) {
    const places = placesOf(run, axis, value);
    if (typeof places === 'string') leftOut.push({ folder: run.folder, reason: places });
    else runs.push(places);
  }
  return { steps: averageOf(runs, axis), leftOut };
}

function averageOf(runs: readonly (readonly Place[])[], axis: CurveAxis): CurveStep[] {
  if (runs.length === 0) return [];
  const from = Math.max(...runs.map((list) => list[0].x));
  const to = Math.min(...runs.map((list) => list[list.length - 1].x));
  if (to < from) return [];
  const count = to === from ? 1 : axis === 'iterations' ? Math.min(gridPoints, to - from + 1) : gridPoints;
  const reached = runs.map(() => 0);
  return Array.from({ length: count }, (_, i) => {
    const x = count === 1 ? from : from + ((to - from) * i) / (count - 1);
    const values = runs.map((list, r) => {
      while (reached[r] + 1 < list.length && list[reached[r] + 1].x <= x) reached[r]++;
      return list[reached[r]].y;
    });
    const spread = spreadOf(values);
    const [low, high] = spread?.ci95 ?? [null, null];
    return { x, mean: spread?.mean ?? Number.NaN, low, high, runs: values.length };
  });
}
