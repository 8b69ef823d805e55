/** Runs that share a backend: fewer calls, the same numbers, and no part in each other's failures. */
import { afterAll, describe, expect, it } from 'vitest';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { frozenlake } from '../../src/envs/frozenlake/index.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { batchingBackend } from '../../src/rollout/batching-backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { RolloutJob } from '../../src/rollout/job.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { describeGpu } from '../support/gpu.ts';

const linear = buildPolicy('linear', cartpole);
const tabular = buildPolicy('tabular', frozenlake);
const request = { successThreshold: 100, ranks: [0, 4, 9] };

function cartpoleJob(i: number): RolloutJob {
  const candidates = Array.from({ length: 1 + (i % 2) }, (_, c) =>
    Float64Array.from({ length: 10 }, (_, k) => Math.sin(31 * i + 7 * c + k)),
  );
  return { env: cartpole, policy: linear, candidates, episodes: 25, seed: 100 * i + 3, maxSteps: null };
}

const lakeJob: RolloutJob = {
  env: frozenlake,
  policy: tabular,
  candidates: [Float64Array.from({ length: 16 }, (_, i) => i % 4)],
  episodes: 25,
  seed: 8,
  maxSteps: null,
};

async function sameAsAlone(backend: Backend): Promise<void> {
  const shared = batchingBackend(backend);
  const jobs = [...Array.from({ length: 6 }, (_, i) => cartpoleJob(i)), lakeJob];
  const played = await Promise.all(jobs.map((job) => shared.play(job)));
  const measured = await Promise.all(jobs.map((job) => shared.measure(job, request)));
  expect(shared.counts).toEqual({ requests: 14, calls: 4 });
  for (const [i, job] of jobs.entries()) {
    const alone = await backend.play(job);
    const { returns, lengths, ends, steps } = played[i]!;
    expect({ returns, lengths, ends, steps }).toEqual({
      returns: alone.returns,
      lengths: alone.lengths,
      ends: alone.ends,
      steps: alone.steps,
    });
    const own = await backend.measure(job, request);
    expect(measured[i]!.means).toEqual(own.means);
    expect(measured[i]!.steps).toBe(own.steps);
    for (const c of job.candidates.keys()) expect(measured[i]!.of(c)).toEqual(own.of(c));
  }
}

describe('a shared backend', () => {
  const cpu = openCpuBackend({ threads: 1 });
  afterAll(() => cpu.close());

  it('gives each request what it would get alone, in one call per kind', () => sameAsAlone(cpu));

  it('does not merge requests that differ in episodes, caps or statistics', async () => {
    const shared = batchingBackend(cpu);
    const job = cartpoleJob(2);
    await Promise.all([
      shared.measure(job, request),
      shared.measure({ ...job, episodes: 12 }, request),
      shared.measure({ ...job, maxSteps: 40 }, request),
      shared.measure(job, { ...request, successThreshold: 50 }),
      shared.measure(job, { ...request, ranks: [1] }),
      shared.measure({ ...job, policy: buildPolicy('linear', cartpole) }, request),
      shared.play(job),
    ]);
    expect(shared.counts).toEqual({ requests: 7, calls: 7 });
  });

  it('rejects each request with its own error', async () => {
    const failing: Backend = {
      ...cpu,
      id: 'cpu',
      adapter: null,
      play: async (job) => {
        const broken = job.candidates.findIndex((params) => params[0] === 5);
        if (broken >= 0) throw new Error(`candidate ${broken} of ${job.candidates.length} broke`);
        return cpu.play(job);
      },
    };
    const shared = batchingBackend(failing);
    const bad = { ...cartpoleJob(0), candidates: [new Float64Array(10).fill(5)] };
    const results = await Promise.allSettled([cartpoleJob(1), bad, cartpoleJob(3)].map((job) => shared.play(job)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason.message).toBe('candidate 0 of 1 broke');
  });

  it('drops only interrupted requests', async () => {
    const shared = batchingBackend(cpu);
    const controller = new AbortController();
    const given = shared.play(cartpoleJob(1), { signal: controller.signal });
    const others = [shared.play(cartpoleJob(2)), shared.play(cartpoleJob(3))];
    controller.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    expect((await Promise.all(others)).map(({ returns }) => returns.length)).toEqual([25, 50]);
  });

  it('refuses a job at once, as the backend behind it would', async () => {
    const shared = batchingBackend(cpu);
    await expect(shared.play({ ...cartpoleJob(0), candidates: [] })).rejects.toThrow('at least one candidate');
    expect(shared.counts.requests).toBe(0);
  });

  it('puts no more together than memory allows', async () => {
    const shared = batchingBackend(cpu);
    const large = { ...lakeJob, episodes: 400_000, maxSteps: 1 };
    await Promise.all([1, 2, 3].map((seed) => shared.measure({ ...large, seed }, { ...request, ranks: [0] })));
    expect(shared.counts).toEqual({ requests: 3, calls: 2 });
  });
});

describeGpu('a shared GPU', () => {
  it('gives each request what it would get alone', async () => {
    const gpu = await openWebGpuBackend({ statistics: 'device' });
    await sameAsAlone(gpu);
    await gpu.close();
  });
});
