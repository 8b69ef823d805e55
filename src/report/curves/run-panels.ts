/**
 * Pictures of single runs in a report, a panel for each: the returns of the kept policies as boxes, and the time of each
 * model call.
 */
import { moments } from '../../base/moments.ts';
import type { RunEvent } from '../../runs/journal/events.ts';
import type { RunGroup } from '../groups.ts';
import { nameOf, type ReportRun } from '../run-records.ts';
import { chartStyle } from './svg.ts';

/** Panels of a picture. */
const maxPanels = 8;

/** Runs that are shown: the first of each group, then the second of each, and so on. */
export function shownRuns(groups: readonly RunGroup[]): ReportRun[] {
  const longest = groups.reduce((n, { runs }) => Math.max(n, runs.length), 0);
  const order = Array.from({ length: longest }, (_, i) => groups.flatMap(({ runs }) => runs.slice(i, i + 1))).flat();
  return order.slice(0, maxPanels);
}

/** Returns of the episodes of one evaluation. */
export interface Box {
  readonly iteration: number;
  readonly min: number;
  readonly q25: number;
  readonly median: number;
  readonly q75: number;
  readonly max: number;
}

export interface CallTime {
  /** from 1 */
  readonly call: number;
  readonly seconds: number;
  readonly purpose: string;
}

export interface RunPanel {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly calls: readonly CallTime[];
}

/** What the journal of a run has for its panels. */
export function panelOf(run: Pick<ReportRun, 'folder' | 'name' | 'summary'>, events: readonly RunEvent[]): RunPanel {
  const boxes: Box[] = [];
  const calls: CallTime[] = [];
  let candidates = new Map<string, Box>();
  for (const event of events) {
    if (event.type === 'evaluated') {
      const { iteration, candidate } = event;
      const { min, max, median, quantiles } = event.summary;
      candidates.set(candidate, { iteration, min, q25: quantiles['0.25'], median, q75: quantiles['0.75'], max });
    } else if (event.type === 'iteration') {
      const kept = event.kept === null ? undefined : candidates.get(event.kept);
      if (kept) boxes.push(kept);
      candidates = new Map();
    } else if (event.type === 'llm_call') {
      calls.push({ call: calls.length + 1, seconds: event.reply.latencySeconds, purpose: event.purpose });
    }
  }
  const { env, method, seed } = run.summary;
  return { title: `${env}, ${method}, seed ${seed} (${nameOf(run)})`, boxes, calls };
}

const panelSize = { width: 360, height: 200 };

function chart(title: string, context: readonly string[], values: readonly object[], layer: readonly object[]): object {
  return {
    ...chartStyle,
    title: { text: title, subtitle: context, anchor: 'start', fontSize: 15, subtitleColor: '#555', offset: 14 },
    data: { values },
    facet: {
      field: 'panel',
      type: 'nominal',
      title: null,
      sort: null,
      header: { labelFontSize: 12, labelFontWeight: 'bold' },
    },
    columns: 2,
    spec: { ...panelSize, layer },
    resolve: { scale: { x: 'independent', y: 'independent' }, axis: { x: 'independent', y: 'independent' } },
  };
}

const axisOf = (field: string, title: string) => ({
  field,
  type: 'quantitative',
  title,
  axis: { grid: false, tickMinStep: 1 },
  scale: { nice: false, zero: false, padding: 6 },
});

/** Boxes: quartiles and median of the episodes of the kept policy; lines: from the lowest to the highest. Null: no box. */
export function returnsSpec(panels: readonly RunPanel[], context: readonly string[]): object | null {
  const values = panels.flatMap(({ title, boxes }) => boxes.map((box) => ({ panel: title, ...box })));
  if (values.length === 0) return null;
  const most = panels.reduce((n, { boxes }) => Math.max(n, boxes.length), 1);
  const size = Math.max(1, Math.min(14, (0.6 * panelSize.width) / most));
  const x = axisOf('iteration', 'iteration');
  const y = { type: 'quantitative', scale: { zero: false } };
  return chart('Returns of the episodes of the kept policy', context, values, [
    {
      mark: { type: 'rule', color: '#8fa3ad' },
      encoding: { x, y: { field: 'min', ...y, title: 'return' }, y2: { field: 'max' } },
    },
    {
      mark: { type: 'bar', size, color: '#2a9d8f', opacity: 0.8 },
      encoding: { x, y: { field: 'q25', ...y }, y2: { field: 'q75' } },
    },
    {
      mark: { type: 'tick', orient: 'horizontal', size, thickness: 2, color: '#264653' },
      encoding: { x, y: { field: 'median', ...y } },
    },
  ]);
}

const purposeColors: Readonly<Record<string, string>> = { search: '#e08a1e', critic: '#5a6fb0' };

/** A point for each answered call. Null: no call that took time. */
export function callsSpec(panels: readonly RunPanel[], context: readonly string[]): object | null {
  const values = panels.flatMap(({ title, calls }) => {
    // The offline model computes its replies here, in no time that is recorded.
    if (calls.every(({ seconds }) => seconds === 0)) return [];
    const { mean } = moments(calls.map(({ seconds }) => seconds));
    return calls.map((call) => ({ panel: title, mean, ...call }));
  });
  if (values.length === 0) return null;
  const domain = [...new Set(values.map(({ purpose }) => purpose))];
  const color = {
    field: 'purpose',
    type: 'nominal',
    scale: { domain, range: domain.map((purpose) => purposeColors[purpose] ?? '#666666') },
    legend: { orient: 'bottom', title: null },
  };
  const y = { type: 'quantitative', scale: { zero: true } };
  return chart('Time of each model call', context, values, [
    {
      mark: { type: 'circle', size: 26, opacity: 0.75 },
      encoding: { x: axisOf('call', 'call'), y: { field: 'seconds', ...y, title: 'seconds' }, color },
    },
    {
      mark: { type: 'rule', strokeDash: [5, 4], color: '#264653' },
      encoding: { y: { field: 'mean', aggregate: 'mean', ...y } },
    },
  ]);
}
