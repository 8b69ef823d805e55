/** Rankings: against what each policy gives alone, and against tests that hold all returns. */
import { afterAll, describe, expect, it } from 'vitest';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { type PolicyRanking, type Ranked, type RankRequest, rankPolicies } from '../../src/evaluation/ranking.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { hostStatistics } from '../../src/rollout/host-statistics.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { type PairedTest, paired } from '../../src/stats/intervals.ts';
import { holm } from '../../src/stats/multiple-testing.ts';
import { describeGpu } from '../support/gpu.ts';

const cpu = openCpuBackend({ threads: 1 });
afterAll(() => cpu.close());

const linear = buildPolicy('linear', cartpole);
const plain = buildPolicy('linear', cartpole, { bias: false });
const fair = Float64Array.of(-0.2, 0.1, 0.3, -0.1, -0.9, 1.1, -0.4, 0.6, 0.02, -0.03);
const nearlyFair = fair.map((x, i) => (i === 4 ? x - 0.02 : x));
const bad = Float64Array.of(-6.4, -4.2, -2.6, 2, 1.4, -0.6, 2, 1.5, 0.5, -5.1);
const unbiased = Float64Array.of(-0.1, 0.2, 0.2, -0.1, -0.5, 1.2, -0.3, 0.9);

const request = (changes: Partial<RankRequest> = {}): RankRequest => ({
  backend: cpu,
  env: cartpole,
  populations: [
    { policy: linear, candidates: [bad, nearlyFair, fair] },
    { policy: plain, candidates: [unbiased] },
  ],
  episodes: 40,
  seed: 500,
  maxSteps: 450,
  recheck: null,
  ...changes,
});

/** What is the same whenever it is asked for. */
const content = ({ order, recheck, broken, steps: _, seconds: __ }: PolicyRanking) => ({ order, recheck, broken });

async function returnsOf(
  population: number,
  candidate: number,
  seed: number,
  episodes: number,
  backend: Backend = cpu,
) {
  const { policy, candidates } = request().populations[population]!;
  const alone = { backend, env: cartpole, policy, candidates: [candidates[candidate]!], maxSteps: 450 };
  const result = await evaluate({ ...alone, episodes, seed, keepOutcomes: true });
  return { summary: result.summaries[0], returns: (await result.outcomes()).returns };
}

async function expectRight({ order, recheck }: PolicyRanking, backend: Backend): Promise<void> {
  const means = order.map(({ summary }) => summary.mean);
  expect(means).toEqual([...means].sort((a, b) => b - a));
  const parts: { list: readonly Omit<Ranked, 'rank'>[]; seed: number; episodes: number }[] = [
    { list: order, seed: 500, episodes: 40 },
  ];
  if (recheck) parts.push({ list: recheck.policies, seed: recheck.seed, episodes: recheck.episodes });
  for (const { list, seed, episodes } of parts) {
    const [best] = list;
    const bestAlone = await returnsOf(best!.population, best!.candidate, seed, episodes, backend);
    expect(best!.summary).toEqual(bestAlone.summary);
    expect(best!.againstBest).toBeNull();
    const expected: PairedTest[] = [];
    for (const { population, candidate, summary } of list.slice(1)) {
      const alone = await returnsOf(population, candidate, seed, episodes, backend);
      expect(summary).toEqual(alone.summary);
      expected.push(paired(bestAlone.returns, alone.returns));
    }
    const adjusted = holm(expected.map(({ p }) => p));
    list.slice(1).forEach(({ againstBest }, i) => {
      expect(againstBest?.difference).toBeCloseTo(expected[i]!.difference, 10);
      expect(againstBest?.ci95?.[0]).toBeCloseTo(expected[i]!.ci95?.[0] ?? NaN, 8);
      expect(againstBest?.ci95?.[1]).toBeCloseTo(expected[i]!.ci95?.[1] ?? NaN, 8);
      expect(Math.abs((againstBest?.holmP ?? NaN) / adjusted[i]! - 1)).toBeLessThan(1e-6);
    });
  }
}

