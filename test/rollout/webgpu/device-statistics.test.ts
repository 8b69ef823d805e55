/** Statistics made on the GPU: those of the host, bit for bit, however the episodes lie in memory. */

import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAsset } from '../../../src/base/node/assets.ts';
import { cartpole } from '../../../src/envs/cartpole/index.ts';
import { findEnv } from '../../../src/envs/registry.ts';
import { summaryRanks } from '../../../src/evaluation/summary.ts';
import { buildPolicy } from '../../../src/policies/index.ts';
import type { Backend } from '../../../src/rollout/backend.ts';
import type { RolloutJob } from '../../../src/rollout/job.ts';
import { maxRanks, middleRanks, statisticsOf, statisticsOfEach } from '../../../src/rollout/statistics.ts';
import type { GpuDevice } from '../../../src/rollout/webgpu/device.ts';
import { defaultWorkgroup, EpisodeKernel } from '../../../src/rollout/webgpu/episodes/episode-kernel.ts';
import { openWebGpuBackend } from '../../../src/rollout/webgpu/node/backend.ts';
import { openDevice } from '../../../src/rollout/webgpu/node/dawn.ts';
import { ProgramCache } from '../../../src/rollout/webgpu/program/program-cache.ts';
import { statisticsProgram } from '../../../src/rollout/webgpu/program/programs.ts';
import { defaultSegment, planBlocks } from '../../../src/rollout/webgpu/run/memory-plan.ts';
import { Runner } from '../../../src/rollout/webgpu/run/runner.ts';
import { recordSize } from '../../../src/rollout/webgpu/statistics/statistics-declarations.ts';
import { keyAtLeast, ranksOf, StatisticsRecords } from '../../../src/rollout/webgpu/statistics/statistics-records.ts';
import { StatisticsStages } from '../../../src/rollout/webgpu/statistics/statistics-stages.ts';
import { describeGpu } from '../../support/gpu.ts';

const policy = buildPolicy('linear', cartpole);
/** falls after 40 to 500 steps */
const fair = Float64Array.of(-0.2, 0.1, 0.3, -0.1, -0.9, 1.1, -0.4, 0.6, 0.02, -0.03);
const bad = Float64Array.of(-6.4, -4.2, -2.6, 2, 1.4, -0.6, 2, 1.5, 0.5, -5.1);

function job(changes: Partial<RolloutJob> = {}): RolloutJob {
  return { env: cartpole, policy, candidates: [fair], episodes: 7, seed: 40, maxSteps: null, ...changes };
}

const wanted = (episodes: number, successThreshold: number) => ({ successThreshold, ranks: summaryRanks(episodes) });

interface Outcomes {
  readonly returns: Float64Array;
  readonly lengths: Uint32Array;
  readonly ends: Uint8Array;
}

/** Whole numbers with many ties, and numbers of every size and sign, tiny and huge ones among them. */
function outcomesOf(episodes: number, kind: 'ties' | 'any', seed: number): Outcomes {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
  const any = (): number => Math.fround((next() - 0.5) * 2 ** Math.floor(next() * 270 - 150));
  const draw = { ties: () => Math.floor(next() * 9) - 4, any }[kind];
  return {
    returns: Float64Array.from({ length: episodes }, () => draw() + 0),
    lengths: Uint32Array.from({ length: episodes }, () => 1 + Math.floor(next() * (2 ** 30 - 2))),
    ends: Uint8Array.from({ length: episodes }, () => Math.floor(next() * 3)),
  };
}

/** Whether so little is left of the sum of these numbers that doubles with what they lost do not hold it. */
function cancel(values: readonly number[]): boolean {
  const sizes = values.reduce((sum, value) => sum + Math.abs(value), 0);
  const whole = values.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 20);
  return !whole && Math.abs(values.reduce((sum, value) => sum + value, 0)) < 2 ** -30 * sizes;
}

