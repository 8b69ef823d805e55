/** `analyze search` as a picture: for each environment the steps, the drift, and how often steps of each length improve. */
import type { SearchGroup } from '../analyses/search.ts';
import { curveColors } from './group-charts.ts';
import { chartStyle } from './svg.ts';

const panelSize = { width: 260, height: 200 };

interface Point {
  readonly x: number;
  readonly value: number;
  readonly line: string;
}

const lineOf = ({ method, model }: SearchGroup): string => (model === 'none' ? method : `${method}, ${model}`);

/** The median over runs at each iteration. */
function medians(groups: readonly SearchGroup[], of: 'step' | 'drift'): Point[] {
  return groups.flatMap((group) => {
    const byIteration = new Map<number, number[]>();
    for (const { iterations } of group.members) {
      for (const { iteration, step, drift } of iterations) {
        const value = of === 'step' ? (step?.length ?? null) : drift;
        if (value !== null) byIteration.set(iteration, [...(byIteration.get(iteration) ?? []), value]);
      }
    }
    return [...byIteration].map(([x, values]) => {
      const sorted = values.sort((a, b) => a - b);
      const middle = (sorted.length - 1) / 2;
      return { x, value: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2, line: lineOf(group) };
    });
  });
}

function color(lines: readonly string[], legend: object | null) {
  const range = lines.map((_, i) => curveColors[i % curveColors.length]!.light);
  return { field: 'line', type: 'nominal', scale: { domain: lines, range }, legend };
}

const quiet = { gridColor: '#eeeeee' };

function linePanel(title: string, yTitle: string, values: readonly Point[], colors: object): object {
  return {
    ...panelSize,
    title: { text: title, anchor: 'start', fontSize: 12 },
    data: { values },
    mark: { type: 'line', strokeWidth: 2 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: 'iteration',
        axis: { grid: false, tickMinStep: 1 },
        scale: { nice: false },
      },
      y: { field: 'value', type: 'quantitative', title: yTitle, axis: quiet, scale: { zero: true } },
      color: colors,
    },
  };
}

function acceptancePanel(groups: readonly SearchGroup[], colors: object): object {
  const values = groups.flatMap((group) =>
    group.summary.acceptance.map(({ from, to, share, ci95: [low, high] }) => ({
      ...{ x: (from + to) / 2, share, low, high, line: lineOf(group) },
    })),
  );
  const x = {
    field: 'x',
    type: 'quantitative',
    title: 'step length (widths of the box)',
    axis: { grid: false },
    scale: { nice: true, zero: true },
  };
  const y = {
    type: 'quantitative',
    title: 'share that improves',
    axis: { ...quiet, format: '.0%' },
    scale: { zero: true },
  };
  return {
    ...panelSize,
    title: { text: 'Improving candidates by step length', anchor: 'start', fontSize: 12 },
    data: { values },
    layer: [
      {
        mark: { type: 'rule', opacity: 0.6 },
        encoding: { x, y: { field: 'low', ...y }, y2: { field: 'high' }, color: colors },
      },
      {
        mark: { type: 'line', strokeWidth: 2, point: { filled: true, size: 45 } },
        encoding: { x, y: { field: 'share', ...y }, color: colors },
      },
    ],
  };
}

/** The Vega-Lite specification, data included. */
export function searchSpec(groups: readonly SearchGroup[]): object {
  const lines = [...new Set(groups.map(lineOf))];
  const symbol = { symbolType: 'stroke', symbolStrokeWidth: 3, symbolOpacity: 1, symbolSize: 200 };
  const legend = { orient: 'bottom', title: null, labelFontSize: 12, labelLimit: 600, columns: 3, ...symbol };
  const colors = color(lines, legend);
  const environments = [...new Set(groups.map(({ env }) => env))];
  return {
    ...chartStyle,
    title: {
      text: 'How searches move',
      subtitle: ['of the best candidate of each iteration: median over runs; distances in widths of the box'],
      ...{ anchor: 'start', fontSize: 15, subtitleColor: '#555', offset: 14 },
    },
    vconcat: environments.map((env) => {
      const own = groups.filter((group) => group.env === env);
      return {
        title: { text: env, anchor: 'start', fontSize: 13 },
        hconcat: [
          linePanel('Step from the best policy before', 'step length', medians(own, 'step'), colors),
          linePanel('Drift of the best policy', 'distance from the first', medians(own, 'drift'), colors),
          acceptancePanel(own, colors),
        ],
      };
    }),
    resolve: { scale: { color: 'shared' }, legend: { color: 'shared' } },
  };
}
