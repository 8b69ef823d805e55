/** Summaries, intervals and tests, against numbers worked out by hand or with SciPy 1.x, and `evaluate` around them. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { R2poError, UsageError } from '../../src/base/errors.ts';
import { moments, RunningSquares } from '../../src/base/moments.ts';
import { placeRanks, quantile } from '../../src/base/order-statistics.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { type EvaluateRequest, evaluate } from '../../src/evaluation/evaluate.ts';
import { quantileLevels, summarise } from '../../src/evaluation/summary.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { hostStatistics } from '../../src/rollout/host-statistics.ts';
import type { Episodes, Trace } from '../../src/rollout/job.ts';
import { meanInterval, paired, t975, welch } from '../../src/stats/intervals.ts';

const options = { firstSeed: 70, successThreshold: 40 };

/** Lengths and ends that do not matter to the test. */
function summaryOf(returns: readonly number[]) {
  const n = returns.length;
  return summarise(Float64Array.from(returns), new Uint32Array(n).fill(3), new Uint8Array(n), options);
}

describe('summary', () => {
  it('of six episodes is the one worked out by hand', () => {
    const summary = summarise(
      Float64Array.of(10, 30, 20, 80, 40, 50),
      Uint32Array.of(7, 9, 8, 500, 11, 65),
      Uint8Array.of(0, 2, 0, 1, 0, 2),
      options,
    );
    const { mean, std, stderr, ci95, quantiles, length, ...rest } = summary;
    expect(mean).toBe(230 / 6);
    expect(std).toBeCloseTo(Math.sqrt((11900 - 230 ** 2 / 6) / 5), 12);
    expect(stderr).toBeCloseTo(Math.sqrt((11900 - 230 ** 2 / 6) / 30), 12);
    expect(ci95?.[0]).toBeCloseTo(12.27293521521035, 5);
    expect(ci95?.[1]).toBeCloseTo(64.39373145145632, 5);
    expect(quantiles['0.05']).toBeCloseTo(12.5, 12);
    expect(quantiles['0.25']).toBeCloseTo(22.5, 12);
    expect(quantiles['0.5']).toBeCloseTo(35, 12);
    expect(quantiles['0.75']).toBeCloseTo(47.5, 12);
    expect(quantiles['0.95']).toBeCloseTo(72.5, 12);
    expect(length).toEqual({ mean: 100, min: 7, max: 500 });
    expect(rest).toEqual({
      episodes: 6,
      min: 10,
      max: 80,
      median: 35,
      success: { threshold: 40, count: 3, rate: 0.5 },
      ends: { terminated: 3, truncated: 1, capped: 2 },
      median_episode: { index: 1, seed: 71, return: 30, length: 9 },
      mean_episode: { index: 4, seed: 74, return: 40, length: 11 },
      worst_episode: { index: 0, seed: 70, return: 10, length: 7 },
      best_episode: { index: 3, seed: 73, return: 80, length: 500 },
      first_episode: { index: 0, seed: 70, return: 10, length: 7 },
      steps: 600,
    });
  });

  it('has no spread for a single episode', () => {
    const summary = summaryOf([12.5]);
    expect([summary.std, summary.stderr, summary.ci95]).toEqual([null, null, null]);
    expect([summary.mean, summary.median, summary.min, summary.max]).toEqual([12.5, 12.5, 12.5, 12.5]);
    expect(summary.quantiles['0.95']).toBe(12.5);
  });

  it('has the middle return as median of an odd number, and its episode', () => {
    const summary = summaryOf([9, 1, 5, 7, 3]);
    expect(summary.median).toBe(5);
    expect(summary.median_episode).toEqual({ index: 2, seed: 72, return: 5, length: 3 });
  });

  it('takes the first of the episodes that are equally close to the median', () => {
    expect(summaryOf([8, 2, 2, 8]).median_episode.index).toBe(0);
    expect(summaryOf([1, 9, 6, 6]).median_episode.index).toBe(2);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s and names the seed of its episode', (value) => {
    expect(() => summaryOf([1, 2, value, 3])).toThrow(R2poError);
    expect(() => summaryOf([1, 2, value, 3])).toThrow(
      `expected finite returns, got ${value} in the episode with seed 72`,
    );
  });

  it('refuses no episodes at all', () => {
    expect(() => summaryOf([])).toThrow('expected at least one episode, got none');
  });

  it('leaves the returns as they were', () => {
    const returns = Float64Array.of(3, 1, 2);
    summarise(returns, new Uint32Array(3), new Uint8Array(3), options);
    expect(Array.from(returns)).toEqual([3, 1, 2]);
  });

  it('orders its numbers, and its median episode is an episode', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(values, (returns) => {
        const summary = summaryOf(returns);
        const slack = 1e-9 * Math.max(1, Math.abs(summary.min), Math.abs(summary.max));
        expect(summary.mean).toBeGreaterThanOrEqual(summary.min - slack);
        expect(summary.mean).toBeLessThanOrEqual(summary.max + slack);
        expect(summary.ci95?.[0]).toBeLessThanOrEqual(summary.mean);
        expect(summary.ci95?.[1]).toBeGreaterThanOrEqual(summary.mean);
        const ladder = [summary.min, ...quantileLevels.map((level) => summary.quantiles[level]), summary.max];
        for (let i = 1; i < ladder.length; i++) expect(ladder[i]).toBeGreaterThanOrEqual(ladder[i - 1]! - slack);
        expect(Math.abs(summary.quantiles['0.5'] - summary.median)).toBeLessThanOrEqual(slack);
        const { index, return: median } = summary.median_episode;
        expect(returns[index]).toBe(median);
        const distance = Math.min(...returns.map((r) => Math.abs(r - summary.median)));
        expect(Math.abs(median - summary.median)).toBe(distance);
        expect(returns.findIndex((r) => Math.abs(r - summary.median) === distance)).toBe(index);
        expect(summary.success.count).toBe(returns.filter((r) => r >= 40).length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('quantile', () => {
  it('is a given value at a rank and linear between two', () => {
    const sorted = Float64Array.of(1, 2, 4, 8, 16);
    const of = (q: number) => quantile(5, q, (rank) => sorted[rank]!);
    expect([0, 0.25, 0.5, 0.75, 1].map(of)).toEqual([1, 2, 4, 8, 16]);
    expect(of(0.875)).toBe(12);
    expect(of(0.1)).toBeCloseTo(1.4, 14);
  });
});

describe('moments', () => {
  it('keep a small spread on a large mean', () => {
    const { mean, variance } = moments([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]);
    expect(mean).toBe(1e9 + 10);
    expect(variance).toBe(30);
  });

  it('are exact for whole numbers, in any order', () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(values, (list) => {
        const exact = list.reduce((sum, value) => sum + value, 0) / list.length;
        expect(moments(list).mean).toBe(exact);
        expect(moments(list.toReversed()).mean).toBe(exact);
      }),
    );
  });

  it('lose nothing of a sum that cancels', () => {
    expect(moments([1e16, 3, -1e16, 3]).mean).toBe(1.5);
  });

  it('have the same squares of counted values as of each one', () => {
    const counted = fc.array(
      fc.record({ value: fc.double({ min: -1e3, max: 1e3, noNaN: true }), count: fc.integer({ min: 1, max: 5000 }) }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(counted, fc.double({ min: -1e3, max: 1e3, noNaN: true }), (values, centre) => {
        const [oneByOne, byCounts] = [new RunningSquares(centre), new RunningSquares(centre)];
        for (const { value, count } of values) oneByOne.add(new Float64Array(count).fill(value));
        byCounts.addCounted(values);
        expect(byCounts.sum).toBe(oneByOne.sum);
      }),
    );
  });

  it('take counts beyond 2^32', () => {
    const squares = new RunningSquares(1);
    squares.addCounted([{ value: 4, count: 2 ** 40 + 1 }]);
    expect(squares.sum).toBe(9 * (2 ** 40 + 1));
  });
});

describe('t interval', () => {
  it.each([
    { dof: 1, t: 12.706204736174698 },
    { dof: 2, t: 4.302652729749462 },
    { dof: 7, t: 2.3646242515927844 },
    { dof: 99, t: 1.9842169515864174 },
    { dof: 100, t: 1.983971518523552 },
    { dof: 101, t: 1.983731002955606 },
    { dof: 4095, t: 1.9605434621072302 },
    { dof: 1_048_575, t: 1.9599662469189223 },
    { dof: 1e9, t: 1.959963986912325 },
  ])('has the 97.5 % point of SciPy at $dof degrees of freedom', ({ dof, t }) => {
    expect(Math.abs(t975(dof) / t - 1)).toBeLessThan(1e-7);
  });

  it('lies around the mean, t standard errors to each side', () => {
    const [low, high] = meanInterval(10, 2, 3);
    expect(low).toBeCloseTo(10 - 2 * 4.302652729749462, 6);
    expect(high).toBeCloseTo(10 + 2 * 4.302652729749462, 6);
  });

  it('needs two values', () => {
    expect(() => meanInterval(10, 2, 1)).toThrow('expected at least one degree of freedom, got 0');
  });
});

describe('Welch test', () => {
  it('agrees with SciPy on samples of different size and spread', () => {
    const { t, df, p } = welch([3, 5, 4, 8, 12.5], [7, 9, 6.5, 11]);
    expect(t).toBeCloseTo(-0.9366466742916768, 9);
    expect(df).toBeCloseTo(6.30173888099642, 9);
    expect(p).toBeCloseTo(0.38343307158535395, 7);
  });

  it('keeps its digits for tiny p and for large samples', () => {
    const { p } = welch([1, 2, 3, 4, 5, 6], [101, 102, 103.5, 104, 105, 106]);
    expect(p / 5.042505490088638e-16).toBeCloseTo(1, 6);
    const wave = (offset: number) => Float64Array.from({ length: 40_000 }, (_, i) => offset + (i % 7));
    const far = welch(wave(0), wave(0.05));
    expect(far.df).toBeCloseTo(79_998, 6);
    expect(far.p / 0.0004073350423800564).toBeCloseTo(1, 6);
  });

  it('is symmetric, and sure of nothing about a sample and itself', () => {
    const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const ab = welch(a, b);
        const ba = welch(b, a);
        expect(ab.p).toBe(ba.p);
        expect(ab.t).toBe(ba.t === 0 ? ab.t : -ba.t);
        expect(ab.p).toBeGreaterThanOrEqual(0);
        expect(ab.p).toBeLessThanOrEqual(1);
        expect(welch(a, a).p).toBeCloseTo(1, 9);
      }),
    );
  });

  it('decides samples without spread by their means', () => {
    expect(welch([4, 4, 4], [4, 4])).toEqual({ t: 0, df: 3, p: 1 });
    expect(welch([4, 4, 4], [5, 5])).toEqual({ t: -Infinity, df: 3, p: 0 });
    // The computed means of these are two roundings apart, and their computed variances are 1e-35.
    expect(welch(new Array(9).fill(0.03), new Array(11).fill(0.03))).toEqual({ t: 0, df: 18, p: 1 });
    expect(welch(new Array(9).fill(0.03), new Array(11).fill(0.04))).toEqual({ t: -Infinity, df: 18, p: 0 });
  });

  it('needs two values in each sample', () => {
    expect(() => welch([1], [2, 3])).toThrow('expected two values or more per sample, got 1 and 2');
  });
});

describe('order statistics', () => {
  const check = (values: readonly number[], ranks: readonly number[]) => {
    const sorted = Float64Array.from(values).sort();
    const placed = Float64Array.from(values);
    placeRanks(placed, ranks);
    for (const rank of ranks) expect(placed[rank]).toBe(sorted[rank]);
    expect(placed.sort()).toEqual(sorted);
  };

  it('are those of the sorted values, for any values and ranks', () => {
    const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const values = fc.array(
      value.map((v) => v + 0),
      { minLength: 1, maxLength: 700 },
    );
    fc.assert(
      fc.property(values, fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 }), (list, picks) => {
        const ranks = picks.map((pick) => pick % list.length).sort((a, b) => a - b);
        check(
          list.map((v) => (Object.is(v, -0) ? 0 : v)),
          ranks,
        );
      }),
    );
  });

  it('are found in sorted, reversed, equal, alternating and pipe-organ inputs', () => {
    const n = 5000;
    const ranks = [0, 250, 251, 2499, 2500, 4750, n - 1];
    const inputs: ((i: number) => number)[] = [
      (i) => i,
      (i) => -i,
      () => 7,
      (i) => i % 2,
      (i) => Math.min(i, n - i),
      (i) => (i * 7919) % n,
      (i) => (i < n / 2 ? 2 * i : 2 * (n - i) - 1),
    ];
    for (const input of inputs)
      check(
        Array.from({ length: n }, (_, i) => input(i)),
        ranks,
      );
  });
});