describeGpu('the statistics program', () => {
  let gpu: GpuDevice;
  let runner: Runner;
  const program = statisticsProgram(readAsset);
  beforeAll(async () => {
    gpu = await openDevice();
    runner = new Runner(gpu);
  });
  afterAll(() => gpu.close());

  /** What it makes of these outcomes, one entry per candidate. */
  async function records(candidates: readonly Outcomes[], successThreshold: number): Promise<StatisticsRecords> {
    const episodes = candidates[0]!.returns.length;
    const request = wanted(episodes, successThreshold);
    const words = new Uint32Array(2 * episodes * candidates.length);
    const floats = new Float32Array(words.buffer);
    candidates.forEach(({ returns, lengths, ends }, c) => {
      for (let i = 0; i < episodes; i++) {
        floats[2 * (c * episodes + i)] = returns[i]!;
        words[2 * (c * episodes + i) + 1] = lengths[i]! | (ends[i]! << 30);
      }
    });
    const block = { first: 0, count: candidates.length, segments: [{ first: 0, count: episodes }] };
    const summing = await StatisticsStages.prepare(runner, episodes, request, program);
    const outcomes = runner.upload('outcomes', words);
    summing.begin(block);
    const all = new StatisticsRecords(candidates.length, episodes, request);
    const work = {
      clear: [summing.histograms(block)],
      dispatches: summing.all(block, outcomes),
      copies: [summing.records(block)],
    };
    await runner.submit(work, (results) => all.set(0, results.u32(0)));
    return all;
  }

  const host = ({ returns, lengths, ends }: Outcomes, successThreshold: number) =>
    statisticsOf(returns, lengths, ends, 0, wanted(returns.length, successThreshold));

  it.each([
    { episodes: 1, candidates: 3 },
    { episodes: 2, candidates: 70 },
    { episodes: 3, candidates: 5 },
    { episodes: 20, candidates: 9 },
    { episodes: 33, candidates: 2 },
    { episodes: 257, candidates: 2 },
    { episodes: 4097, candidates: 1 },
    { episodes: 8193, candidates: 2 },
    { episodes: 12288, candidates: 1 },
  ])('gives those of the host for $candidates x $episodes outcomes', async ({ episodes, candidates }) => {
    for (const kind of ['ties', 'any'] as const) {
      const all = Array.from({ length: candidates }, (_, c) => outcomesOf(episodes, kind, 97 * episodes + c));
      const made = await records(all, 1.5);
      all.forEach((outcomes, c) => {
        expect(made.of(c)).toEqual(host(outcomes, 1.5));
      });
    }
  });

  it('gives those of the host for any few returns and thresholds', async () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom(2 ** -149, -(2 ** -149), 3.4028234663852886e38, -3.4028234663852886e38, Math.fround(1e-40)),
    );
    const list = fc.array(value, { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(list, fc.oneof(value, fc.double({ noNaN: true })), async (values, threshold) => {
        const outcomes = outcomesOf(values.length, 'ties', 5);
        outcomes.returns.set(values.map((v) => v + 0));
        const [made, expected] = [(await records([outcomes], threshold)).of(0), host(outcomes, threshold)];
        if (!cancel(values)) expect(made).toEqual(expected);
        // Two ways to add up what nothing is left of lose different parts of it; all else is compared.
        const { mean, variance, picks } = expected;
        expect({ ...made, mean, variance, picks: { ...made.picks, mean: picks.mean } }).toEqual(expected);
      }),
      {
        numRuns: 60,
        examples: [[[3.4028234663852886e38, 0, 2, -2, 2 ** -149, -3.4028234663852886e38, 2 ** -149], 0]],
      },
    );
  });

  it('knows that equal returns do not vary, though their rounded sum says otherwise', async () => {
    for (const [episodes, value] of [
      [9, Math.fround(0.03)],
      [29, Math.fround(0.01)],
      [5000, Math.fround(-1.1)],
    ]) {
      const outcomes = outcomesOf(episodes!, 'ties', 2);
      outcomes.returns.fill(value!);
      const made = (await records([outcomes], 0)).of(0);
      expect(made).toMatchObject({ mean: value, variance: 0, median: value });
      expect(made).toEqual(host(outcomes, 0));
    }
  });

  it('gives the same bytes twice', async () => {
    const outcomes = [outcomesOf(9000, 'any', 3)];
    expect((await records(outcomes, 0)).of(0)).toEqual((await records(outcomes, 0)).of(0));
  });

  it.each([NaN, Infinity, -Infinity])('finds a return of %s among any others', async (value) => {
    const [sound, broken] = [outcomesOf(300, 'any', 8), outcomesOf(300, 'any', 9)];
    broken.returns[211] = value;
    const made = await records([sound, broken], 0);
    const candidates = [Float64Array.of(0), Float64Array.of(0)];
    expect(() => made.check({ candidates: candidates.slice(1), seed: 70 })).not.toThrow();
    const message = (seed: number) => `expected finite returns, got ${value} in the episode with seed ${seed}`;
    expect(() => made.check({ candidates, seed: 70 })).toThrow(message(281));
    expect(() => made.check({ candidates, seed: [70, 9000] })).toThrow(message(9211));
  });
});

