/** The waiting times of a run: shares of each kind, and the spans that a part of the time shows. */
import type { RunPage } from '../../api/run.ts';

export type Span = RunPage['spans'][number];
export type SpanKind = Span['kind'];

export const spanKinds: readonly { readonly kind: SpanKind; readonly text: string; readonly colour: string }[] = [
  { kind: 'model', text: 'waiting for the model', colour: 'series-1' },
  { kind: 'evaluation', text: 'playing episodes', colour: 'series-3' },
  { kind: 'other', text: 'everything else', colour: 'series-8' },
];

export type SpanSeconds = Readonly<Record<SpanKind, number>>;

export function secondsOf(spans: readonly Span[]): SpanSeconds {
  const sums = { model: 0, evaluation: 0, other: 0 };
  for (const { kind, start, end } of spans) sums[kind] += Math.max(0, end - start);
  return sums;
}

/** A part of the time, s. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export function rangeOf(spans: readonly Span[]): Range {
  let to = 0;
  for (const { end } of spans) to = Math.max(to, end);
  return { from: 0, to: to > 0 ? to : 1 };
}

/** `range` scaled by `factor` around `at`, within `whole`. */
export function zoomed({ from, to }: Range, whole: Range, factor: number, at: number): Range {
  const shortest = (whole.to - whole.from) / 1e5;
  const length = Math.min(whole.to - whole.from, Math.max(shortest, (to - from) * factor));
  const start = at - ((at - from) / (to - from)) * length;
  const first = Math.min(Math.max(whole.from, start), whole.to - length);
  return { from: first, to: first + length };
}

/** `range` moved by `seconds`, within `whole`. */
export function moved({ from, to }: Range, whole: Range, seconds: number): Range {
  const first = Math.min(Math.max(whole.from, from + seconds), whole.to - (to - from));
  return { from: first, to: first + (to - from) };
}

/** Index of the span at a time; -1: none. Spans are in order and do not overlap. */
export function spanAt(spans: readonly Span[], time: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.end <= time) low = middle + 1;
    else high = middle;
  }
  const found = spans[low];
  return found && found.start <= time ? low : -1;
}

/** The time of an iteration: of its first spans without a gap, as a re-check long after it has its number too. */
export function timeOf(spans: readonly Span[], iteration: number): Range | null {
  const first = spans.findIndex((span) => span.iteration === iteration);
  if (first < 0) return null;
  let last = first;
  while (spans[last + 1]?.iteration === iteration) last++;
  return { from: spans[first]!.start, to: spans[last]!.end };
}