describe('the paired test', () => {
  it('gives the numbers of the closed form for four degrees of freedom', () => {
    // With t = mean / standard error of the differences: statistic 0.3087215731, p 0.7729441526
    const { difference, ci95, p } = paired([3, 5, 4, 8, 12.5], [7, 9, 6.5, 11, 3]);
    expect(difference).toBeCloseTo(0.8, 12);
    expect(p).toBeCloseTo(0.772944152565, 9);
    expect(ci95?.[0]).toBeCloseTo(0.8 - 2.7764451051977987 * 2.59133170397, 5);
    expect(ci95?.[1]).toBeCloseTo(0.8 + 2.7764451051977987 * 2.59133170397, 5);
  });

  it('finds a small difference that pairs share, which the means alone do not show', () => {
    const before = Array.from({ length: 20 }, (_, i) => (i * 37) % 101);
    const after = before.map((value, i) => value + 1 + (i % 2) * 0.1);
    expect(welch(after, before).p).toBeGreaterThan(0.8);
    expect(paired(before, after).p).toBeLessThan(1e-10);
  });

  it('is sure of what does not vary, and of nothing from one pair', () => {
    expect(paired([1, 2], [1, 2])).toEqual({ difference: 0, ci95: [0, 0], p: 1 });
    expect(paired([1, 2], [3, 4])).toEqual({ difference: 2, ci95: [2, 2], p: 0 });
    expect(paired([1], [9])).toEqual({ difference: 8, ci95: null, p: 1 });
    expect(() => paired([1, 2], [1])).toThrow('expected as many values before as after, got 2 and 1');
  });
});

