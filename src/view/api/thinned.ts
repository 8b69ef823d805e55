/**
 * A long run is shown by a part of its iterations: a page has room for some thousands, and a run may have a hundred thousand.
 * The server and the page leave out the same ones.
 */
import type { CallRow, Iteration, RunPage } from './run.ts';

/** Iterations that are all shown; of a longer run about half as many are. */
export const mostShown = 5000;
/** The newest iterations are all shown, and those so near to the one that somebody wants to see. */
export const newestShown = 200;
export const nearShown = 100;

type Span = RunPage['spans'][number];

/** What a run has by iterations. */
export interface RunParts {
  readonly iterations: readonly Iteration[];
  readonly calls: readonly CallRow[];
  readonly spans: readonly Span[];
  /** 1: every iteration is shown; more: every so many-th, the newest, the best, and those near a chosen one */
  readonly every: number;
}

/**
 * For each iteration whether it stays; null: all do. `chosen`: the number of the one that somebody wants to see with its
 * neighbours; null: none.
 */
function stays(iterations: readonly Iteration[], chosen: number | null): { every: number; kept: boolean[] } | null {
  if (iterations.length <= mostShown) return null;
  const last = iterations.at(-1)!;
  let every = 1;
  // Powers of two: those that a larger number leaves are among those that a smaller one left.
  while (last.iteration / every > mostShown / 2) every *= 2;
  const best = iterations.findLastIndex(({ mean }) => mean === last.best);
  const kept = iterations.map(
    ({ iteration }, i) =>
      iteration % every === 0 ||
      i === 0 ||
      i === best ||
      i >= iterations.length - newestShown ||
      (chosen !== null && Math.abs(iteration - chosen) <= nearShown),
  );
  return { every, kept };
}

const kinds = ['model', 'evaluation', 'other'] as const satisfies readonly Span['kind'][];

/** Spans in a row as one of each kind, one behind the other: the sums stay what they are. */
function together(spans: readonly Span[]): Span[] {
  const [first] = spans;
  if (first === undefined) return [];
  let { start } = first;
  return kinds.flatMap((kind) => {
    const own = spans.filter((span) => span.kind === kind);
    const seconds = own.reduce((sum, span) => sum + (span.end - span.start), 0);
    if (own.length === 0) return [];
    const span = { kind, iteration: first.iteration, start, end: start + seconds };
    start = span.end;
    return [span];
  });
}

/** Joins the spans of iterations that are left out between two that are shown. */
function thinnedSpans(spans: readonly Span[], shown: ReadonlySet<number>, last: number): Span[] {
  const thinned: Span[] = [];
  let left: Span[] = [];
  for (const span of spans) {
    const isShown = span.iteration <= 0 || span.iteration > last || shown.has(span.iteration);
    if (!isShown) {
      left.push(span);
      continue;
    }
    thinned.push(...together(left), span);
    left = [];
  }
  return [...thinned, ...together(left)];
}

/** The parts of a run that are shown, and for each iteration whether it is; null: all are. */
export function thinned(
  parts: RunParts,
  chosen: number | null,
): { readonly parts: RunParts; readonly kept: readonly boolean[] } | null {
  const found = stays(parts.iterations, chosen);
  if (found === null) return null;
  const { every, kept } = found;
  const iterations = parts.iterations.filter((_, i) => kept[i]);
  const shown = new Set(iterations.map(({ iteration }) => iteration));
  const last = iterations.at(-1)!.iteration;
  return {
    kept,
    parts: {
      iterations,
      calls: parts.calls.filter(({ iteration }) => iteration > last || shown.has(iteration)),
      spans: thinnedSpans(parts.spans, shown, last),
      every,
    },
  };
}
