/** The wasm backend: the float64 environments within their tolerances, and the same bits however the work is cut. */
import { afterAll, describe, expect, it } from 'vitest';
import { readAsset } from '../../../src/base/node/assets.ts';
import { compareBackends } from '../../../src/checks/parity.ts';
import { cartpole } from '../../../src/envs/cartpole/index.ts';
import { envs } from '../../../src/envs/index.ts';
import { nim } from '../../../src/envs/nim/index.ts';
import { buildPolicy, policyKinds } from '../../../src/policies/index.ts';
import { openCpuBackend } from '../../../src/rollout/cpu/node/backend.ts';
import { type Episodes, type RolloutJob, stepLimit } from '../../../src/rollout/job.ts';
import { traceOfRecords, traceWords } from '../../../src/rollout/shader-records.ts';
import { openWasmBackend } from '../../../src/rollout/wasm/node/backend.ts';
import { RolloutPrograms } from '../../../src/rollout/wasm/player.ts';
import { openWebGpuBackend } from '../../../src/rollout/webgpu/node/backend.ts';
import { describeGpu } from '../../support/gpu.ts';

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
  expect(report.start).toEqual({ seeds: 256, different: 0, ok: true });
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

  it('are recorded the same by the program that records as it plays', async () => {
    const programs = new RolloutPrograms(readAsset);
    const tables = buildPolicy('tabular', nim);
    const table = Float64Array.from({ length: tables.paramCount }, (_, i) => (i % 3) + 1);
    const requests = [job({ maxSteps: 90 }), job({ env: nim, policy: tables, candidates: [table], maxSteps: 40 })];
    for (const request of requests) {
      const episode = 7;
      const trace = await wasm.trace(request, 0, episode);
      const size = traceWords(request.env);
      const one = { ...request, candidates: request.candidates.slice(0, 1) };
      const range = { first: episode, count: 1, record: 0, recordWords: (trace.length + 1) * size };
      const program = await programs.recording(request.env, request.policy);
      const { records } = program.run(one, stepLimit(request), range);
      const { seed, return: total, length, end } = trace;
      const read = new Float32Array(records.slice().buffer);
      expect(traceOfRecords(request.env, read, { seed, return: total, length, end })).toEqual(trace);
      expect(length).toBeGreaterThan(1);
    }
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
    const request = job({ env: { ...cartpole, params }, episodes: 3 });
    await expect(wasm.measure(request, { successThreshold: 1, ranks: [0] })).rejects.toThrow(
      /got Infinity in the episode with seed 90001/,
    );
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
