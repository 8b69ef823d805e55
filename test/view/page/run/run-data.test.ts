/** What the run view reads out of the document of a run. */
import { describe, expect, it } from 'vitest';
import { projectionOf, triedPolicies } from '../../../../src/view/api/projection.ts';
import { curveOf, growing, xAxesOf } from '../../../../src/view/page/run/curve.ts';
import { noiseOf } from '../../../../src/view/page/run/noise.ts';
import {
  besideOf,
  bestIndex,
  callOf,
  callsByIteration,
  editOf,
  referenceOf,
  withUpdate,
} from '../../../../src/view/page/run/run-data.ts';
import { selectionOf } from '../../../../src/view/page/run/selection.ts';
import { boundsOf, nearest, placing, pointsOf } from '../../../../src/view/page/run/space.ts';
import { call, candidate, iteration, runPage } from './fixtures.ts';

const optimiser = (from: number, to: number) => {
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return {
    name: 'cma-es',
    iteration: numbers,
    sigma: numbers.map((n) => n / 10),
    axisRatio: numbers.map(() => 1),
    mean: numbers.map((n) => [n]),
    spectrum: numbers.map((n) => [n]),
  };
};

describe('an update of a live run', () => {
  const page = runPage({
    iterations: [iteration(1), iteration(2)],
    calls: [call(3, 1, 'search'), call(5, 2, 'search')],
    spans: [
      { kind: 'model', iteration: 1, start: 0, end: 2 },
      { kind: 'other', iteration: 2, start: 2, end: 2.5 },
    ],
    optimiser: optimiser(1, 2),
    projection: {
      x: [0, 0, 0, 0],
      y: [0, 0, 0, 0],
      explained: [0.7, 0.2],
      policies: 5,
      centre: [1, 1],
      axes: [
        [1, 0],
        [0, 1],
      ],
    },
  });
  const update = {
    row: { ...page.row, iterations: 3 },
    iterations: [iteration(2), iteration(3)],
    calls: [{ ...call(5, 2, 'search'), problem: 'no numbers' }, call(8, 3, 'search')],
    spans: [{ kind: 'other' as const, iteration: 2, start: 2, end: 3 }],
    every: 1,
    optimiser: optimiser(2, 3),
  };
  const next = withUpdate(page, update);

  it('adds what is new once, however often a reopened stream repeats it', () => {
    expect(next.iterations.map((one) => one.iteration)).toEqual([1, 2, 3]);
    expect(next.calls.map(({ seq }) => seq)).toEqual([3, 5, 8]);
    expect(next.optimiser).toEqual(optimiser(1, 3));
    expect(withUpdate(next, update)).toEqual(next);
  });

  it('replaces a call and a span that went on', () => {
    expect(next.calls[1]!.problem).toBe('no numbers');
    expect(next.spans.map(({ end }) => end)).toEqual([2, 3]);
  });

  it('places new policies on the axes of the ones before', () => {
    expect(next.projection!.x).toEqual([0, 0, 0, 0, 2, 2]);
    expect(next.projection!.y).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it('gives policies axes of their own where many are new, and where there were none', () => {
    const later = withUpdate(next, { ...update, iterations: [iteration(4)] });
    expect(later.projection).toEqual(projectionOf(triedPolicies(later.iterations)));
    expect(later.projection!.policies).toBe(8);
    const first = withUpdate(runPage(), { ...update, iterations: [iteration(1)] });
    expect([first.projection?.x.length, first.projection?.policies]).toEqual([2, 2]);
  });
});

describe('the run of a branch', () => {
  it('is looked for beside it', () => {
    expect(['b', 'a/b', 'a/c/b'].map((id) => besideOf(id, 'run'))).toEqual(['run', 'a/run', 'a/c/run']);
  });
});

describe('a policy', () => {
  const iterations = [
    iteration(1),
    iteration(2, { kept: null, mean: null, candidates: [] }),
    iteration(3, { kept: 'proposal', mean: 13, best: 21 }),
  ];

  it('is compared with the one before it, and the first one with the policy that was kept last', () => {
    expect(referenceOf(iterations, 2, 'revision')).toEqual({ params: [3, 1], name: 'the proposal of iteration 3' });
    expect(referenceOf(iterations, 2, 'proposal')).toEqual({
      params: [1, 2],
      name: 'the policy that iteration 1 kept',
    });
    expect(referenceOf(iterations, 0, 'proposal')).toBeNull();
    const trained = [1, 2].map((n) => iteration(n, { candidates: [candidate('proposal', [], n)] }));
    expect(referenceOf(trained, 1, 'proposal')).toBeNull();
  });

  it('is an edit that was kept or not where it was made of another one', () => {
    expect(iterations.map(editOf)).toEqual(['accepted', null, 'rejected']);
  });

  it('is led to by the last repair turn of its call', () => {
    const calls = [call(1, 1, 'search'), call(2, 1, 'search', 1), call(3, 1, 'critic')];
    expect(callOf(iterations[0]!, calls, 'proposal')!.seq).toBe(2);
    expect(callOf(iterations[0]!, calls, 'revision')!.seq).toBe(3);
    expect(callOf(iterations[0]!, calls.slice(0, 2), 'proposal')).toBeNull();
  });

  it('is led to by no call where an optimiser made it, nor by one of several that were played together', () => {
    const [search, critic] = [call(1, 1, 'search'), call(2, 1, 'critic')];
    const optimised = { ...candidate('proposal', [1, 1], 11), byOptimiser: true };
    const alone = iteration(1, { kept: 'proposal', candidates: [optimised] });
    expect(callOf(alone, [search], 'proposal')).toBeNull();
    const revised = iteration(1, { candidates: [optimised, candidate('revision', [1, 2], 21)] });
    expect(['proposal', 'revision'].map((label) => callOf(revised, [critic], label)?.seq)).toEqual([undefined, 2]);
    const best = iteration(1, { kept: 'proposal', candidates: [candidate('proposal', [1, 1], 11)] });
    expect(callOf(best, [search, call(3, 1, 'search')], 'proposal')).toBeNull();
    const unusable = { ...call(3, 1, 'search'), problem: 'no numbers' };
    expect(callOf(best, [unusable, search], 'proposal')?.seq).toBe(1);
  });
});

describe('the selection of an address', () => {
  const page = runPage({
    iterations: [iteration(1), iteration(2, { best: 22 }), iteration(4, { mean: 5, best: 22, kept: 'proposal' })],
    calls: [call(1, 1, 'search'), call(2, 1, 'critic'), call(3, 4, 'search'), call(4, 4, 'critic')],
  });
  const select = (query: string) => {
    const {
      iteration: one,
      candidate: policy,
      call: chosen,
    } = selectionOf(page, callsByIteration(page.calls), new URLSearchParams(query));
    return [one?.iteration, policy?.label, chosen?.seq];
  };

  it('is the best iteration, the policy that it kept and the call behind it where it says nothing', () => {
    expect(select('')).toEqual([2, 'revision', undefined]);
    expect(bestIndex(page.iterations)).toBe(1);
  });

  it('is what it names', () => {
    expect(select('at=1')).toEqual([1, 'revision', 2]);
    expect(select('at=1&policy=proposal')).toEqual([1, 'proposal', 1]);
    expect(select('at=4&call=4')).toEqual([4, 'proposal', 4]);
  });

  it('is the nearest thing that there is where it names what the run lacks', () => {
    expect(select('at=3')[0]).toBe(2);
    expect(select('at=999999&call=1')).toEqual([4, 'proposal', 3]);
    expect(select('at=-1&policy=<b>')[0]).toBe(2);
    const empty = selectionOf(runPage(), new Map(), new URLSearchParams('at=3'));
    expect(empty).toEqual({ index: -1, iteration: null, candidate: null, call: null });
  });
});

describe('the curve', () => {
  it('offers the measures that the run has, over growing numbers', () => {
    expect(xAxesOf([iteration(1)]).map(({ id }) => id)).toEqual(['iteration', 'episodes', 'steps', 'tokens', 'time']);
    expect(xAxesOf([iteration(1, { tokens: 0, costUsd: 2 })]).map(({ id }) => id)).toContain('cost');
    const x = growing([0, 0, 5, 5, 4]);
    expect(x.every((value, i) => i === 0 || value > x[i - 1]!)).toBe(true);
  });

  it('has the interval of the kept policy, and the mean of an edit whether it was kept or not', () => {
    const curve = curveOf([iteration(1), iteration(2, { kept: 'proposal', mean: 12 })]);
    expect(curve).toMatchObject({ mean: [21, 12], low: [19, 10], high: [24, 15] });
    expect(curve).toMatchObject({ accepted: [21, null], rejected: [null, 22], hasEdits: true });
  });
});

describe('noise', () => {
  it('is that of the recorded test on common seeds', () => {
    const paired = { difference: 9, ci95: [1, 17] as [number, number], p: 0.03 };
    expect(noiseOf(iteration(1, { paired }))).toEqual({ basis: 'paired', ...paired });
  });

  it('is estimated from both samples without one, and certain for equal parameters', () => {
    expect(noiseOf(iteration(1))).toMatchObject({ basis: 'approximate', difference: 10 });
    const same = [candidate('proposal', [1], 4), candidate('revision', [1], 5)];
    expect(noiseOf(iteration(1, { candidates: same }))).toMatchObject({ basis: 'identical', p: 1 });
    const single = same.map((one, i) => ({ ...one, params: [i], std: null, episodes: 1 }));
    expect(noiseOf(iteration(1, { candidates: single }))).toBeNull();
  });
});

describe('the policy space', () => {
  it('finds the policy below a pointer', () => {
    const page = runPage({
      iterations: [iteration(1), iteration(2, { candidates: [candidate('proposal', [1, 2], null)] })],
      projection: {
        x: [0, 5, 10],
        y: [0, 1, 1],
        explained: [1],
        policies: 3,
        centre: [0, 0],
        axes: [
          [1, 0],
          [0, 1],
        ],
      },
    });
    const points = pointsOf(page);
    expect(points.map((point) => [point.iteration, point.candidate, point.isKept])).toEqual([
      [0, 0, false],
      [0, 1, true],
      [1, 0, false],
    ]);
    const place = placing(boundsOf(points), 220, 120, 10);
    expect([place.x(points[1]!), place.y(points[1]!)]).toEqual([110, 10]);
    expect(nearest(points, place, 113, 12, 14)).toBe(1);
    expect(nearest(points, place, 160, 60, 14)).toBe(-1);
  });
});
