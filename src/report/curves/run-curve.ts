/** The reward curve of one run as SVG. */
import type { IterationRow } from '../../runs/journal/iteration-rows.ts';
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

const size = { width: 620, height: 260 };

/** Circles that lie closer than this, in pixels, are drawn as one; a circle is about 6 wide. */
const cell = 2;

/** Fewer circles than this are all drawn. */
const manyCircles = 2000;

interface Circle {
  readonly iteration: number;
  readonly candidate: string;
  readonly value: number;
}

/** One circle of those of a candidate that would cover each other: a long run has more than a picture has pixels. */
function visibleCircles(circles: readonly Circle[]): readonly Circle[] {
  if (circles.length < manyCircles) return circles;
  let [low, high, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
  for (const { iteration, value } of circles) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    last = Math.max(last, iteration);
  }
  const [perIteration, perValue] = [size.width / cell / last, size.height / cell / (high - low || 1)];
  const drawn = new Map<string, Circle>();
  for (const circle of circles) {
    const { iteration, candidate, value } = circle;
    const place = `${Math.floor(iteration * perIteration)} ${Math.floor((value - low) * perValue)} ${candidate}`;
    if (!drawn.has(place)) drawn.set(place, circle);
  }
  return [...drawn.values()];
}

/** The Vega-Lite specification, data included. */
function curveSpec(points: readonly CurvePoint[], { title, subtitle, rechecked }: CurveOptions): object {
  // The line is a step: between two changes it needs no point.
  const bestSoFar = points
    .filter(({ best }, i) => i === 0 || i === points.length - 1 || best !== points[i - 1]!.best)
    .map(({ iteration, best }) => ({ iteration, value: best }));
  const candidates = visibleCircles(
    points.flatMap((point) =>
      Object.entries(point.candidates).map(([candidate, value]) => ({ iteration: point.iteration, candidate, value })),
    ),
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
    ...size,
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
