/** A policy under changed constants as a picture: a curve over one constant, a heat map over two, one map each for a third. */
import { tableNumber } from '../../base/plain-number.ts';
import type { Env } from '../../envs/env.ts';
import type { Variation, VariedConstant } from '../../evaluation/variation.ts';
import { chartStyle } from './svg.ts';

const valueText = (value: number): string => tableNumber(value, 4);
/** Wider maps have no room for numbers. */
const mostLabels = 12;

const titleOf = (env: Env, { name }: VariedConstant): string => `${name} (${env.constants[name]!.unit})`;

interface ChartText {
  readonly title: string;
  readonly subtitle: readonly string[];
}

const heading = ({ title, subtitle }: ChartText) => ({
  text: title,
  subtitle,
  anchor: 'start',
  fontSize: 15,
  subtitleColor: '#555',
  offset: 14,
});

function curve(env: Env, { varied, unchanged, points }: Variation, text: ChartText): object {
  const [constant] = varied;
  const values = points.map(({ constants, summary }) => ({
    x: constants[constant!.name],
    mean: summary?.mean ?? null,
    low: summary?.ci95?.[0] ?? null,
    high: summary?.ci95?.[1] ?? null,
  }));
  const x = {
    field: 'x',
    type: 'quantitative',
    title: titleOf(env, constant!),
    axis: { grid: false },
    scale: { zero: false, nice: false },
  };
  const y = { type: 'quantitative', title: 'mean return', scale: { zero: false }, axis: { gridColor: '#eeeeee' } };
  const here = { values: [{ x: env.params[constant!.name], mean: unchanged.mean, text: 'unchanged' }] };
  return {
    ...chartStyle,
    title: heading(text),
    width: 560,
    height: 300,
    data: { values },
    layer: [
      {
        mark: { type: 'area', opacity: 0.18, color: '#264653' },
        encoding: { x, y: { field: 'low', ...y }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'line', strokeWidth: 2.5, color: '#264653', point: { filled: true, color: '#264653', size: 45 } },
        encoding: { x, y: { field: 'mean', ...y } },
      },
      {
        data: here,
        mark: { type: 'point', shape: 'diamond', size: 130, filled: true, opacity: 1, color: '#d97706' },
        encoding: { x, y: { field: 'mean', ...y } },
      },
      {
        data: here,
        mark: { type: 'text', align: 'left', dx: 9, dy: -11, color: '#b45f06', fontSize: 12 },
        encoding: { x, y: { field: 'mean', ...y }, text: { field: 'text' } },
      },
    ],
  };
}

function heatMap(env: Env, { varied, points }: Variation, text: ChartText): object {
  const [rows, columns, maps] = varied;
  const values = points.map(({ constants, summary }) => ({
    row: valueText(constants[rows!.name]!),
    column: valueText(constants[columns!.name]!),
    map: maps ? `${maps.name} ${valueText(constants[maps.name]!)}` : '',
    mean: summary?.mean ?? null,
    text: summary ? tableNumber(summary.mean, 3) : 'broken',
  }));
  const means = values.flatMap(({ mean }) => mean ?? []);
  const middle = (Math.min(...means) + Math.max(...means)) / 2;
  const hasLabels = rows!.values.length <= mostLabels && columns!.values.length <= mostLabels;
  const cell = hasLabels ? 44 : 16;
  const order = (constant: VariedConstant) => constant.values.map(valueText);
  const x = {
    field: 'column',
    type: 'ordinal',
    sort: order(columns!),
    title: titleOf(env, columns!),
    axis: { labelAngle: 0, labelOverlap: true },
  };
  const y = {
    field: 'row',
    type: 'ordinal',
    sort: order(rows!).toReversed(),
    title: titleOf(env, rows!),
    axis: { labelOverlap: true },
  };
  const color = {
    field: 'mean',
    type: 'quantitative',
    title: 'mean return',
    scale: { scheme: 'viridis', zero: false, nice: false },
  };
  const layer = [
    { mark: { type: 'rect' }, encoding: { x, y, color } },
    ...(hasLabels
      ? [
          {
            mark: { type: 'text', fontSize: 11 },
            encoding: {
              x,
              y,
              text: { field: 'text' },
              color: {
                condition: { test: `datum.mean === null || datum.mean > ${middle}`, value: '#1c2329' },
                value: '#ffffff',
              },
            },
          },
        ]
      : []),
  ];
  const size = { width: { step: cell }, height: { step: hasLabels ? 30 : 16 } };
  const base = { ...chartStyle, title: heading(text), data: { values } };
  if (!maps) return { ...base, ...size, layer };
  const header = { labelFontSize: 12, labelFontWeight: 'bold' };
  const sort = maps.values.map((value) => `${maps.name} ${valueText(value)}`);
  return {
    ...base,
    facet: { field: 'map', type: 'nominal', title: null, sort, header },
    columns: 3,
    spec: { ...size, layer },
  };
}

/** The Vega-Lite specification, data included. `source`: name of the policy. */
export function variationSpec(env: Env, variation: Variation, source: string): object {
  const { unchanged, varied } = variation;
  const registered = varied.map(({ name }) => `${name} ${valueText(env.params[name]!)}`).join(', ');
  const text = {
    title: `${env.id} under changed constants`,
    subtitle: [
      `${source}; mean return of ${unchanged.episodes} episodes, the same seeds everywhere`,
      `unchanged (${registered}): ${tableNumber(unchanged.mean, 4)}`,
    ],
  };
  return varied.length === 1 ? curve(env, variation, text) : heatMap(env, variation, text);
}
