/** The reward curve of one run as SVG. */
import { chartStyle, renderChart } from './svg.ts';

/** One iteration; the fields are columns of a run's `metrics.csv`. */
export interface CurvePoint {
  /** from 1 */
  readonly iteration: number;
  /** mean return of each candidate; null when it does not exist */
  readonly proposal: number | null;
  readonly revision: number | null;
  /** highest mean return of the kept policies so far; null before the first */
  readonly best: number | null;
}

export interface CurveOptions {
  readonly title: string;
  /** lines under the title */
  readonly subtitle: readonly string[];
  /** the best policy on fresh seeds, drawn as a dashed line; null before the re-check */
  readonly rechecked: { readonly mean: number; readonly label: string } | null;
}

const colors = { proposal: '#e08a1e', revision: '#2a9d8f', best: '#264653' } as const;

/** @returns an SVG document; text keeps the viewer's fonts */
export async function rewardCurve(points: readonly CurvePoint[], options: CurveOptions): Promise<string> {
  return renderChart(curveSpec(points, options));
}

/** The Vega-Lite specification, data included. */
function curveSpec(points: readonly CurvePoint[], { title, subtitle, rechecked }: CurveOptions): object {
  const bestSoFar = points.map(({ iteration, best }) => ({ iteration, value: best }));
  const candidates = points.flatMap(({ iteration, proposal, revision }) => [
    { iteration, candidate: 'proposal', value: proposal },
    { iteration, candidate: 'revision', value: revision },
  ]);
  const x = {
    field: 'iteration',
    type: 'quantitative',
    title: 'iteration',
    axis: { tickMinStep: 1, grid: false },
    scale: { nice: false },
  };
  const y = { field: 'value', type: 'quantitative', title: 'mean return' };
  const recheckLayers = rechecked
    ? [
        {
          data: { values: [{ value: rechecked.mean }] },
          mark: { type: 'rule', strokeDash: [5, 4], color: colors.best },
          encoding: { y },
        },
        {
          data: { values: [{ value: rechecked.mean, label: rechecked.label }] },
          mark: { type: 'text', align: 'right', baseline: 'top', dx: -4, dy: 5, color: colors.best },
          encoding: { x: { value: 'width' }, y, text: { field: 'label' } },
        },
      ]
    : [];
  return {
    ...chartStyle,
    title: { text: title, subtitle, anchor: 'start', fontSize: 15, subtitleColor: '#555' },
    width: 620,
    height: 260,
    layer: [
      {
        data: { values: candidates },
        mark: { type: 'circle', size: 34, opacity: 0.75 },
        encoding: {
          x,
          y,
          color: {
            field: 'candidate',
            type: 'nominal',
            scale: {
              domain: ['proposal', 'revision', 'best so far'],
              range: [colors.proposal, colors.revision, colors.best],
            },
            legend: { orient: 'bottom', title: null },
          },
        },
      },
      {
        data: { values: bestSoFar },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
        encoding: { x, y, color: { datum: 'best so far' } },
      },
      ...recheckLayers,
    ],
  };
}
