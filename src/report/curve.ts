/** The reward curve of one run as SVG, drawn by Vega-Lite without a browser. */

export interface CurvePoint {
  /** from 1 */
  readonly iteration: number;
  /** mean return of each candidate; null when it does not exist */
  readonly proposal: number | null;
  readonly revision: number | null;
  /** mean return of the policy that was kept; null when the iteration produced nothing usable */
  readonly kept: number | null;
}

export interface CurveOptions {
  readonly title: string;
  readonly subtitle: string;
  /** the re-checked best of the run with its 95 % interval, drawn as a line; null before the re-check */
  readonly rechecked: { readonly mean: number; readonly ci95: readonly [number, number] } | null;
}

const colors = { proposal: '#e08a1e', revision: '#2a9d8f', best: '#264653' } as const;

/** @returns an SVG document; text keeps the viewer's fonts */
export async function rewardCurve(points: readonly CurvePoint[], options: CurveOptions): Promise<string> {
  const vega = await import('vega');
  const { compile } = await import('vega-lite');
  const { spec } = compile(curveSpec(points, options) as Parameters<typeof compile>[0]);
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** The Vega-Lite specification, data included. */
function curveSpec(points: readonly CurvePoint[], { title, subtitle, rechecked }: CurveOptions): object {
  let best = Number.NEGATIVE_INFINITY;
  const bestSoFar = points.map(({ iteration, kept }) => {
    best = Math.max(best, kept ?? best);
    return { iteration, value: Number.isFinite(best) ? best : null };
  });
  const candidates = points.flatMap(({ iteration, proposal, revision }) => [
    { iteration, candidate: 'proposal', value: proposal },
    { iteration, candidate: 'revision', value: revision },
  ]);
  const x = { field: 'iteration', type: 'quantitative', title: 'iteration', axis: { tickMinStep: 1, grid: false } };
  const y = { field: 'value', type: 'quantitative', title: 'mean return' };
  const recheckLayers = rechecked
    ? [
        {
          data: { values: [{ value: rechecked.mean }] },
          mark: { type: 'rule', strokeDash: [5, 4], color: colors.best },
          encoding: { y },
        },
        {
          data: { values: [{ value: rechecked.mean, label: `best, re-checked: ${rechecked.mean.toFixed(1)}` }] },
          mark: { type: 'text', align: 'right', baseline: 'bottom', dx: -4, dy: -4, color: colors.best },
          encoding: { x: { value: 'width' }, y, text: { field: 'label' } },
        },
      ]
    : [];
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    title: { text: title, subtitle, anchor: 'start', fontSize: 15, subtitleColor: '#555' },
    width: 620,
    height: 260,
    layer: [
      {
        data: { values: candidates },
        mark: { type: 'circle', size: 28, opacity: 0.75 },
        encoding: {
          x,
          y,
          color: {
            field: 'candidate',
            type: 'nominal',
            scale: { domain: ['proposal', 'revision'], range: [colors.proposal, colors.revision] },
            legend: { orient: 'bottom', title: null },
          },
        },
      },
      {
        data: { values: bestSoFar },
        mark: { type: 'line', interpolate: 'step-after', color: colors.best, strokeWidth: 2 },
        encoding: { x, y },
      },
      ...recheckLayers,
    ],
    config: { font: 'sans-serif', view: { stroke: null }, axis: { labelColor: '#333', titleColor: '#333' } },
  };
}
