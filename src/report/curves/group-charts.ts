/** Averaged curves as charts: one picture with a panel per environment, and single panels for a page of its own style. */
import type { CurveAxis, CurveStep, CurveValue } from './average-curves.ts';
import { chartStyle, renderChart } from './svg.ts';

export interface ChartLine {
  readonly panel: string;
  readonly line: string;
  readonly steps: readonly CurveStep[];
}

export interface ChartOptions {
  readonly axis: CurveAxis;
  readonly value: CurveValue;
  /** facts about all lines, such as the model, because a picture is used without its report */
  readonly context: readonly string[];
}

/** For white and for dark pages. */
export const curveColors: readonly { readonly light: string; readonly dark: string }[] = [
  { light: '#264653', dark: '#86b8cc' },
  { light: '#d97706', dark: '#f2a444' },
  { light: '#2a9d8f', dark: '#43c2b2' },
  { light: '#b5446e', dark: '#e57fa6' },
  { light: '#5a6fb0', dark: '#93a7ea' },
  { light: '#7a8b3a', dark: '#b4c869' },
  { light: '#8a5a3c', dark: '#cf9a76' },
  { light: '#666666', dark: '#b5b5b5' },
  { light: '#c94f4f', dark: '#f08080' },
  { light: '#3c9fc4', dark: '#6cc7ea' },
];
/** For more lines than colours. */
const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3]];

export interface LineStyle {
  readonly name: string;
  /** index into `curveColors` */
  readonly color: number;
  readonly dash: readonly number[];
}

/** A line looks the same in all panels and pictures. */
export function lineStyles(lines: readonly ChartLine[]): LineStyle[] {
  return [...new Set(lines.map(({ line }) => line))].map((name, i) => ({
    name,
    color: i % curveColors.length,
    dash: dashes[Math.floor(i / curveColors.length) % dashes.length]!,
  }));
}

export const curveMeanings: Readonly<Record<CurveValue, string>> = {
  best: 'Highest mean return so far',
  kept: 'Mean return of the kept policy',
};
/** Short, because Vega reserves too much space for long titles. */
const yTitles: Readonly<Record<CurveValue, string>> = { best: 'highest mean return', kept: 'mean return' };
const axisTitles: Readonly<Record<CurveAxis, string>> = {
  episodes: 'episodes',
  iterations: 'iterations',
  calls: 'model calls',
  tokens: 'tokens',
};

const panelSize = { width: 360, height: 220 };
const panelsPerRow = 2;
const legendFontSize = 11;

/** A step as it is drawn: its interval is cut where no run of the panel is, which else would squeeze all lines. */
interface DrawnStep extends CurveStep {
  readonly panel: string;
  readonly line: string;
  /** the interval goes on below, above */
  readonly cutLow: number | null;
  readonly cutHigh: number | null;
}

