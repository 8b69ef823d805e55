/** The wasm backend: the float64 environments within their tolerances, and the same bits however the work is cut. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAsset } from '../../../src/base/node/assets.ts';
import { compareBackends } from '../../../src/checks/parity.ts';
import { cartpole } from '../../../src/envs/cartpole/index.ts';
import { withConstants } from '../../../src/envs/constants.ts';
import type { Env } from '../../../src/envs/env.ts';
import { envs } from '../../../src/envs/index.ts';
import { nim } from '../../../src/envs/nim/index.ts';
import { changedEnv } from '../../../src/envs/origin.ts';
import { buildPolicy, policyKinds } from '../../../src/policies/index.ts';
import { openCpuBackend } from '../../../src/rollout/cpu/node/backend.ts';
import { WorkerPool } from '../../../src/rollout/cpu/node/pool.ts';
import type { Episodes, RolloutJob } from '../../../src/rollout/job.ts';
import { compiledModule, maxKept } from '../../../src/rollout/wasm/module-cache.ts';
import { checkByDawn, openWasmBackend } from '../../../src/rollout/wasm/node/backend.ts';
import { callWords, RolloutProgram } from '../../../src/rollout/wasm/player.ts';
import { openWebGpuBackend } from '../../../src/rollout/webgpu/node/backend.ts';
import { rolloutProgram } from '../../../src/rollout/webgpu/program/programs.ts';
import { describeGpu } from '../../support/gpu.ts';
import { runCommand } from '../../support/in-process.ts';

const cpu = openCpuBackend({ threads: 1 });
const wasm = openWasmBackend({ threads: 1 });
afterAll(async () => {
  await cpu.close();
  await wasm.close();
});

/** falls after 40 to 500 steps */
const fair = Float64Array.of(-0.2, 0.1, 0.3, -0.1, -0.9, 1.1, -0.4, 0.6, 0.02, -0.03);
/** falls within a dozen steps */
const bad = Float64Array.of(-6.4, -4.2, -2.6, 2, 1.4, -0.6, 2, 1.5, 0.5, -5.1);
const policy = buildPolicy('linear', cartpole);

function job(changes: Partial<RolloutJob> = {}): RolloutJob {
  return { env: cartpole, policy, candidates: [fair, bad], episodes: 100, seed: 90_001, maxSteps: null, ...changes };
}
const raw = ({ returns, lengths, ends }: Episodes) => [Array.from(returns), Array.from(lengths), Array.from(ends)];

/** Every environment with the first kind that fits, and every kind in one of them. */
const pairs = envs.flatMap((env) => {
  const kinds = policyKinds.filter((kind) => kind.accepts(env) === null);
  return (env === cartpole ? kinds : kinds.slice(0, 1)).map((kind) => ({ env, kind, id: env.id, name: kind.id }));
});

it.each(pairs)('parity of $id with $name holds: starts, single steps, whole episodes', async ({ env, kind }) => {
  const sizes = { seed: 1, transitions: 256, episodes: 64, maxSeconds: null, maxSteps: 100 };
  const report = await compareBackends({ env, policy: kind.build(env, {}), reference: cpu, other: wasm, ...sizes });
  expect(report.start).toEqual({ seeds: 256, different: 0, first: null, ok: true });
  expect(report.step.maxError).toBeLessThanOrEqual(report.step.tolerance);
  expect(report.ok).toBe(true);
});

