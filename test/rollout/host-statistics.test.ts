/** Statistics of outcomes that come in parts: those of all at once, to the last bit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moments } from '../../src/base/moments.ts';
import { RankSearch, rankPasses } from '../../src/base/multi-pass-ranks.ts';
import { ValueCounts } from '../../src/base/value-counts.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { summaryRanks } from '../../src/evaluation/summary.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { EpisodeCounts } from '../../src/rollout/episode-counts.ts';
import { type HostStatisticsOptions, hostStatistics, type Play } from '../../src/rollout/host-statistics.ts';
import { type Episodes, firstSeed, partOfJob, type RolloutJob } from '../../src/rollout/job.ts';
import { Nearest } from '../../src/rollout/outcome-counts.ts';
import { statisticsOf } from '../../src/rollout/statistics.ts';

const policy = buildPolicy('linear', cartpole);
const job = (candidates: number, episodes: number, seed: number): RolloutJob => ({
  env: cartpole,
  policy,
  candidates: Array.from({ length: candidates }, (_, c) => new Float64Array(10).fill(c + 1)),
  episodes,
  seed,
  maxSteps: null,
});

/** Plays episodes whose returns are given by candidate (from 1) and seed. */
const playing =
  (returnOf: (candidate: number, seed: number) => number): Play =>
  async (asked) => {
    const all = asked.candidates.flatMap(([c], i) =>
      Array.from({ length: asked.episodes }, (_, e) => ({ c, seed: firstSeed(asked, i) + e })),
    );
    const lengths = Uint32Array.from(all, ({ c, seed: s }) => 1 + ((s * 7 + c!) % 31));
    return {
      returns: Float64Array.from(all, ({ c, seed: s }) => returnOf(c!, s)),
      lengths,
      ends: Uint8Array.from(all, ({ c, seed: s }) => (s * 5 + c!) % 3),
      steps: lengths.reduce((a, b) => a + b, 0),
      seconds: 1,
      gpuSeconds: 2,
      compileSeconds: 0,
    };
  };

/** Parts with the index of their first element. */
function placed<T>(parts: readonly (readonly T[])[]): { readonly part: readonly T[]; readonly from: number }[] {
  let next = 0;
  return parts.map((part) => {
    const from = next;
    next += part.length;
    return { part, from };
  });
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(1e-310, -1e-310, 1.7e308, -1.7e308, 2 ** -1074),
);

