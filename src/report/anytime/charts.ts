/** Pictures of methods at equal budgets: the best value so far, and the share of targets that are reached. */
import { significant } from '../../base/plain-number.ts';
import { isSignificant } from '../comparisons.ts';
import { curveColors, type LineStyle, lineStyles } from '../curves/group-charts.ts';
import { chartStyle } from '../curves/svg.ts';
import { ceilingKind } from '../published/ceilings.ts';
import { type AnytimeAxis, type AnytimeLine, type AnytimePanel, comparisonWith, type RuntimeStep } from './anytime.ts';
import type { BudgetAxis } from './course.ts';
import { budgetText, equalNames } from './tables.ts';

export interface PictureOptions {
  /** facts about all lines, such as the model */
  readonly context: readonly string[];
}

/** One panel, without what a page or a picture sets around it. */
interface Panel {
  readonly title: string;
  /** its main numbers, in lines */
  readonly summary: readonly string[];
  readonly spec: object;
}

const axisTitles: Readonly<Record<BudgetAxis, string>> = { episodes: 'episodes', time: 'seconds', cost: 'USD' };

/** One panel is larger than one of several. */
const sizes = { one: { width: 640, height: 340 }, several: { width: 380, height: 240 } } as const;
const panelsPerRow = 2;

/** 1, 2 and 5 times the powers of ten within the range, or only the powers where these are many. */
function ticks(from: number, to: number): number[] {
  const decades = Array.from(
    { length: Math.ceil(Math.log10(to)) - Math.floor(Math.log10(from)) + 1 },
    (_, i) => Math.floor(Math.log10(from)) + i,
  );
  const steps = decades.length > 4 ? [1] : [1, 2, 5];
  const all = decades.flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`)));
  const inside = all.filter((tick) => tick >= from * 0.999 && tick <= to * 1.001);
  return inside.length > 1 ? inside : [from, to];
}

function budgetAxis(axis: BudgetAxis, xs: readonly number[]) {
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  return {
    field: 'x',
    type: 'quantitative',
    title: `${axisTitles[axis]} (logarithmic)`,
    // One point alone has no range.
    scale: { type: 'log', nice: false, domain: from === to ? [from / 2, to * 2] : [from, to] },
    axis: { values: ticks(from, to), format: ',~g', grid: false, labelFlush: false, labelOverlap: true },
  };
}

function colorOf(styles: readonly LineStyle[], legend: object | null) {
  const domain = styles.map(({ name }) => name);
  const range = styles.map(({ color }) => curveColors[color]!.light);
  return { field: 'line', type: 'nominal', scale: { domain, range }, legend };
}

function dashOf(styles: readonly LineStyle[], legend: object | null) {
  if (styles.every(({ dash }) => dash.length === 0)) return {};
  const domain = styles.map(({ name }) => name);
  const range = styles.map(({ dash }) => (dash.length > 0 ? dash : [1, 0]));
  return { strokeDash: { field: 'line', type: 'nominal', scale: { domain, range }, legend } };
}

/** A horizontal or vertical line with its name. */
function mark(channel: 'x' | 'y', at: number, text: string, label: object, scale: object): object[] {
  const position = { [channel]: { ...scale, field: 'at', type: 'quantitative' } };
  const data = { values: [{ at, text }] };
  return [
    { data, mark: { type: 'rule', strokeDash: [4, 4], color: '#888888' }, encoding: position },
    {
      data,
      mark: { type: 'text', color: '#666666', fontSize: 11, ...label },
      encoding: { ...position, text: { field: 'text' } },
    },
  ];
}

/** `r2po 482`, the highest first; of many the first ones */
function ranking(lines: readonly AnytimeLine[], of: (line: AnytimeLine) => string): string {
  const shown = 4;
  const named = lines.slice(0, shown).map((line) => `${line.line} ${of(line)}`);
  const more = lines.length > shown ? [`${lines.length - shown} more`] : [];
  return [...named, ...more].join('  ·  ');
}

const meanText = ({ at }: AnytimeLine): string => {
  const last = at.at(-1);
  return last ? significant(last.spread.mean, 3) : '(not all runs have a policy)';
};

/** Which differences from the method of the report are more than chance. */
function verdict(axis: AnytimeAxis, lines: readonly AnytimeLine[]): string[] {
  const method = axis.comparison?.method;
  const tests = lines.flatMap((line) => comparisonWith(axis, line) ?? []);
  if (method === undefined || tests.length === 0) return [];
  const namesOf = (fits: (one: (typeof tests)[number]) => boolean): string =>
    tests
      .filter(fits)
      .map(({ other }) => other)
      .join(', ');
  const parts = [
    ['better than', namesOf((one) => isSignificant(one) && one.difference > 0)],
    ['worse than', namesOf((one) => isSignificant(one) && one.difference < 0)],
    ['no significant difference to', namesOf((one) => one.holmP !== null && !isSignificant(one))],
    ['no test, as runs do not vary, against', namesOf(({ holmP }) => holmP === null)],
  ].filter(([, names]) => names !== '');
  return [`${method}: ${parts.map((part) => part.join(' ')).join('; ')}`];
}

/** Intervals are cut where no run is, which else would squeeze the lines. */
function bands({ lines }: AnytimePanel) {
  const steps = lines.flatMap(({ curve }) => curve);
  const low = Math.min(...steps.map(({ min }) => min));
  const high = Math.max(...steps.map(({ max }) => max));
  return lines.flatMap(({ line, curve }) =>
    curve.map(({ x, mean, low: from, high: to }) => ({
      ...{ line, x, mean },
      low: from === null ? null : Math.max(low, from),
      high: to === null ? null : Math.min(high, to),
    })),
  );
}

function bestPanel(axis: AnytimeAxis, panel: AnytimePanel, styles: readonly LineStyle[], legend: object | null): Panel {
  const { budget, ceiling, lines } = panel;
  const values = bands(panel);
  const x = budgetAxis(axis.axis, [...values.map((step) => step.x), budget]);
  const scale = { zero: false, nice: true };
  const y = {
    type: 'quantitative',
    title: 'best mean return so far',
    axis: { labelFlush: true, gridColor: '#eeeeee' },
    scale,
  };
  const color = colorOf(styles, legend);
  const ends = lines.every((line) => line.curve.length === 0 || line.curve.at(-1)!.x <= budget);
  return {
    title: panel.panel,
    summary: [`at ${budgetText[axis.axis](budget)}:  ${ranking(lines, meanText)}`, ...verdict(axis, lines)],
    spec: {
      data: { values },
      layer: [
        {
          mark: { type: 'area', opacity: 0.13, interpolate: 'step-after' },
          encoding: { x, y: { field: 'low', ...y }, y2: { field: 'high' }, color },
        },
        ...(ceiling === null
          ? []
          : mark(
              'y',
              ceiling.mean,
              `${ceiling.exact ? 'best possible' : ceilingKind(ceiling)}: ${significant(ceiling.mean, 5)}`,
              { align: 'left', baseline: 'bottom', dx: 4, dy: -3, x: 0 },
              { scale },
            )),
        ...(ends
          ? []
          : mark('x', budget, 'equal budget', { align: 'right', baseline: 'bottom', dx: -5, dy: -4, y: 'height' }, x)),
        {
          mark: { type: 'line', strokeWidth: 2.5, interpolate: 'step-after' },
          encoding: { x, y: { field: 'mean', type: 'quantitative' }, color, ...dashOf(styles, legend) },
        },
      ],
    },
  };
}

function runtimePanel(
  axis: BudgetAxis,
  {
    title,
    lines,
  }: { readonly title: string; readonly lines: readonly { line: string; runtimes: readonly RuntimeStep[] }[] },
  summary: readonly string[],
  styles: readonly LineStyle[],
  legend: object | null,
): Panel {
  const values = lines.flatMap(({ line, runtimes }) => runtimes.map((step) => ({ line, ...step })));
  const x = budgetAxis(
    axis,
    values.map((step) => step.x),
  );
  const y = {
    field: 'share',
    type: 'quantitative',
    title: 'share of runs and targets reached',
    axis: { format: '.0%', gridColor: '#eeeeee' },
    scale: { domain: [0, 1] },
  };
  return {
    title,
    summary,
    spec: {
      data: { values },
      layer: [
        {
          mark: { type: 'line', strokeWidth: 2.5, interpolate: 'step-after' },
          encoding: { x, y, color: colorOf(styles, legend), ...dashOf(styles, legend) },
        },
      ],
    },
  };
}

/** The same style for a line in all panels and pictures of the report. */
export function anytimeStyles(axes: readonly AnytimeAxis[]): LineStyle[] {
  const lines = axes.flatMap(({ panels }) => panels.flatMap((panel) => panel.lines));
  return lineStyles(lines.map(({ line }) => ({ panel: '', line, steps: [] })));
}

const noLegend = null;

export function bestPanels(axis: AnytimeAxis, styles: readonly LineStyle[], legend: object | null = noLegend): Panel[] {
  return axis.panels.map((panel) => bestPanel(axis, panel, styles, legend));
}

export function runtimePanels(
  { axis, panels, pooled }: AnytimeAxis,
  styles: readonly LineStyle[],
  legend: object | null = noLegend,
): Panel[] {
  const solved = ({ solved: share }: AnytimeLine): string => `${significant(100 * share, 3)} %`;
  const own = panels.map(({ panel, budget, lines }) => {
    const order = [...lines].sort((a, b) => b.solved - a.solved);
    const summary = [`at ${budgetText[axis](budget)}:  ${ranking(order, solved)}`];
    return runtimePanel(axis, { title: panel, lines }, summary, styles, legend);
  });
  const all = pooled.filter(({ runtimes }) => runtimes.length > 0);
  if (all.length < 2) return own;
  const title = `all ${panels.length} environments`;
  return [runtimePanel(axis, { title, lines: all }, [], styles, legend), ...own];
}

function picture(
  title: string,
  subtitle: readonly string[],
  panelsOf: (legend: object) => readonly Panel[],
  styles: readonly LineStyle[],
): object {
  const many = panelsOf({}).length > 1;
  const size = many ? sizes.several : sizes.one;
  const room = size.width * (many ? panelsPerRow : 1);
  const longest = Math.max(...styles.map(({ name }) => name.length));
  const columns = Math.max(1, Math.floor(room / (9 * longest + 50)));
  const symbol = { symbolType: 'stroke', symbolOpacity: 1, symbolStrokeWidth: 3, symbolSize: 250 };
  const legend = { orient: 'bottom', title: null, columns, labelFontSize: 12, labelLimit: room, ...symbol };
  return {
    ...chartStyle,
    title: { text: title, subtitle, anchor: 'start', fontSize: 16, subtitleColor: '#555', offset: 16 },
    columns: panelsPerRow,
    spacing: 34,
    concat: panelsOf(legend).map(({ title: text, summary, spec }) => ({
      ...size,
      ...spec,
      title: {
        text,
        subtitle: summary,
        anchor: 'start',
        fontSize: 13,
        subtitleFontSize: 12,
        subtitleColor: '#333',
        offset: 10,
      },
    })),
    resolve: { scale: { color: 'shared', strokeDash: 'shared' }, legend: { color: 'shared' } },
  };
}

const runsOf = ({ panels }: AnytimeAxis): string => {
  const counts = panels.flatMap(({ lines }) => lines.map(({ courses }) => courses.length));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${most}` : `${least} to ${most}`;
};

/** The best value so far; the picture of a comparison. */
export function bestSpec(axis: AnytimeAxis, styles: readonly LineStyle[], { context }: PictureOptions): object {
  const about = `mean over ${runsOf(axis)} runs with its 95 % interval; the highest mean of the search so far`;
  return picture(
    `Which method finds better policies at ${equalNames[axis.axis]}?`,
    [about, ...context],
    (legend) => bestPanels(axis, styles, legend),
    styles,
  );
}

/** The distribution of runtimes to targets. */
export function runtimeSpec(axis: AnytimeAxis, styles: readonly LineStyle[], { context }: PictureOptions): object {
  const about = 'share of the pairs of run and target that are reached, by the highest mean of the search so far';
  return picture(
    `How fast do methods reach targets? Against ${axis.axis}`,
    [about, ...context],
    (legend) => runtimePanels(axis, styles, legend),
    styles,
  );
}