describeGpu('measured on the GPU', () => {
  let whole: Backend;
  let cut: Backend;
  beforeAll(async () => {
    whole = await openWebGpuBackend({ statistics: 'device' });
    cut = await openWebGpuBackend({ statistics: 'device', segment: 4096, memory: 2 * 4096 * 8 });
  });
  afterAll(async () => {
    await whole.close();
    await cut.close();
  });

  async function expectAsOnHost(backend: Backend, request: RolloutJob): Promise<void> {
    const played = await whole.play(request);
    const measured = await backend.measure(request, wanted(request.episodes, 100));
    const expected = statisticsOfEach(played, request, wanted(request.episodes, 100));
    expected.forEach((statistics, c) => {
      expect(measured.of(c)).toEqual(statistics);
    });
    expect([...measured.means]).toEqual(expected.map(({ mean }) => mean));
    expect(measured.steps).toBe(played.steps);
    expect(new Set(played.returns).size).toBeGreaterThan(3);
  }

  it('a candidate is as on the host', async () => {
    await expectAsOnHost(whole, job({ candidates: [bad, fair], episodes: 100 }));
  });

  it('outcomes in several buffers, or beyond the memory, give the same statistics', async () => {
    await expectAsOnHost(cut, job({ candidates: [bad], episodes: 4096 * 4 + 5, seed: 2 ** 32 - 9000, maxSteps: 12 }));
  });

  it('a population in several buffers gives the same statistics', async () => {
    const candidates = Array.from({ length: 500 }, (_, i) => fair.map((v) => v * (i % 17)));
    await expectAsOnHost(cut, job({ candidates, episodes: 20, maxSteps: 40 }));
  });

  it('returns that are not whole numbers are summed up to the last bit', async () => {
    const env = findEnv('Pendulum-v1');
    const torque = buildPolicy('linear', env);
    const candidates = [Float64Array.of(0.3, -1.2, 0.7, 0.1), Float64Array.of(-3, 0.2, 0.5, 0)];
    await expectAsOnHost(whole, job({ env, policy: torque, candidates, episodes: 60, maxSteps: 30 }));
  });

  it('stops between two dispatches when the signal fires, and plays the next call', async () => {
    const abort = new AbortController();
    const running = cut.measure(job({ episodes: 60_000 }), wanted(60_000, 0), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expectAsOnHost(cut, job({ candidates: [bad], episodes: 9000, maxSteps: 11 }));
  });

  it('an adapter with the minimum limits gives the same results', async () => {
    const gpu = await openDevice({ limits: 'guaranteed' });
    expect(gpu.device.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
    const least = await openWebGpuBackend({ gpu, statistics: 'device' });
    try {
      await expectAsOnHost(least, job({ candidates: [bad, fair], episodes: 300, maxSteps: 60 }));
    } finally {
      await least.close();
    }
  });

  it('less memory on the device than wanted is made do with', async () => {
    const gpu = await openDevice();
    const scarce = await openWebGpuBackend({ gpu, statistics: 'device', segment: 4096 });
    // The device has memory for so many segments, then none.
    const { device } = gpu;
    const createBuffer = device.createBuffer.bind(device);
    const popErrorScope = device.popErrorScope.bind(device);
    let left = 1;
    let refused = false;
    device.createBuffer = (descriptor) => {
      refused = descriptor.label === 'outcomes of a segment' && left-- <= 0;
      return createBuffer(descriptor);
    };
    device.popErrorScope = async () => {
      const answer = refused ? ({ message: 'no more' } as GPUOutOfMemoryError) : null;
      return (await popErrorScope()) ?? answer;
    };
    const request = job({ candidates: [bad], episodes: 4096 * 3, maxSteps: 13 });
    try {
      await expectAsOnHost(scarce, request);
      expect(left).toBe(-1);
      left = 0;
      await expect(scarce.measure(request, wanted(request.episodes, 0))).rejects.toThrow(
        'expected 32768 bytes of memory on the device, got less; play fewer episodes',
      );
    } finally {
      await scarce.close();
    }
  });

  it('thousands of calls leave nothing behind', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const plain = await openWebGpuBackend();
    let seed = 0;
    const heapAfter = async (calls: number): Promise<number> => {
      for (let i = 0; i < calls; i++) await plain.measure(job({ candidates: [bad], seed: seed++ }), wanted(7, 0));
      await setImmediate();
      collect();
      return process.memoryUsage().heapUsed;
    };
    try {
      let heap = await heapAfter(300);
      const growths: number[] = [];
      for (let round = 0; round < 5; round++) {
        const before = heap;
        heap = await heapAfter(700);
        growths.push(heap - before);
      }
      // A promise that a call leaves on one that never settles takes 300 bytes and more, in each round. What grows once
      // is compiled code.
      expect(growths.sort((a, b) => a - b)[2]).toBeLessThan(100_000);
    } finally {
      await plain.close();
    }
  });

  it('takes the time on the GPU when asked', async () => {
    const request = job({ episodes: 64 });
    const timed = await whole.measure(request, wanted(64, 0), { timing: true });
    expect(timed.gpuSeconds === null || timed.gpuSeconds > 0).toBe(true);
    expect((await whole.measure(request, wanted(64, 0))).gpuSeconds).toBeNull();
  });
});

describe('blocks', () => {
  const request = fc.record({
    candidates: fc.integer({ min: 1, max: 400 }),
    episodes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 30_000 })),
    candidateBytes: fc.integer({ min: 4, max: 20_000 }),
    bindingBytes: fc.constantFrom(2 ** 16, 2 ** 20 + 7, 2 ** 27),
    segment: fc.constantFrom(4096, 8192),
  });

  it('hold every episode of every candidate once, and no more than fits', () => {
    fc.assert(
      fc.property(request, (asked) => {
        let next = 0;
        for (const { first, count, segments } of planBlocks(asked)) {
          expect(first).toBe(next);
          next += count;
          expect(count * asked.candidateBytes).toBeLessThanOrEqual(asked.bindingBytes);
          expect(count === 1 || segments.length === 1).toBe(true);
          let episode = 0;
          for (const part of segments) {
            expect(part.first).toBe(episode);
            expect(part.first % 4096).toBe(0);
            episode += part.count;
            expect(count * part.count).toBeLessThanOrEqual(asked.segment);
          }
          expect(episode).toBe(asked.episodes);
        }
        expect(next).toBe(asked.candidates);
      }),
      { numRuns: 60 },
    );
  });

  it('of a million candidates leave room for their records in the smallest buffers', async () => {
    const gpu = await openDevice({ nothingRuns: true, limits: 'guaranteed' });
    const million = job({ candidates: Array(1_000_000).fill(fair), episodes: 1 });
    const bindingBytes = gpu.device.limits.maxStorageBufferBindingSize;
    const rollout = await EpisodeKernel.prepare(new Runner(gpu), million, {
      sizes: new WeakMap(),
      bindingBytes,
      segment: defaultSegment,
      workgroup: defaultWorkgroup,
      programs: new ProgramCache(readAsset),
    });
    expect(rollout.blocks.length).toBeGreaterThan(1);
    for (const { count } of rollout.blocks) expect(4 * recordSize * count).toBeLessThanOrEqual(bindingBytes);
    gpu.close();
  });

  it('refuse a policy that fits no buffer of the device', () => {
    const asked = { candidates: 2, episodes: 20, candidateBytes: 2 ** 20 + 4, bindingBytes: 2 ** 20, segment: 4096 };
    expect(() => planBlocks(asked)).toThrow('expected a policy of at most 1048576 bytes, got 1048580');
  });
});