describe('a ranking', () => {
  it('is by mean, with paired tests against the best, across kinds of policies', async () => {
    const ranking = await rankPolicies(request({ recheck: { top: 3, episodes: 17 } }));
    await expectRight(ranking, cpu);
    expect(ranking.order).toHaveLength(4);
    expect(new Set(ranking.order.map(({ population }) => population)).size).toBe(2);
    expect(ranking.order.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
    expect(ranking.recheck).toMatchObject({ seed: 540, episodes: 17 });
    expect(ranking.recheck?.policies.map(({ population, candidate }) => [population, candidate])).toEqual(
      ranking.order.slice(0, 3).map(({ population, candidate }) => [population, candidate]),
    );
    // So different from the best that no number of comparisons hides it.
    expect(ranking.order[3]!.againstBest?.holmP).toBeLessThan(1e-6);
  });

  it('is the same when returns are not kept, for any block size', async () => {
    const kept = await rankPolicies(request({ recheck: { top: 2, episodes: 9 } }));
    for (const block of [1, 7, 40, 100]) {
      const again = await rankPolicies(request({ recheck: { top: 2, episodes: 9 }, keep: 0, block }));
      expect(content(again)).toEqual(content(kept));
      expect(again.steps).toBeGreaterThan(kept.steps);
    }
  });

  it('gives policies of the same mean the same rank, and the one that was given first is the best', async () => {
    const candidates = [bad, fair, fair, bad, nearlyFair];
    const { order } = await rankPolicies(request({ populations: [{ policy: linear, candidates }], maxSteps: 15 }));
    const first = order.filter(({ rank }) => rank === 1).map(({ candidate }) => candidate);
    expect(first).toEqual([1, 2, 4]);
    expect(order.map(({ rank }) => rank)).toEqual([1, 1, 1, 4, 4]);
    expect(order[1]!.againstBest).toEqual({ difference: 0, ci95: [0, 0], p: 1, holmP: 1 });
  });

  it('of one policy has no comparison, and of one episode no interval', async () => {
    const one = await rankPolicies(request({ populations: [{ policy: linear, candidates: [fair] }] }));
    expect(one.order).toHaveLength(1);
    expect(one.order[0]!.againstBest).toBeNull();
    const single = await rankPolicies(request({ episodes: 1, recheck: { top: 9, episodes: 1 } }));
    expect(single.order[3]!.againstBest).toMatchObject({ ci95: null, p: 1, holmP: 1 });
    expect(single.recheck?.policies).toHaveLength(4);
  });

  it('reports progress that never falls, up to 1', async () => {
    for (const keep of [1000, 0]) {
      const shares: number[] = [];
      const onProgress = (share: number) => shares.push(share);
      await rankPolicies(request({ recheck: { top: 2, episodes: 9 }, keep, onProgress }));
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect(shares.at(-1)).toBe(1);
    }
  });

  it('leaves out policies with returns that are not finite, and keeps the others', async () => {
    const play: Backend['play'] = async (job, options) => {
      const played = await cpu.play(job, options);
      job.candidates.forEach((params, c) => {
        if (params[0] === bad[0]) played.returns[c * job.episodes + 2] = Infinity;
      });
      return played;
    };
    const broken: Backend = {
      ...{ id: 'cpu', adapter: null, play },
      supports: () => null,
      measure: (job, wanted, options) => hostStatistics(play, job, wanted, options),
      trace: (...given) => cpu.trace(...given),
      resets: (...given) => cpu.resets(...given),
      probe: (...given) => cpu.probe(...given),
      close: async () => {},
    };
    for (const keep of [1000, 0]) {
      const candidates = [fair, bad, nearlyFair, bad, fair];
      const populations = [{ policy: linear, candidates }];
      const ranking = await rankPolicies(request({ backend: broken, populations, keep }));
      expect(ranking.order.map(({ candidate }) => candidate).sort()).toEqual([0, 2, 4]);
      expect(ranking.broken.map(({ candidate }) => candidate)).toEqual([1, 3]);
      expect(ranking.broken[0]!.reason).toContain('got Infinity in the episode with seed 502');
    }
    const alone = [{ policy: linear, candidates: [bad] }];
    await expect(rankPolicies(request({ backend: broken, populations: alone }))).rejects.toThrow(
      'expected a policy that can be ranked, got none: expected finite returns',
    );
  });

  it('keeps the order when one of the first breaks on fresh seeds alone', async () => {
    const breaking =
      (params: Float64Array): Backend['play'] =>
      async (job, options) => {
        const played = await cpu.play(job, options);
        job.candidates.forEach((own, c) => {
          if (job.seed === 540 && own[4] === params[4]) played.returns[c * job.episodes] = Number.NaN;
        });
        return played;
      };
    for (const broken of [nearlyFair, fair]) {
      const play = breaking(broken);
      const backend = {
        id: 'cpu',
        adapter: null,
        play,
        measure: (job, wanted, options) => hostStatistics(play, job, wanted, options),
      } as Pick<Backend, 'id' | 'adapter' | 'play' | 'measure'> as Backend;
      const populations = [{ policy: linear, candidates: [bad, nearlyFair, fair] }];
      const { order, recheck } = await rankPolicies(
        request({ backend, populations, recheck: { top: 2, episodes: 30 } }),
      );
      expect(order).toHaveLength(3);
      const at = order.findIndex(({ candidate }) => populations[0]!.candidates[candidate] === broken);
      expect(recheck?.policies.map((one) => one.position)).toEqual([0, 1].filter((other) => other !== at));
      expect(recheck?.broken).toMatchObject([{ reason: expect.stringContaining('seed 540') }]);
      if (at === 0) expect(recheck!.policies[0]!.againstBest).toBeNull();
    }
  });

  it('refuses fresh seeds beyond the safe integers before anything is played', async () => {
    const seed = 2 ** 53 - 60;
    await expect(rankPolicies(request({ seed, recheck: { top: 1, episodes: 30 } }))).rejects.toThrow('episode seeds');
  });

  it('stops when the signal fires', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(rankPolicies(request({ signal: controller.signal, onProgress, keep: 0 }))).rejects.toThrow('enough');
  });
});

describeGpu('a ranking on webgpu', () => {
  it.each(['host', 'device'] as const)('is right with statistics on the %s', async (statistics) => {
    const gpu = await openWebGpuBackend({ statistics });
    try {
      const recheck = { top: 2, episodes: 9 };
      const kept = await rankPolicies(request({ backend: gpu, recheck }));
      await expectRight(kept, gpu);
      const again = await rankPolicies(request({ backend: gpu, recheck, keep: 0, block: 64 }));
      expect(content(again)).toEqual(content(kept));
    } finally {
      await gpu.close();
    }
  });
});
