/** A long run is shown by a part of its iterations, on the server and on the page. */
import { describe, expect, it } from 'vitest';
import type { RunPage } from '../../../../src/view/api/run.ts';
import { mostShown, nearShown, newestShown, thinned } from '../../../../src/view/api/thinned.ts';
import { leavesOut, withUpdate } from '../../../../src/view/page/run/run-data.ts';
import { call, iteration, runPage } from './fixtures.ts';

const kinds = ['model', 'evaluation', 'other', 'model'] as const;
/** Four spans of an iteration, which lasts a second. */
const spansOf = (n: number): RunPage['spans'] =>
  kinds.map((kind, i) => ({ kind, iteration: n, start: n + i / 8, end: n + (i + 1) / 8 }));

const best = 777;
const one = (n: number) => ({ ...iteration(n), mean: n === best ? 5 : 1, best: n < best ? 1 : 5 });
const secondsOf = (spans: RunPage['spans']) =>
  kinds.map((kind) => spans.filter((span) => span.kind === kind).reduce((sum, { start, end }) => sum + end - start, 0));

/** A page that gets so many iterations, fifty at a time. */
function grown(count: number, chosen: number | null = null): RunPage {
  const { row } = runPage();
  let page = runPage({
    projection: {
      x: [],
      y: [],
      explained: [1, 0],
      // More than the run gets: the axes stay.
      policies: 1e6,
      centre: [0, 0],
      axes: [
        [1, 0],
        [0, 1],
      ],
    },
  });
  for (let from = 1; from <= count; from += 50) {
    const numbers = Array.from({ length: Math.min(50, count - from + 1) }, (_, i) => from + i);
    const update = {
      ...{ row, every: 1, optimiser: null },
      iterations: numbers.map(one),
      calls: numbers.map((n) => call(n, n, 'search')),
      spans: numbers.flatMap(spansOf),
    };
    page = withUpdate(page, update, chosen);
    expect(page.iterations.length).toBeLessThanOrEqual(mostShown);
  }
  return page;
}

describe('a long run', () => {
  const length = 23_456;
  const page = grown(length, 1234);
  const numbers = page.iterations.map((each) => each.iteration);

  it('is shown by a bounded number of iterations: evenly chosen ones, the newest, the best, those near a chosen one', () => {
    const newest = Array.from({ length: newestShown }, (_, i) => length - newestShown + 1 + i);
    const near = Array.from({ length: 2 * nearShown + 1 }, (_, i) => 1234 - nearShown + i);
    expect(numbers).toEqual(expect.arrayContaining([1, best, ...newest, ...near]));
    expect(page.every).toBe(16);
    for (let n = 16; n <= length; n += 16) expect(numbers.includes(n)).toBe(true);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect([leavesOut(page, 4321), leavesOut(page, best), leavesOut(page, length + 1)]).toEqual([true, false, false]);
  });

  it('keeps the calls and the points of these iterations alone, and all of the time', () => {
    expect(page.calls.map((each) => each.iteration)).toEqual(numbers);
    const points = page.iterations.flatMap(({ candidates }) => candidates);
    expect([page.projection?.x.length, page.projection?.y.length]).toEqual([points.length, points.length]);
    expect(page.projection?.x).toEqual(points.map(({ params }) => params[0]));
    const all = Array.from({ length }, (_, i) => spansOf(i + 1)).flat();
    for (const [i, seconds] of secondsOf(page.spans).entries()) expect(seconds).toBeCloseTo(secondsOf(all)[i]!, 6);
    expect(page.spans.length).toBeLessThan(7 * page.iterations.length);
    for (const [i, { start }] of page.spans.slice(1).entries())
      expect(start).toBeGreaterThanOrEqual(page.spans[i]!.end);
  });

  it('is whole as long as it is short', () => {
    const { iterations, calls, spans } = grown(mostShown);
    expect([iterations.length, calls.length, spans.length]).toEqual([mostShown, mostShown, 4 * mostShown]);
    expect(thinned({ iterations, calls, spans, every: 1 }, null)).toBeNull();
  });
});
