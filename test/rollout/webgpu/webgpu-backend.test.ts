/** The WebGPU backend on a real or software adapter, held to the cpu. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAsset } from '../../../src/base/node/assets.ts';
import { Generator } from '../../../src/base/rng/generator.ts';
import { cartpole } from '../../../src/envs/cartpole/index.ts';
import { evaluate } from '../../../src/evaluation/evaluate.ts';
import { buildPolicy } from '../../../src/policies/index.ts';
import { linear } from '../../../src/policies/linear.ts';
import type { Backend } from '../../../src/rollout/backend.ts';
import { openCpuBackend } from '../../../src/rollout/cpu/node/backend.ts';
import { endCauses, type RolloutJob } from '../../../src/rollout/job.ts';
import { WebGpuBackend } from '../../../src/rollout/webgpu/backend.ts';
import { openGpuDevice } from '../../../src/rollout/webgpu/device.ts';
import { openWebGpuBackend } from '../../../src/rollout/webgpu/node/backend.ts';
import { findAdapter, openDevice } from '../../../src/rollout/webgpu/node/dawn.ts';
import { describeGpu } from '../../support/gpu.ts';
import { readToyShader, toyEnv } from '../../support/toy-env.ts';

const policy = buildPolicy('linear', cartpole);
const good = Float64Array.of(-1.7832, 1.3935, -0.9133, 1.7699, -5.0816, 4.3552, -4.2295, 1.0367, -0.0506, -1.412);
const bad = Float64Array.of(-6.4, -4.2, -2.6, 2, 1.4, -0.6, 2, 1.5, 0.5, -5.1);
const zero = new Float64Array(10);

function job(changes: Partial<RolloutJob> = {}): RolloutJob {
  return { env: cartpole, policy, candidates: [good], episodes: 7, seed: 40, maxSteps: null, ...changes };
}

describeGpu('webgpu backend', () => {
  let gpu: Backend;
  let cpu: Backend;
  beforeAll(async () => {
    gpu = await openWebGpuBackend();
    cpu = openCpuBackend({ threads: 1 });
  });
  afterAll(async () => {
    await gpu.close();
    await cpu.close();
  });

  it('starts episodes in the state of the seeded original, rounded to f32, across the 32-bit border', async () => {
    for (const seed of [0, 2 ** 32 - 150, 2 ** 53 - 301]) {
      const expected = await cpu.resets(cartpole, seed, 300);
      expect(await gpu.resets(cartpole, seed, 300)).toEqual(expected.map((s) => s.map(Math.fround)));
    }
  });

  it('plays what the cpu plays where rounding cannot change an action', async () => {
    const request = job({ candidates: [bad, zero], episodes: 500, seed: 11 });
    const [a, b] = [await gpu.play(request), await cpu.play(request)];
    expect(a.returns).toEqual(b.returns);
    expect(a.lengths).toEqual(b.lengths);
    expect(a.ends).toEqual(b.ends);
    expect(a.steps).toBe(b.steps);
  });

  it('gives every candidate the same seeds, at any index', async () => {
    const one = await gpu.play(job({ candidates: [bad, good], episodes: 5 }));
    const two = await gpu.play(job({ candidates: [good, zero, bad], episodes: 5 }));
    expect(one.returns.slice(0, 5)).toEqual(two.returns.slice(10, 15));
    expect(one.lengths.slice(5, 10)).toEqual(two.lengths.slice(0, 5));
  });

  it('gives the same bytes in one call, in many, and twice', async () => {
    const whole = await gpu.play(job({ candidates: [bad], episodes: 3000, seed: 5 }));
    const again = await gpu.play(job({ candidates: [bad], episodes: 3000, seed: 5 }));
    expect(again.returns).toEqual(whole.returns);
    for (const [from, count] of [
      [0, 1],
      [1, 1234],
      [1235, 1765],
    ]) {
      const part = await gpu.play(job({ candidates: [bad], episodes: count!, seed: 5 + from! }));
      expect(part.lengths).toEqual(whole.lengths.slice(from, from! + count!));
    }
  });

  it('records the very episode that was played', async () => {
    const request = job({ candidates: [bad, good], episodes: 9, seed: 100 });
    const played = await gpu.play(request);
    for (const [candidate, episode] of [
      [0, 8],
      [1, 3],
    ]) {
      const at = candidate! * 9 + episode!;
      const trace = await gpu.trace(request, candidate!, episode!);
      expect(trace.return).toBe(played.returns[at]);
      expect(trace.length).toBe(played.lengths[at]);
      expect(trace.end).toBe(endCauses[played.ends[at]!]);
      expect(trace.seed).toBe(100 + episode!);
      expect(trace.steps).toHaveLength(trace.length);
      expect(trace.steps[0]!.state).toEqual((await cpu.resets(cartpole, 100 + episode!, 1))[0]!.map(Math.fround));
      // Each recorded step leads to the next: one step from its state and action gives the state after it.
      const after = await gpu.probe(
        cartpole,
        trace.steps.map(({ state, action }) => ({ state, action })),
      );
      const next = [...trace.steps.slice(1).map((s) => s.state), trace.finalState];
      after.forEach((step, t) => {
        step.state.forEach((value, i) => {
          expect(Math.abs(value - next[t]![i]!)).toBeLessThan(1e-5);
        });
      });
    }
  });

  it('hands the median trace to evaluate with the evaluated return', async () => {
    const result = await evaluate({ backend: gpu, env: cartpole, policy, candidates: [bad], episodes: 21, seed: 3 });
    const trace = await result.trace(0, 'median');
    expect(trace.return).toBe(result.summaries[0]!.median_episode.return);
    expect(trace.seed).toBe(result.summaries[0]!.median_episode.seed);
  });

  it('takes the first action on a tie', async () => {
    const trace = await gpu.trace(job({ candidates: [zero] }), 0, 0);
    expect(new Set(trace.steps.map((s) => s.action[0]))).toEqual(new Set([0]));
  });

  it('plays CartPole the same to the last bit, whether small angles are known or looked for', async () => {
    const readShader = (path: string): string => readAsset(path).replace('if (FROM_ANY_STATE)', 'if (true)');
    const looking = await openWebGpuBackend({ readShader });
    const rng = Generator.from(17);
    const candidates = Array.from({ length: 40 }, () => Float64Array.from({ length: 10 }, () => rng.uniform(-6, 6)));
    try {
      const request = job({ candidates: [good, ...candidates], episodes: 30, seed: 900 });
      const [known, looked] = [await gpu.play(request), await looking.play(request)];
      for (const key of ['returns', 'lengths', 'ends'] as const) expect(known[key]).toEqual(looked[key]);
      expect(new Set(known.lengths).size).toBeGreaterThan(30);
      const [one, two] = [await gpu.trace(request, 3, 5), await looking.trace(request, 3, 5)];
      expect(one).toEqual(two);
      expect(Math.abs(one.finalState[2]!)).toBeGreaterThan(0.2094);
    } finally {
      await looking.close();
    }
  });

  it('steps from angles that no episode reaches as the cpu does', async () => {
    const inputs = [-3, -1.2, -0.5, -0.22, 0.211, 0.3, 0.9, 2.5, 7].map((theta, i) => ({
      state: [0.1, -0.3, theta, 0.7],
      action: [i % 2],
    }));
    const [made, expected] = [await gpu.probe(cartpole, inputs), await cpu.probe(cartpole, inputs)];
    made.forEach(({ state, terminated }, i) => {
      state.forEach((value, k) => {
        expect(value).toBeCloseTo(expected[i]!.state[k]!, 5);
      });
      expect(terminated).toBe(expected[i]!.terminated);
    });
  });

  it('stops at our cap with the cause "capped"', async () => {
    const played = await gpu.play(job({ episodes: 4, maxSteps: 30 }));
    expect([...played.lengths]).toEqual([30, 30, 30, 30]);
    expect([...played.ends].map((e) => endCauses[e])).toEqual(Array(4).fill('capped'));
  });

  it('measures the time on the GPU when asked', async () => {
    const timed = await gpu.play(job({ episodes: 64 }), { timing: true });
    expect(timed.gpuSeconds === null || timed.gpuSeconds > 0).toBe(true);
    expect((await gpu.play(job())).gpuSeconds).toBeNull();
  });

  it('stops between dispatches when the signal fires', async () => {
    const abort = new AbortController();
    const running = gpu.play(job({ episodes: 100_000 }), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    expect((await gpu.play(job({ episodes: 2 }))).steps).toBe(1000);
  });

  it('refuses what it cannot play before it touches the device', () => {
    expect(() => gpu.play(job({ candidates: [Float64Array.of(1, 2, 3)] }))).toThrow(/expected 10 parameters.*got 3/);
    expect(() => gpu.play(job({ candidates: [new Float64Array(10).fill(1e300)] }))).toThrow(/finite parameters/);
    expect(() => gpu.play(job({ seed: 2 ** 53 - 3 }))).toThrow(/expected episode seeds/);
  });
});

describeGpu('a Box action on both backends', () => {
  const toyPolicy = linear.build(toyEnv, {});
  const request: RolloutJob = {
    env: toyEnv,
    policy: toyPolicy,
    // Rows x, t, bias; columns walk, run: in the box, and outside it on each side.
    candidates: [
      Float64Array.of(0, 0, 0.25, 0, 0.5, 0.5),
      Float64Array.of(0, 0, -1, 1, 0.75, -9),
      Float64Array.of(1, 1, 0, 0, 5, 7),
    ],
    episodes: 40,
    seed: 1,
    maxSteps: null,
  };

  it('is clipped, ends for the same reasons, and returns the same to the last bit', async () => {
    const gpu = await openWebGpuBackend({ readShader: readToyShader });
    const cpu = openCpuBackend({ threads: 1 });
    try {
      for (const maxSteps of [null, 5]) {
        const [a, b] = [await gpu.play({ ...request, maxSteps }), await cpu.play({ ...request, maxSteps })];
        expect(a.returns).toEqual(b.returns);
        expect(a.lengths).toEqual(b.lengths);
        expect(a.ends).toEqual(b.ends);
        expect(new Set(a.ends).size).toBe(2);
      }
      const [x, y] = [await gpu.trace(request, 1, 2), await cpu.trace(request, 1, 2)];
      expect(x.steps.map((s) => s.action)).toEqual(y.steps.map((s) => s.action));
      expect(x.steps[0]!.action).toEqual([0.75, -1]);
      expect(x.steps[2]!.action).toEqual([-0.5, -1]);
    } finally {
      await gpu.close();
      await cpu.close();
    }
  });
});

describeGpu('a lost device', () => {
  it('fails the current call with a clear message, and the next one plays on a new device', async () => {
    const gpu = await openDevice();
    const backend = await openWebGpuBackend({ gpu });
    const running = backend.play(job({ episodes: 50_000 }));
    setTimeout(() => gpu.device.destroy(), 20);
    await expect(running).rejects.toThrow(/the device ".*" was lost \(destroyed: .*run again, or use --backend cpu/s);
    const other = await openWebGpuBackend();
    const after = await backend.play(job({ candidates: [bad], episodes: 30 }));
    expect(after.returns).toEqual((await other.play(job({ candidates: [bad], episodes: 30 }))).returns);
    await other.close();
    await backend.close();
    await expect(backend.play(job())).rejects.toThrow('expected an open backend, got a closed one');
  });
});

describeGpu('a backend whose device has failed', () => {
  it("asks the caller's opener again, with the caller's limits", async () => {
    const asked: (GPUDeviceDescriptor | undefined)[] = [];
    const requestAdapter = async () => {
      const { adapter } = (await findAdapter())!;
      const requestDevice = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = (descriptor) => {
        asked.push(descriptor);
        return requestDevice(descriptor);
      };
      return adapter;
    };
    const gpu = await openGpuDevice(requestAdapter, 'guaranteed');
    const backend = new WebGpuBackend({ gpu, readShader: readAsset });
    const before = await backend.play(job({ candidates: [bad], episodes: 20 }));
    gpu.device.destroy();
    await gpu.device.lost;
    const after = await backend.play(job({ candidates: [bad], episodes: 20 }));
    expect(after.returns).toEqual(before.returns);
    expect(asked.map((descriptor) => descriptor?.requiredLimits)).toEqual([{}, {}]);
    await backend.close();
  });
});

describe('numbers that a device reports as wrong', () => {
  it('fail the next call instead of becoming a result', async () => {
    const gpu = await openDevice({ nothingRuns: true });
    // Too large for any device: Dawn reports it as an uncaptured error.
    gpu.device.createBuffer({ size: 2 ** 52, usage: GPUBufferUsage.STORAGE });
    await gpu.device.queue.onSubmittedWorkDone();
    expect(() => gpu.check()).toThrow(/the device reported: .*nothing it computed is used/s);
    gpu.close();
  });
});
