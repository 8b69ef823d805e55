/** Candidates with seeds of their own: each plays what it would play alone, on every backend. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { frozenlake } from '../../src/envs/frozenlake/index.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openGpujsBackend } from '../../src/rollout/gpujs/node/open.ts';
import type { RolloutJob } from '../../src/rollout/job.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { describeGpu } from '../support/gpu.ts';

const linear = buildPolicy('linear', cartpole);
const tabular = buildPolicy('tabular', frozenlake);
const weights = [
  Float64Array.of(-1.7832, 1.3935, -0.9133, 1.7699, -5.0816, 4.3552, -4.2295, 1.0367, -0.0506, -1.412),
  Float64Array.of(-6.4, -4.2, -2.6, 2, 1.4, -0.6, 2, 1.5, 0.5, -5.1),
  new Float64Array(10),
];
const tables = [1, 2, 0].map((first) => Float64Array.from({ length: 16 }, (_, i) => (first + i) % 4));

const jobs: readonly RolloutJob[] = [
  {
    env: cartpole,
    policy: linear,
    candidates: weights,
    episodes: 37,
    seed: [900, 2 ** 32 - 20, 7],
    maxSteps: null,
  },
  { env: frozenlake, policy: tabular, candidates: tables, episodes: 411, seed: [5, 5, 2 ** 40 + 3], maxSteps: 60 },
];

const request = { successThreshold: 1, ranks: [0, 3, 20] };

function alone(job: RolloutJob, c: number): RolloutJob {
  return { ...job!, candidates: [job.candidates[c]!], seed: (job.seed as readonly number[])[c]! };
}

async function holdsOn(backend: Backend, job: RolloutJob): Promise<void> {
  const together = await backend.play(job);
  const measured = await backend.measure(job, request);
  for (const c of job.candidates.keys()) {
    const own = await backend.play(alone(job, c));
    const [from, to] = [c * job.episodes, (c + 1) * job.episodes];
    expect(together.returns.slice(from, to)).toEqual(own.returns);
    expect(together.lengths.slice(from, to)).toEqual(own.lengths);
    expect(together.ends.slice(from, to)).toEqual(own.ends);
    expect(measured.of(c)).toEqual((await backend.measure(alone(job, c), request)).of(0));
    expect(await backend.trace(job, c, 6)).toEqual(await backend.trace(alone(job, c), 0, 6));
  }
  const { summaries } = await evaluate({ backend, ...job });
  expect(summaries.map((summary) => summary.first_episode.seed)).toEqual(job.seed);
}

describe('on the cpu', () => {
  it.each(jobs)('$env.id', async (job) => {
    for (const threads of [1, 2]) {
      const backend = openCpuBackend({ threads });
      await holdsOn(backend, job);
      await backend.close();
    }
  });

  it('refuses a list of another length, and invalid seeds', async () => {
    const backend = openCpuBackend({ threads: 1 });
    const job = jobs[0]!;
    await expect(backend.play({ ...job, seed: [1, 2] })).rejects.toThrow('expected 3 first seeds, got 2');
    await expect(backend.play({ ...job, seed: [1, -1, 2] })).rejects.toThrow('got -1');
    await backend.close();
  });
});

it('by GPU.js', async () => {
  const backend = await openGpujsBackend();
  await holdsOn(backend, jobs[0]!);
  await backend.close();
});

describeGpu('on the GPU', () => {
  let backends: readonly Backend[] = [];
  beforeAll(async () => {
    backends = [
      await openWebGpuBackend({ statistics: 'host' }),
      await openWebGpuBackend({ statistics: 'device' }),
      // Blocks of few candidates: each begins with other seeds.
      await openWebGpuBackend({ statistics: 'device', segment: 4096 }),
    ];
  });
  afterAll(async () => {
    for (const backend of backends) await backend.close();
  });

  it.each(jobs)('$env.id', async (job) => {
    for (const backend of backends) await holdsOn(backend, job);
  });

  it('over more than one block', async () => {
    const [job] = jobs;
    const candidates = Array.from({ length: 9 }, (_, c) => weights[c % 3]!);
    const seed = candidates.map((_, c) => 1000 * c);
    const many = { ...job!, candidates, seed, episodes: 1500 };
    const [host, , cut] = backends;
    const expected = await host!.measure(many, request);
    const made = await cut!.measure(many, request);
    for (const c of candidates.keys()) expect(made.of(c)).toEqual(expected.of(c));
  });
});