describe('episodes', () => {
  it('are the same bits on any number of threads, in any slices, and alone', async () => {
    const request = job({ candidates: [fair, bad, fair], episodes: 700, seed: [3, 2 ** 32 - 5, 2 ** 40] });
    const two = openWasmBackend({ threads: 2 });
    const all = await wasm.play(request);
    expect(raw(await two.play(request))).toEqual(raw(all));
    await two.close();
    const alone = await wasm.play({ ...request, candidates: [bad], seed: 2 ** 32 - 5 + 4, episodes: 3 });
    expect(raw(alone)).toEqual([all.returns, all.lengths, all.ends].map((part) => Array.from(part.slice(704, 707))));
    expect(new Set(all.returns).size).toBeGreaterThan(50);
  });

  it('are played on all threads by the program that this thread has compiled', async () => {
    const path = 'shaders/envs/cartpole.wgsl';
    const lighter = (asked: string): string =>
      asked === path ? readAsset(asked).replace('let temp = force', 'let temp = 0.5 * force') : readAsset(asked);
    const request = job({ episodes: 2000 });
    const [one, two] = [1, 2].map((threads) => openWasmBackend({ threads, readShader: lighter }));
    const pooled = vi.spyOn(WorkerPool.prototype, 'run');
    const played = await two!.play(request);
    expect(pooled).toHaveBeenCalledOnce();
    pooled.mockRestore();
    expect(raw(played)).toEqual(raw(await one!.play(request)));
    expect(raw(played)).not.toEqual(raw(await wasm.play(request)));
    await two!.close();
  });

  it('share a compiled program with every environment and policy of the same text', async () => {
    const rollout = (env: Env) =>
      compiledModule(rolloutProgram(env, buildPolicy('linear', env), readAsset), 'play', checkByDawn);
    const first = await rollout(cartpole);
    expect(await rollout(withConstants(cartpole, { gravity: 3 }, 'test'))).toBe(first);
    for (let i = 0; i < maxKept; i++) {
      const code = `@compute @workgroup_size(1) fn main() { let i = ${i}; }`;
      await compiledModule(
        { code, isShipped: false, locate: (line) => ({ path: 'given', line }) },
        'main',
        checkByDawn,
      );
    }
    expect((await rollout(cartpole)).id).not.toBe(first.id);
  });

  it('are recorded as they were played', async () => {
    const request = job();
    const { returns, lengths } = await wasm.play(request);
    for (const [candidate, episode] of [
      [0, 7],
      [1, 99],
    ] as const) {
      const trace = await wasm.trace(request, candidate, episode);
      expect(trace.return).toBe(returns[candidate * 100 + episode]);
      expect(trace.steps).toHaveLength(lengths[candidate * 100 + episode]!);
      expect(trace.steps.map(({ state }) => state.length)).toEqual(trace.steps.map(() => 4));
      expect((await wasm.resets(cartpole, 90_001 + episode, 1))[0]).toEqual(trace.steps[0]!.state);
    }
  });

  it('are recorded by playing them twice, however long they are', async () => {
    const runs = vi.spyOn(RolloutProgram.prototype, 'run');
    const { steps, finalState } = await wasm.trace(job({ candidates: [fair] }), 0, 3);
    expect(runs.mock.calls.map(([, , range]) => range.count)).toEqual([1, 1]);
    runs.mockRestore();
    const next = await wasm.probe(cartpole, steps);
    expect(next.map(({ state }) => state)).toEqual([...steps.slice(1).map(({ state }) => state), finalState]);
  });

  it('with numbers beyond 2^31 are the ones of their seeds', async () => {
    const all = job({ candidates: [fair], episodes: 2 ** 31, seed: 2 ** 40 - 9 });
    const last = await wasm.trace(all, 0, 2 ** 31 - 1);
    const { returns } = await wasm.play({ ...all, episodes: 1, seed: 2 ** 40 - 9 + 2 ** 31 - 1 });
    expect([last.return, last.seed]).toEqual([returns[0], 2 ** 40 - 9 + 2 ** 31 - 1]);
    await expect(wasm.play(all)).rejects.toThrow(/at most 268435456 episodes in one call, got 1 x 2147483648/);
    await expect(wasm.measure({ ...all, episodes: 2 ** 31 + 1 }, { successThreshold: 1, ranks: [0] })).rejects.toThrow(
      /at most 2147483648 episodes in one call, got 1 x 2147483649/,
    );
  });

  it('of many large policies are played in calls that fit into memory', async () => {
    const large = buildPolicy('mlp', cartpole, { hidden: [64, 64] });
    const params = (i: number) => Float64Array.from({ length: large.paramCount }, (_, k) => Math.sin(k + i));
    const request = job({ policy: large, candidates: Array.from({ length: 300 }, (_, i) => params(i)), episodes: 3 });
    const runs = vi.spyOn(RolloutProgram.prototype, 'run');
    const { returns } = await wasm.play({ ...request, maxSteps: 4 });
    const sizes = runs.mock.calls.map(([{ candidates }]) => candidates.length * large.paramCount);
    runs.mockRestore();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(callWords);
    expect(sizes.length).toBeGreaterThan(1);
    const last = await wasm.play({ ...request, candidates: [params(299)], maxSteps: 4 });
    expect(returns.slice(897)).toEqual(last.returns);
  });

  it('that need more memory than there is are an error that says how much', async () => {
    const fresh = openWasmBackend({ threads: 1 });
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('failed to grow memory');
    });
    const large = buildPolicy('mlp', cartpole, { hidden: [512, 64] });
    const candidates = [new Float64Array(large.paramCount)];
    await expect(fresh.play(job({ policy: large, candidates, episodes: 1 }))).rejects.toThrow(
      /^\[wasm\] expected \d MiB of memory, got less; use --backend cpu/,
    );
    grow.mockRestore();
    await fresh.close();
  });

  it('are played once there is memory for their program again', async () => {
    const fresh = openWasmBackend({ threads: 1 });
    const memory = vi.spyOn(WebAssembly, 'Memory').mockImplementation(() => {
      throw new RangeError('could not allocate memory');
    });
    await expect(fresh.play(job())).rejects.toThrow(/^\[wasm\] expected \d MiB of memory, got less/);
    memory.mockRestore();
    expect(raw(await fresh.play(job()))).toEqual(raw(await wasm.play(job())));
    await fresh.close();
  });

  it('that are short and of every length fill the lanes again', async () => {
    const tabular = buildPolicy('tabular', nim);
    const candidates = [Float64Array.from({ length: tabular.paramCount }, (_, i) => (i % 3) + 1)];
    const request = { env: nim, policy: tabular, candidates, episodes: 999, seed: 5, maxSteps: 40 };
    expect(raw(await wasm.play(request))).toEqual(raw(await cpu.play(request)));
  });

  it('stop when they are aborted, and not before a closed backend is refused', async () => {
    const given = AbortSignal.abort(new Error('enough'));
    await expect(wasm.play(job(), { signal: given })).rejects.toThrow('enough');
    const closed = openWasmBackend({ threads: 1 });
    await closed.close();
    await expect(closed.play(job())).rejects.toThrow('expected an open backend, got a closed one');
  });

  it('with an infinite return are an error that names the seed', async () => {
    const params = { ...cartpole.params, stepReward: Infinity };
    const request = job({ env: changedEnv(cartpole, { params }), episodes: 3 });
    await expect(wasm.measure(request, { successThreshold: 1, ranks: [0] })).rejects.toThrow(
      /got Infinity in the episode with seed 90001/,
    );
  });
});