describe('the search for ranks', () => {
  it('equals sorting, for any parts', () => {
    const given = fc.record({
      parts: fc.array(fc.array(number, { maxLength: 40 }), { minLength: 1, maxLength: 5 }),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(given, ({ parts, picks }) => {
        const all = Float64Array.from(parts.flat());
        fc.pre(all.length > 0);
        const ranks = [...new Set(picks.map((pick) => pick % all.length))];
        const search = new RankSearch(ranks);
        for (let pass = 0; pass < rankPasses; pass++) {
          // Other parts in each pass.
          if (pass === 1) search.add(all);
          else for (const part of parts) search.add(Float64Array.from(part));
          search.endPass();
        }
        const sorted = all.slice().sort();
        for (const rank of ranks) expect(search.at(rank)).toBe(sorted[rank]);
      }),
      { numRuns: 40 },
    );
  });

  it('does not answer before it knows', () => {
    const search = new RankSearch([0]);
    search.add(Float64Array.of(3));
    search.endPass();
    expect(() => search.at(0)).toThrow('expected one of the ranks asked for after 3 passes, got 0 after 1');
  });
});

describe('counts of values', () => {
  it('give the order, the mean and the closest value of all numbers, for any parts', () => {
    const given = fc.array(fc.array(number, { maxLength: 30 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(given, number, (parts, target) => {
        const all = Float64Array.from(parts.flat());
        fc.pre(all.length > 0);
        const counts = new ValueCounts();
        for (const { part, from } of placed(parts)) expect(counts.add(Float64Array.from(part), from)).toBe(true);
        const sorted = all.slice().sort();
        for (const rank of sorted.keys()) expect(counts.at(rank)).toBe(sorted[rank]);
        const nearest = new Nearest(target);
        nearest.add(all);
        expect(counts.nearest(target)).toBe(nearest.index);
        const mean = counts.wholeMean();
        if (mean !== null) expect(mean).toBe(moments(all).mean);
      }),
      { numRuns: 60 },
    );
  });

  it('keep zeros of both signs apart', () => {
    const counts = new ValueCounts();
    counts.add(Float64Array.of(0, -0, 3), 0);
    expect([0, 1, 2].map((rank) => counts.at(rank))).toEqual([-0, 0, 3]);
    expect(counts.wholeMean()).toBe(null);
  });

  it('end where too many differ', () => {
    const counts = new ValueCounts();
    expect(
      counts.add(
        Float64Array.from({ length: 1024 }, (_, i) => i / 7),
        0,
      ),
    ).toBe(true);
    expect(counts.wholeMean()).toBe(null);
    expect(counts.add(Float64Array.of(3 / 7, -1), 1024)).toBe(false);
    const others = new ValueCounts();
    others.add(Float64Array.of(3 / 7, -1), 0);
    expect(counts.merge(others.ascending(), 1024)).toBe(false);
  });
});

describe('counts of episodes', () => {
  const episode = fc.record({ value: number, length: fc.integer({ min: 1, max: 9 }), end: fc.nat({ max: 2 }) });

  it('are the same whoever counted which part, and in which order', () => {
    const given = fc.record({
      parts: fc.array(fc.array(episode, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
      // Which counter takes a part; slices are taken in order, but counters are merged in any.
      takers: fc.array(fc.nat({ max: 2 }), { minLength: 6, maxLength: 6 }),
      order: fc.constantFrom([0, 1, 2], [2, 0, 1], [1, 2, 0]),
      from: fc.nat({ max: 100 }),
    });
    fc.assert(
      fc.property(given, ({ parts, takers, order, from }) => {
        const columns = (episodes: readonly { value: number; length: number; end: number }[]) => ({
          returns: Float64Array.from(episodes, ({ value }) => value),
          lengths: Uint32Array.from(episodes, ({ length }) => length),
          ends: Uint8Array.from(episodes, ({ end }) => end),
        });
        const whole = new EpisodeCounts(0.25);
        whole.add(columns(parts.flat()), from);
        const counters = [0, 1, 2].map(() => new EpisodeCounts(0.25));
        for (const [i, one] of placed(parts).entries()) counters[takers[i]!]!.add(columns(one.part), one.from);
        const merged = new EpisodeCounts(0.25);
        for (const at of order) merged.merge(structuredClone(counters[at]!.totals()), from);
        expect(merged.totals()).toEqual(whole.totals());
      }),
      { numRuns: 60 },
    );
  });
});

describe('counts of broken episodes', () => {
  it('name the first one, and count no returns', () => {
    const counts = new EpisodeCounts(0);
    const [lengths, ends] = [Uint32Array.of(1, 1, 1), Uint8Array.of(0, 0, 0)];
    counts.add({ returns: Float64Array.of(1, 2, 3), lengths, ends }, 0);
    expect(counts.returns?.at(2)).toBe(3);
    counts.add({ returns: Float64Array.of(4, NaN, Infinity), lengths, ends }, 3);
    expect(counts.totals()).toMatchObject({ outcomes: { broken: 4 }, returns: null });
  });
});

describe('statistics of parts', () => {
  const request = (episodes: number) => ({ successThreshold: 0.25, ranks: summaryRanks(episodes) });

  async function expectAsAtOnce(play: Play, asked: RolloutJob, options: HostStatisticsOptions): Promise<void> {
    const wanted = request(asked.episodes);
    const measured = await hostStatistics(play, asked, wanted, options);
    let steps = 0;
    for (const c of asked.candidates.keys()) {
      const { returns, lengths, ends } = await play(partOfJob(asked, c, c + 1), {});
      const expected = statisticsOf(returns, lengths, ends, firstSeed(asked, c), wanted);
      expect(measured.of(c)).toEqual(expected);
      expect(measured.means[c]).toBe(expected.mean);
      steps += expected.steps;
    }
    expect(measured.steps).toBe(steps);
  }

  it.each([
    { name: 'in memory', memory: 2 ** 20 },
    { name: 'played again for each pass', memory: 0 },
  ])('are those of all at once, $name', async ({ memory }) => {
    const given = fc.record({
      returns: fc.array(
        number.map((x) => x / 4),
        { minLength: 2, maxLength: 40 },
      ),
      part: fc.integer({ min: 1, max: 9 }),
      candidates: fc.integer({ min: 1, max: 2 }),
      seed: fc.nat({ max: 1000 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ returns, part, candidates, seed }) => {
        const play = playing((c, s) => returns[(s - seed + 3 * c) % returns.length]!);
        await expectAsAtOnce(play, job(candidates, returns.length, seed), { part, memory });
      }),
      { numRuns: 12 },
    );
  });

  it('begin with the seed of each candidate', async () => {
    const play = playing((c, s) => 1000 * c + s);
    for (const part of [4, 40]) await expectAsAtOnce(play, { ...job(3, 13, 0), seed: [70, 5, 400] }, { part });
  });

  it('are the same where half the memory would lose digits', async () => {
    await expectAsAtOnce(
      playing((c, s) => (s < 20 ? s : s / 3 + c)),
      job(1, 45, 0),
      { part: 10 },
    );
  });

  it('are the same where more returns differ than are counted, from the second part on', async () => {
    const play = playing((c, s) => (s < 700 ? s % 5 : s * 0.1 + c));
    await expectAsAtOnce(play, job(1, 2000, 0), { part: 650 });
  });

  it.each([
    { name: 'in memory', memory: 2 ** 20, again: [0, 2, 4] },
    { name: 'played again', memory: 0, again: [0, 2, 4] },
  ])('need the first episodes again where later returns are no whole numbers, $name', async ({ memory, again }) => {
    const asked: number[] = [];
    const inner = playing((c, s) => (s < 6 ? s % 3 : s / 3 + c));
    const play: Play = (some, options) => {
      asked.push(firstSeed(some, 0));
      return inner(some, options);
    };
    await expectAsAtOnce(play, job(1, 10, 0), { part: 2, memory });
    expect(asked.slice(0, 8)).toEqual([0, 2, 4, 6, 8, ...again]);
  });

  it('play episodes with whole returns once, whatever the memory', async () => {
    let parts = 0;
    const inner = playing((c, s) => (s % 7) + c);
    const play: Play = (some, options) => {
      if (some.episodes > 1) parts++;
      return inner(some, options);
    };
    await hostStatistics(play, job(1, 40, 0), request(40), { part: 4, memory: 0 });
    expect(parts).toBe(10);
  });

  it.each([
    // Of few values that are no whole numbers, then of many.
    ['few and then many', (s: number) => (s < 2600 ? (s % 5) / 4 : s * 0.1)],
    ['whole, few and then many', (s: number) => (s < 1300 ? s % 5 : s < 2600 ? (s % 5) / 4 : s * 0.1)],
    ['whole and then many', (s: number) => (s < 2600 ? s % 5 : s * 0.1)],
  ])('are the same for %s different returns, played again for each pass', async (_, returnOf) => {
    await expectAsAtOnce(
      playing((c, s) => returnOf(s) + c),
      job(1, 4000, 0),
      { part: 650, memory: 0 },
    );
  });

  it('do not need the memory of a part after the next one', async () => {
    const memory = [0, 1].map(() => [new Float64Array(8), new Uint32Array(8), new Uint8Array(8)] as const);
    const inner = playing((c, s) => s / 3 + c);
    let turn = 0;
    const play: Play = async (asked, options) => {
      const played = await inner(asked, options);
      if (!options.transient) return played;
      const [returns, lengths, ends] = memory[turn++ % 2]!;
      returns.set(played.returns);
      lengths.set(played.lengths);
      ends.set(played.ends);
      const n = played.returns.length;
      return { ...played, returns: returns.subarray(0, n), lengths: lengths.subarray(0, n), ends: ends.subarray(0, n) };
    };
    await expectAsAtOnce(play, job(1, 61, 5), { part: 8 });
    expect(turn).toBeGreaterThan(7);
  });

  it('pass every outcome to the sink once, in order', async () => {
    const heard: string[] = [];
    const play = playing((c, s) => 100 * c + s);
    const sink = async ({ returns }: Episodes, { candidate, first }: { candidate: number; first: number }) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      heard.push(`${candidate}/${first}: ${returns.join(' ')}`);
    };
    await hostStatistics(play, job(2, 5, 30), request(5), { part: 2, memory: 0, sink });
    await hostStatistics(play, job(1, 3, 50), request(3), { part: 4, sink });
    expect(heard).toEqual([
      '0/0: 130 131',
      '0/2: 132 133',
      '0/4: 134',
      '1/0: 230 231',
      '1/2: 232 233',
      '1/4: 234',
      '0/0: 150 151 152',
    ]);
  });

  it('report progress and the sums of what was played', async () => {
    const shares: number[] = [];
    const inner = playing((c, s) => c + s);
    const play: Play = async (part, options) => {
      options.onProgress?.(0.5);
      const played = await inner(part, options);
      options.onProgress?.(1);
      return played;
    };
    const measured = await hostStatistics(play, job(2, 4, 0), request(4), {
      part: 4,
      onProgress: (share) => shares.push(share),
    });
    expect(shares).toEqual([0.25, 0.5, 0.5, 0.75, 1, 1]);
    expect(measured.gpuSeconds).toBe(4);
    shares.length = 0;
    const long: Play = (part, options) => {
      options.onProgress?.(0.5);
      return playing((c, s) => c + s / 3)(part, options);
    };
    await hostStatistics(long, job(1, 8000, 0), request(8000), {
      part: 2000,
      memory: 0,
      onProgress: (share) => shares.push(share),
    });
    expect(Math.max(...shares)).toBeGreaterThan(0.75);
    expect(Math.max(...shares)).toBeLessThanOrEqual(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    shares.length = 0;
    await hostStatistics(inner, job(1, 9, 0), request(9), { part: 3, onProgress: (share) => shares.push(share) });
    expect(shares).toEqual([1 / 3, 2 / 3, 1]);
  });

  it('name the seed of a return that is not finite', async () => {
    const play = playing((_, s) => (s === 47 ? Number.NaN : 1));
    await expect(hostStatistics(play, job(1, 20, 40), request(20), { part: 3 })).rejects.toThrow(
      'expected finite returns, got NaN in the episode with seed 47',
    );
  });

  it('end with the failure of a part or of the sink, and leave no part behind', async () => {
    let open = 0;
    const inner = playing((c, s) => c + s);
    const play: Play = async (part, options) => {
      open++;
      await new Promise((resolve) => setTimeout(resolve, 2));
      open--;
      if (firstSeed(part, 0) >= 15) throw new Error('lost the device');
      return inner(part, options);
    };
    await expect(hostStatistics(play, job(1, 20, 0), request(20), { part: 5 })).rejects.toThrow('lost the device');
    const sink = async () => {
      throw new Error('the disk is full');
    };
    await expect(hostStatistics(play, job(1, 10, 0), request(10), { part: 5, sink })).rejects.toThrow('disk is full');
    expect(open).toBe(0);
  });
});
