/** A chart's props as options of uPlot: the data in its columns, lines with bands behind them, colours of the theme. */
import uPlot from 'uplot';
import { numberText, shortCount } from './format.ts';
import { colour } from './theme.ts';

export type Values = readonly (number | null)[];

export interface ChartSeries {
  readonly label: string;
  /** as long as `x.values` */
  readonly values: Values;
  /** name of a CSS variable without its dashes: `series-1`, `good`, `muted` */
  readonly colour: string;
  readonly kind?: 'line' | 'steps' | 'points';
  /** points are rings */
  readonly hollow?: boolean;
  readonly dash?: readonly number[];
  readonly width?: number;
  /** an interval around the values */
  readonly band?: { readonly low: Values; readonly high: Values };
}

export interface ChartAxis {
  readonly label: string;
  /** how a value is written at the axis and in the legend */
  readonly text?: (value: number) => string;
  readonly log?: boolean;
}

export interface ChartInput {
  readonly x: ChartAxis & { readonly values: readonly number[]; readonly whole?: boolean };
  readonly y: ChartAxis;
  readonly series: readonly ChartSeries[];
}

/** Bands first, so that all lines are above them; then the series in their order. */
export function chartData({ x, series }: ChartInput): uPlot.AlignedData {
  const bands = series.flatMap(({ band }) => (band ? [band.low, band.high] : []));
  return [x.values, ...bands, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
}

/** Columns of a series in the data of uPlot: itself, and the two of its band. */
export function columnsOf(series: readonly ChartSeries[], index: number): { own: number; band: number[] } {
  const before = series.slice(0, index).filter(({ band }) => band).length;
  const bands = series.filter(({ band }) => band).length;
  const low = 1 + 2 * before;
  return { own: 1 + 2 * bands + index, band: series[index]!.band ? [low, low + 1] : [] };
}

const font = '12px system-ui, sans-serif';
const wholeSteps = [1, 2, 5].flatMap((n) => Array.from({ length: 12 }, (_, e) => n * 10 ** e)).sort((a, b) => a - b);

const axisDefaults = (axis: ChartAxis): uPlot.Axis => ({
  label: axis.label,
  font,
  labelFont: font,
  stroke: () => colour('muted'),
  grid: { stroke: () => colour('grid'), width: 1 },
  ticks: { show: false },
});

/** Space for the longest number of the axis. */
const axisWidth = (_: uPlot, values: string[] | null): number =>
  14 + 7 * Math.max(2, ...(values ?? []).map((text) => text?.length ?? 0));

function drawnSeries(series: ChartSeries): uPlot.Series {
  const ink = (): string => colour(series.colour);
  const common: uPlot.Series = { label: series.label, stroke: ink, spanGaps: true };
  if (series.kind === 'points') {
    const points: uPlot.Series.Points = {
      show: true,
      size: 7,
      width: 1.5,
      stroke: ink,
      fill: () => (series.hollow ? colour('surface') : ink()),
    };
    return { ...common, paths: () => null, points };
  }
  return {
    ...common,
    width: series.width ?? 2,
    ...(series.dash && { dash: [...series.dash] }),
    ...(series.kind === 'steps' && { paths: uPlot.paths.stepped!({ align: 1 }) }),
    points: { size: 5, fill: ink },
  };
}

export interface ChartHooks {
  readonly onCursor: (index: number | null) => void;
  readonly onClick: (index: number) => void;
  /** the x of the vertical mark; null: none */
  readonly selected: () => number | null;
  readonly isHidden: (index: number) => boolean;
}

function drawSelected(u: uPlot, x: number | null): void {
  if (x === null) return;
  const at = Math.round(u.valToPos(x, 'x', true));
  const { left, top, width, height } = u.bbox;
  if (at < left || at > left + width) return;
  u.ctx.save();
  u.ctx.strokeStyle = colour('accent');
  u.ctx.lineWidth = 2 * devicePixelRatio;
  // The line before may be dashed.
  u.ctx.setLineDash([]);
  u.ctx.beginPath();
  u.ctx.moveTo(at, top);
  u.ctx.lineTo(at, top + height);
  u.ctx.stroke();
  u.ctx.restore();
}

/** A flat line gets room around it, so that it is not at the edge. */
const yRange = (_: uPlot, low: number | null, high: number | null): [number | null, number | null] => {
  if (low === null || high === null) return [0, 1];
  if (low === high) return [low - Math.max(1, Math.abs(low) * 0.1), high + Math.max(1, Math.abs(high) * 0.1)];
  return uPlot.rangeNum(low, high, 0.08, true) as [number, number];
};

/** CSS pixels that a pointer may move and still click. */
const dragReach = 6;

/** A click selects the point of x that is nearest to it. The cursor follows in the next frame, too late for a tap. */
function selectOnClick(u: uPlot, onClick: (index: number) => void): void {
  let downAt = 0;
  u.over.addEventListener('pointerdown', (event) => {
    downAt = event.clientX;
  });
  u.over.addEventListener('click', (event) => {
    const isDrag = Math.abs(event.clientX - downAt) >= dragReach;
    if (!isDrag && u.data[0].length > 0) onClick(u.posToIdx(event.offsetX));
  });
}

export function chartOptions(
  input: ChartInput,
  size: { readonly width: number; readonly height: number },
  sync: string | null,
  hooks: ChartHooks,
): uPlot.Options {
  const { x, y, series } = input;
  const columns = series.map((_, i) => columnsOf(series, i));
  // The edges of a band have the shape of its line.
  const edge = ({ kind }: ChartSeries): uPlot.Series => ({
    stroke: 'transparent',
    width: 0,
    spanGaps: true,
    points: { show: false },
    ...(kind === 'steps' && { paths: uPlot.paths.stepped!({ align: 1 }) }),
  });
  const withBand = series.flatMap((one, i) => (one.band ? [{ one, columns: columns[i]! }] : []));
  return {
    ...size,
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 7 },
      drag: { x: true, y: false, dist: dragReach, click: () => {} },
      ...(sync !== null && { sync: { key: sync, setSeries: false, scales: ['x', null] } }),
    },
    scales: { x: { time: false }, y: y.log ? { distr: 3 } : { range: yRange } },
    axes: [
      {
        ...axisDefaults(x),
        size: 34,
        labelSize: 20,
        ...(x.whole !== false && { incrs: wholeSteps }),
        values: (_, splits) => splits.map((value) => (value === null ? '' : (x.text ?? shortCount)(value))),
      },
      {
        ...axisDefaults(y),
        size: axisWidth,
        labelSize: 20,
        values: (_, splits) => splits.map((value) => (value === null ? '' : (y.text ?? numberText)(value))),
      },
    ],
    series: [
      { label: x.label },
      ...withBand.flatMap(({ one }) => [edge(one), edge(one)]),
      ...series.map((one, i) => ({ ...drawnSeries(one), show: !hooks.isHidden(i) })),
    ],
    bands: withBand.map(({ one, columns: { band } }) => ({
      series: [band[1]!, band[0]!],
      fill: () => `${colour(one.colour)}2b`,
    })),
    hooks: {
      init: [(u) => selectOnClick(u, hooks.onClick)],
      setCursor: [(u) => hooks.onCursor(u.cursor.idx ?? null)],
      draw: [(u) => drawSelected(u, hooks.selected())],
    },
  };
}