/** Of few runs, an interval is many times as wide as the runs are apart: two runs have 12.7 standard errors to each side. */
function drawnSteps(lines: readonly ChartLine[]): DrawnStep[] {
  const limits = new Map<string, { low: number; high: number }>();
  for (const { panel, steps } of lines) {
    const limit = limits.get(panel) ?? { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
    for (const { min, max } of steps) {
      limit.low = Math.min(limit.low, min);
      limit.high = Math.max(limit.high, max);
    }
    limits.set(panel, limit);
  }
  return lines.flatMap(({ panel, line, steps }) => {
    const { low, high } = limits.get(panel)!;
    return steps.map((step) => ({
      ...step,
      panel,
      line,
      low: step.low === null ? null : Math.max(low, step.low),
      high: step.high === null ? null : Math.min(high, step.high),
      cutLow: step.low !== null && step.low < low ? low : null,
      cutHigh: step.high !== null && step.high > high ? high : null,
    }));
  });
}

/** Said where an interval is cut. */
function cutNotes(steps: readonly DrawnStep[]): string[] {
  const isCut = steps.some(({ cutLow, cutHigh }) => cutLow !== null || cutHigh !== null);
  return isCut ? ['dotted edge: the 95 % interval is wider than the axis'] : [];
}

function layers(styles: readonly LineStyle[], { axis, value }: ChartOptions, legend: object | null): object[] {
  const domain = styles.map(({ name }) => name);
  const scaleOf = (range: readonly unknown[]) => ({ domain, range });
  const line = { field: 'line', type: 'nominal', legend };
  const color = { ...line, scale: scaleOf(styles.map((style) => curveColors[style.color]!.light)) };
  const dashed = styles.some(({ dash }) => dash.length > 0);
  const strokeDash = { ...line, scale: scaleOf(styles.map(({ dash }) => (dash.length > 0 ? dash : [1, 0]))) };
  const x = {
    field: 'x',
    type: 'quantitative',
    title: axisTitles[axis],
    axis: { grid: false, tickMinStep: 1, labelFlush: false },
    scale: { nice: false, zero: false },
  };
  // Labels stay within the frame; one at its top would move the title of the panel.
  const y = { type: 'quantitative', title: yTitles[value], axis: { labelFlush: true }, scale: { zero: false } };
  return [
    {
      mark: { type: 'area', opacity: 0.18 },
      encoding: { x, y: { field: 'low', ...y }, y2: { field: 'high' }, color },
    },
    {
      mark: { type: 'line', strokeWidth: 2 },
      encoding: { x, y: { field: 'mean', type: 'quantitative' }, color, ...(dashed && { strokeDash }) },
    },
    ...['cutLow', 'cutHigh'].map((field) => ({
      mark: { type: 'line', strokeWidth: 2, strokeDash: [1, 4], strokeCap: 'round' },
      encoding: { x, y: { field, type: 'quantitative' }, color },
    })),
  ];
}

/** One panel per environment, one line per other group; the Vega-Lite specification, data included. */
export function curveSpec(lines: readonly ChartLine[], options: ChartOptions): object {
  const styles = lineStyles(lines);
  const panels = new Set(lines.map(({ panel }) => panel)).size;
  // All entries in one row would widen the picture.
  const longest = Math.max(...styles.map(({ name }) => name.length));
  const room = Math.min(panels, panelsPerRow) * panelSize.width;
  const columns = Math.max(1, Math.floor(room / (0.8 * legendFontSize * longest + 40)));
  // The entries are lines too, not the pale areas.
  const symbol = { symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 3, symbolSize: 200 };
  const label = { labelLimit: room, labelFontSize: legendFontSize };
  const legend = { orient: 'bottom', title: null, columns, ...symbol, ...label };
  const { axis, value, context } = options;
  const steps = drawnSteps(lines);
  const text = `${curveMeanings[value]} against ${axisTitles[axis]}`;
  return {
    ...chartStyle,
    title: {
      text,
      subtitle: [...context, ...cutNotes(steps)],
      anchor: 'start',
      fontSize: 15,
      subtitleColor: '#555',
      offset: 14,
    },
    data: { values: steps },
    facet: { field: 'panel', type: 'nominal', title: null, header: { labelFontSize: 13, labelFontWeight: 'bold' } },
    columns: panelsPerRow,
    spec: { ...panelSize, layer: layers(styles, options, legend) },
    resolve: { scale: { x: 'independent', y: 'independent' }, axis: { x: 'independent', y: 'independent' } },
  };
}

/** One panel without title, legend and background, which are the page's; its lines are among `styles`. */
export function drawPanel(
  lines: readonly ChartLine[],
  styles: readonly LineStyle[],
  options: ChartOptions,
): Promise<string> {
  return drawUnit({ data: { values: drawnSteps(lines) }, layer: layers(styles, options, null) });
}

/** A chart in the style of a page. */
export function drawUnit(spec: object): Promise<string> {
  const { config, ...style } = chartStyle;
  return renderChart({
    ...style,
    background: null,
    config: { ...config, axis: { ...config.axis, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal' } },
    width: 340,
    height: 220,
    ...spec,
  });
}
