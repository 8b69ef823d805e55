/** The curve of a run as series over one of six measures of progress. */
import type { Iteration } from '../../api/run.ts';
import type { Values } from '../common/chart-options.ts';
import { costText, durationText, shortCount } from '../common/format.ts';
import { editOf, keptOf } from './run-data.ts';

export interface XAxis {
  readonly id: string;
  readonly label: string;
  readonly of: (iteration: Iteration) => number | null;
  readonly text: (value: number) => string;
}

export const xAxes: readonly XAxis[] = [
  { id: 'iteration', label: 'iterations', of: ({ iteration }) => iteration, text: String },
  { id: 'episodes', label: 'episodes', of: ({ episodes }) => episodes, text: shortCount },
  { id: 'steps', label: 'steps', of: ({ steps }) => steps, text: shortCount },
  { id: 'tokens', label: 'tokens', of: ({ tokens }) => tokens, text: shortCount },
  { id: 'time', label: 'time', of: ({ seconds }) => seconds, text: durationText },
  { id: 'cost', label: 'cost', of: ({ costUsd }) => costUsd, text: costText },
];

/** The measures that this run has: one that is missing or stays zero is no axis. */
export function xAxesOf(iterations: readonly Iteration[]): XAxis[] {
  return xAxes.filter(({ id, of }) => {
    const last = iterations.at(-1);
    return id === 'iteration' || (last !== undefined && iterations.every((one) => of(one) !== null) && of(last)! > 0);
  });
}

export interface Curve {
  readonly mean: Values;
  readonly low: Values;
  readonly high: Values;
  readonly best: Values;
  /** means of the kept and of the discarded revisions */
  readonly accepted: Values;
  readonly rejected: Values;
  readonly hasEdits: boolean;
  readonly hasBand: boolean;
}

export function curveOf(iterations: readonly Iteration[]): Curve {
  const edits = iterations.map((one) => ({ edit: editOf(one), mean: one.candidates.at(-1)?.mean ?? null }));
  const intervals = iterations.map((one) => keptOf(one)?.ci95 ?? null);
  return {
    mean: iterations.map(({ mean }) => mean),
    low: intervals.map((ci95) => ci95?.[0] ?? null),
    high: intervals.map((ci95) => ci95?.[1] ?? null),
    best: iterations.map(({ best }) => best),
    accepted: edits.map(({ edit, mean }) => (edit === 'accepted' ? mean : null)),
    rejected: edits.map(({ edit, mean }) => (edit === 'rejected' ? mean : null)),
    hasEdits: edits.some(({ edit }) => edit !== null),
    hasBand: intervals.some((ci95) => ci95 !== null),
  };
}

/** x for a chart: a measure that stands still for an iteration is moved by the least amount, as x must grow. */
export function growing(values: readonly number[]): number[] {
  let last = Number.NEGATIVE_INFINITY;
  return values.map((value) => {
    last = value > last ? value : last + Math.max(1e-9, Math.abs(last) * 1e-9);
    return last;
  });
}