describe('an engine without SIMD', () => {
  /** the byte in front of each vector instruction */
  const vectorByte = 253;
  const { validate } = WebAssembly;
  beforeEach(() => {
    const without = (bytes: BufferSource) => !(bytes as Uint8Array).includes(vectorByte) && validate(bytes);
    vi.spyOn(WebAssembly, 'validate').mockImplementation(without);
  });
  afterEach(() => vi.restoreAllMocks());

  it('is refused, and another backend named', () => {
    expect(() => openWasmBackend()).toThrow(/engine with WebAssembly SIMD, got one without; use --backend cpu/);
  });

  it('is measured with the other backends', async () => {
    const sizes = ['--episodes', '20', '--repeats', '1', '--million-seconds', '0.1'];
    const { code, stdout, stderr } = await runCommand('bench', 'maze', ...sizes, '--json');
    expect(stderr).toContain('wasm skipped: this engine has no WebAssembly SIMD');
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('"wasm')]);
  });

  describeGpu('with an adapter', () => {
    it('compares webgpu alone', async () => {
      const sizes = ['--transitions', '40', '--episodes', '20', '--max-seconds', '0.1'];
      const { code, stdout } = await runCommand('parity', 'maze', ...sizes, '--json');
      const { left_out: leftOut, reports } = JSON.parse(stdout);
      expect(leftOut).toContainEqual({ backend: 'wasm', reason: 'this engine has no WebAssembly SIMD' });
      expect(reports.map(({ other }: { other: string }) => other)).toEqual(['webgpu']);
      expect(code).toBe(0);
    });
  });
});

describe('statistics', () => {
  it('are those of the outcomes, also in parts', async () => {
    const request = job({ candidates: [fair], episodes: 5000 });
    const measured = (await wasm.measure(request, { successThreshold: 60, ranks: [0, 2500] })).of(0);
    const { returns } = await wasm.play(request);
    expect(measured.ordered[1]).toBe([...returns].sort((a, b) => a - b)[2500]);
    expect(measured.successes).toBe(returns.filter((value) => value >= 60).length);
  });
});

describeGpu('an adapter', () => {
  it('takes the same steps from the same states, but for the last bits', async () => {
    const gpu = await openWebGpuBackend({ readShader: readAsset });
    const inputs = Array.from({ length: 64 }, (_, i) => ({
      state: [0.01 * i, 0.3, 0.002 * i - 0.05, -0.4],
      action: [i % 2],
    }));
    const [a, b] = [await gpu.probe(cartpole, inputs), await wasm.probe(cartpole, inputs)];
    a.forEach((step, i) => {
      step.state.forEach((value, j) => {
        expect(Math.abs(value - b[i]!.state[j]!)).toBeLessThan(1e-6);
      });
    });
    await gpu.close();
  });
});
