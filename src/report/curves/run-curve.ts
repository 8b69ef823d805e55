/** The reward curve of one run as SVG. */
import type { IterationRow } from '../../runs/journal/totals.ts';
import { chartStyle, renderChart } from './svg.ts';

/** One iteration of a run. */
export type CurvePoint = Pick<IterationRow, 'iteration' | 'candidates' | 'best'>;

export interface CurveOptions {
  readonly title: string;
  /** lines under the title */
  readonly subtitle: readonly string[];
  /** the best policy on fresh seeds, drawn as a dashed line; null before the re-check */
  readonly rechecked: { readonly mean: number; readonly label: string } | null;
}

/** Colours of the candidates in their order, repeated if there are more. */
const candidateColors = ['#e08a1e', '#2a9d8f', '#8e6bbf', '#c94f6d'];
const bestColor = '#264653';

/** @returns an SVG document; text keeps the viewer's fonts */
export async function rewardCurve(points: readonly CurvePoint[], options: CurveOptions): Promise<string> {
  return renderChart(curveSpec(points, options));
}

/** The Vega-Lite specification, data included. */
function curveSpec(points: readonly CurvePoint[], { title, subtitle, rechecked }: CurveOptions): object {
  const bestSoFar = points.map(({ iteration, best }) => ({ iteration, value: best }));
  const candidates = points.flatMap((point) =>
    Object.entries(point.candidates).map(([candidate, value]) => ({ iteration: point.iteration, candidate, value })),
  );
  const labels = [...new Set(candidates.map(({ candidate }) => candidate))];
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
          mark: { type: 'rule', strokeDash: [5, 4], color: bestColor },
          encoding: { y },
        },
        {
          data: { values: [{ value: rechecked.mean, label: rechecked.label }] },
          mark: { type: 'text', align: 'right', baseline: 'top', dx: -4, dy: 5, color: bestColor },
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
              domain: [...labels, 'best so far'],
              range: [...labels.map((_, i) => candidateColors[i % candidateColors.length]), bestColor],
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
