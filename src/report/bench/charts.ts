/** The charts of `r2po bench`. */
import type { EnvBench } from '../../bench/benchmark.ts';
import type { ScalingAxis } from '../../bench/scaling.ts';
import { chartStyle, renderChart } from '../curves/svg.ts';

const colors = ['#264653', '#2a9d8f', '#e08a1e', '#b5446e'];
/** For colour-blind readers and print. */
const shapes = ['circle', 'square', 'triangle-up', 'diamond'];

function title(text: string, subtitle: readonly string[]): object {
  return { text, subtitle, anchor: 'start', fontSize: 15, subtitleColor: '#555' };
}

/** Backends in the same order in all charts. */
const byBackend = (values: readonly { readonly backend: string }[], range: readonly string[]) => {
  const domain = [...new Set(values.map(({ backend }) => backend))];
  return {
    field: 'backend',
    type: 'nominal',
    scale: { domain, range: range.slice(0, domain.length) },
    legend: { orient: 'bottom', title: null },
  };
};

/** Steps per second per environment and backend, of the row with the most episodes. */
export function speedChart(environments: readonly EnvBench[], subtitle: readonly string[]): Promise<string> {
  const values = environments.flatMap(({ env, rows }) =>
    [...new Set(rows.map((row) => row.backend))].flatMap((backend) => {
      const best = rows.filter((row) => row.backend === backend).reduce((a, b) => (b.episodes > a.episodes ? b : a));
      const wall = { env, backend, speed: best.stepsPerSecond };
      const gpu = best.gpuStepsPerSecond;
      return gpu === null ? [wall] : [wall, { env, backend: `${backend}, GPU time`, speed: gpu }];
    }),
  );
  return renderChart({
    ...chartStyle,
    title: title('Environment steps per second', subtitle),
    width: 520,
    height: { step: 26 },
    data: { values },
    mark: { type: 'point', filled: true, size: 80, opacity: 0.9 },
    encoding: {
      x: { field: 'speed', type: 'quantitative', title: 'steps per second', scale: { type: 'log' }, axis: powers },
      y: { field: 'env', type: 'nominal', title: null, sort: null, axis: { grid: true, labelLimit: 300 } },
      color: byBackend(values, colors),
      shape: byBackend(values, shapes),
    },
  });
}

/** Time of one call against its number of episodes or candidates, one panel per environment. */
export function scalingChart(
  environments: readonly EnvBench[],
  axis: ScalingAxis,
  subtitle: readonly string[],
): Promise<string> {
  const values = environments.flatMap(({ env, scalings }) =>
    scalings
      .filter((curve) => curve.axis === axis)
      .flatMap(({ backend, rows }) => rows.map((row) => ({ env, backend, count: row[axis], ms: row.seconds * 1000 }))),
  );
  return renderChart({
    ...chartStyle,
    title: title(`Time of one evaluate call against its ${axis}`, subtitle),
    data: { values },
    columns: Math.min(3, environments.length),
    facet: { field: 'env', type: 'nominal', title: null, sort: environments.map(({ env }) => env) },
    spec: {
      width: 260,
      height: 180,
      mark: { type: 'line', point: true, strokeWidth: 2 },
      encoding: {
        x: { field: 'count', type: 'quantitative', title: axis, scale: { type: 'log' }, axis: powers },
        y: { field: 'ms', type: 'quantitative', title: 'ms per call', scale: { type: 'log' }, axis: powers },
        color: byBackend(values, colors),
      },
    },
  });
}

/** Labels at powers of ten only, so that they do not overlap. */
const exponent = 'log(datum.value) / LN10';
const powers = {
  labelExpr: `abs(${exponent} - round(${exponent})) < 1e-6 ? '1e' + round(${exponent}) : ''`,
  gridColor: '#eee',
} as const;