describe('evaluate', () => {
  const cpu = openCpuBackend({ threads: 1 });
  afterAll(() => cpu.close());
  const policy = buildPolicy('linear', cartpole);
  const fair = Float64Array.of(-0.2, 0.1, 0.3, -0.1, -0.9, 1.1, -0.4, 0.6, 0.02, -0.03);
  const bad = Float64Array.of(-6.4, -4.2, -2.6, 2, 1.4, -0.6, 2, 1.5, 0.5, -5.1);
  const request = (changes: Partial<EvaluateRequest> = {}): EvaluateRequest => ({
    backend: cpu,
    env: cartpole,
    policy,
    candidates: [bad, fair],
    episodes: 25,
    seed: 300,
    ...changes,
  });

  /** The cpu with some of its answers changed. */
  const changed = (play: (e: Episodes) => Episodes, trace: (t: Trace) => Trace): Backend => ({
    id: 'cpu',
    adapter: null,
    supports: () => null,
    play: async (...given) => play(await cpu.play(...given)),
    measure: (job, wanted, options) =>
      hostStatistics(async (...given) => play(await cpu.play(...given)), job, wanted, options),
    trace: async (...given) => trace(await cpu.trace(...given)),
    resets: (...given) => cpu.resets(...given),
    probe: (...given) => cpu.probe(...given),
    close: async () => {},
  });

  it('summarises each candidate on its own episodes', async () => {
    const both = await evaluate(request({ keepOutcomes: true }));
    const { returns } = await both.outcomes();
    const alone = await evaluate(request({ candidates: [fair] }));
    expect(both.summaries.length).toBe(2);
    expect(both.summaries[1]).toEqual(alone.summaries[0]);
    expect(both.summaries[0]!.mean).toBe(returns.slice(0, 25).reduce((sum, r) => sum + r, 0) / 25);
    expect([...both.means]).toEqual(both.summaries.map((s) => s.mean));
    expect(both.summaries[0]!.steps + both.summaries[1]!.steps).toBe(both.played.steps);
    expect((await alone.outcomes()).returns).toEqual(returns.slice(25));
    expect(both.summaries[0]!.success.threshold).toBe(475);
  });

  it('counts successes from the threshold that it is given', async () => {
    const { summaries } = await evaluate(request({ successThreshold: 30 }));
    expect(summaries[1]!.success.threshold).toBe(30);
    expect(summaries[1]!.success.count).toBeGreaterThan(0);
    expect(summaries[0]!.success.count).toBe(0);
  });

  it('plays the median episode again', async () => {
    const { summaries, trace } = await evaluate(request({ maxSteps: 90 }));
    for (const candidate of [0, 1]) {
      const { seed, return: total, length } = summaries[candidate]!.median_episode;
      const played = await trace(candidate, 'median');
      expect([played.seed, played.return, played.length, played.steps.length]).toEqual([seed, total, length, length]);
    }
    await expect(trace(2, 'median')).rejects.toThrow('[evaluate] expected a candidate in 0 ... 1, got 2');
  });

  it('plays it with the evaluated parameters, even if the array has changed since', async () => {
    const params = fair.slice();
    const { summaries, trace } = await evaluate(request({ candidates: [params] }));
    params.set(bad);
    expect((await trace(0, 'median')).return).toBe(summaries[0]!.median_episode.return);
  });

  it.each<{ name: string; trace: (trace: Trace) => Trace }>([
    { name: 'return', trace: (t) => ({ ...t, return: t.return + 2 ** -40 }) },
    { name: 'length', trace: (t) => ({ ...t, length: t.length + 1 }) },
    { name: 'return that is no number', trace: (t) => ({ ...t, return: NaN }) },
  ])('does not accept a replay with another $name', async ({ trace }) => {
    const { trace: replay, summaries } = await evaluate(request({ backend: changed((e) => e, trace) }));
    const { seed } = summaries[1]!.median_episode;
    await expect(replay(1, 'median')).rejects.toThrow(
      `[evaluate] the replay of the median episode (seed ${seed}) returned`,
    );
    await expect(replay(1, 'median')).rejects.toThrow('the cpu backend does not repeat its results');
  });

  it('does not let a NaN return become a mean', async () => {
    const broken = (e: Episodes) => ({ ...e, returns: e.returns.with(31, NaN) });
    const backend = changed(broken, (t) => t);
    await expect(evaluate(request({ backend }))).rejects.toThrow('got NaN in the episode with seed 306');
  });

  it('refuses a wrong job before any backend sees it', async () => {
    const backend = changed(
      () => {
        throw new Error('played');
      },
      (t) => t,
    );
    await expect(evaluate(request({ backend, episodes: 0 }))).rejects.toThrow(UsageError);
    await expect(evaluate(request({ backend, candidates: [fair.slice(1)] }))).rejects.toThrow('expected 10 parameters');
  });

  it('passes the stop signal on', async () => {
    const signal = AbortSignal.abort(new Error('no more'));
    await expect(evaluate(request({ signal }))).rejects.toThrow('no more');
  });
});
