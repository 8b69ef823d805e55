/** Reward against what it cost, averaged over the runs of a group. */
import type { RunGroup } from './groups.ts';
import { spreadOf } from './groups.ts';
import type { CurveRow, RunRecord } from './run-records.ts';
import { chartStyle, renderChart } from './svg.ts';

export const curveAxes = ['episodes', 'iterations', 'tokens'] as const;
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

const positions: Readonly<Record<CurveAxis, (row: CurveRow) => number>> = {
  episodes: ({ episodes }) => episodes,
  iterations: ({ iteration }) => iteration,
  tokens: ({ tokens }) => tokens,
};

const gridPoints = 101;

/** What a run shows at each place: the value of its last iteration up to there. */
function steps(run: RunRecord, axis: CurveAxis, value: CurveValue): { x: number; y: number }[] {
  const list: { x: number; y: number }[] = [];
  for (const row of run.rows) {
    const y = value === 'best' ? row.best : row.mean;
    if (y !== null) list.push({ x: positions[axis](row), y });
  }
  return list;
}

/**
 * The mean over runs on a grid that all of them cover: from where the last one has begun to where the first one ends, so
 * that every run is in every mean. Runs do not count the same episodes or tokens, so each gives the value that it holds.
 */
export function averageCurve(group: RunGroup, axis: CurveAxis, value: CurveValue): CurveStep[] {
  const runs = group.runs.map((run) => steps(run, axis, value)).filter((list) => list.length > 0);
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

const colors = [
  '#264653',
  '#e08a1e',
  '#2a9d8f',
  '#b5446e',
  '#5a6fb0',
  '#7a8b3a',
  '#8a5a3c',
  '#444444',
  '#c94f4f',
  '#3c9fc4',
];

/** One panel per environment, one line per other group; the Vega-Lite specification, data included. */
export function curveSpec(
  curves: readonly { readonly panel: string; readonly line: string; readonly steps: readonly CurveStep[] }[],
  { axis, value }: { readonly axis: CurveAxis; readonly value: CurveValue },
): object {
  const values = curves.flatMap(({ panel, line, steps: list }) => list.map((step) => ({ panel, line, ...step })));
  const lines = [...new Set(curves.map(({ line }) => line))];
  const color = {
    field: 'line',
    type: 'nominal',
    scale: { domain: lines, range: lines.map((_, i) => colors[i % colors.length]) },
    legend: { orient: 'bottom', title: null, labelLimit: 400 },
  };
  const x = {
    field: 'x',
    type: 'quantitative',
    title: axis,
    axis: { grid: false },
    scale: { nice: false, zero: false },
  };
  const title = value === 'best' ? 'highest mean return so far' : 'mean return of the kept policy';
  return {
    ...chartStyle,
    data: { values },
    facet: { field: 'panel', type: 'nominal', title: null, header: { labelFontSize: 13, labelFontWeight: 'bold' } },
    columns: 2,
    spec: {
      width: 360,
      height: 220,
      layer: [
        {
          mark: { type: 'area', opacity: 0.18 },
          encoding: {
            x,
            y: { field: 'low', type: 'quantitative', title, scale: { zero: false } },
            y2: { field: 'high' },
            color,
          },
        },
        { mark: { type: 'line', strokeWidth: 2 }, encoding: { x, y: { field: 'mean', type: 'quantitative' }, color } },
      ],
    },
    resolve: { scale: { x: 'independent', y: 'independent' } },
  };
}

export function drawCurves(specification: object): Promise<string> {
  return renderChart(specification);
}