describe('what the program is asked for', () => {
  it('is in the order of the numbers', () => {
    const float = fc.float({ noNaN: true });
    fc.assert(
      fc.property(float, fc.double({ noNaN: true }), (value, threshold) => {
        expect(keyAtLeast(value) >= keyAtLeast(threshold)).toBe(value >= threshold);
      }),
      {
        examples: [
          [0, -0],
          [-0, 0],
          [2 ** -149, 2 ** -150],
          [-(2 ** -149), -(2 ** -150)],
          [1, 1 + 2 ** -40],
        ],
      },
    );
    expect(keyAtLeast(NaN)).toBeGreaterThan(keyAtLeast(3.4028234663852886e38));
  });

  it('holds the ranks in the middle, and fills up', () => {
    expect(middleRanks(2 ** 31)).toEqual([2 ** 30 - 1, 2 ** 30]);
    const ranks = ranksOf(6, { successThreshold: 0, ranks: [0, 4] });
    expect(ranks.all).toEqual([0, 2, 3, 4, 4, 4, 4, 4, 4, 4]);
    expect(ranks.middle.map((i) => ranks.all[i])).toEqual([2, 3]);
    expect(() => ranksOf(99, { successThreshold: 0, ranks: Array.from({ length: maxRanks }, (_, i) => i) })).toThrow(
      'expected at most 10 ranks, got 11',
    );
  });
});
