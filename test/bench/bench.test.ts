/** What `r2po bench` counts and prints; speeds are not tested. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { heapUse } from '../../src/bench/footprint.ts';
import { measureIssueRate } from '../../src/bench/issue-rate.ts';
import { readNvidiaGpus } from '../../src/bench/machine.ts';
import { flatUntil, scaling } from '../../src/bench/scaling.ts';
import { affordableEpisodes, latency, millionEpisodes, time } from '../../src/bench/timing.ts';
import { longPlayingWork } from '../../src/bench/work.ts';
import { envs } from '../../src/envs/index.ts';
import { findEnv } from '../../src/envs/registry.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { RolloutJob } from '../../src/rollout/job.ts';
import { openDevice } from '../../src/rollout/webgpu/node/dawn.ts';
import { runCli } from '../support/cli.ts';
import { describeGpu, hasAdapter } from '../support/gpu.ts';
import { runHere } from '../support/in-process.ts';

const cpu = openCpuBackend({ threads: 1 });
afterAll(() => cpu.close());

describe('timing', () => {
  // In a process that has met many environments V8 no longer inlines Nim's draws; alone it is looked at below.
  const looked = envs.filter((env) => env.id !== 'Nim-v0').map((env) => ({ env, id: env.id }));
  it.each(looked)('leaves nothing on the heap per step of $id', async ({ env }) => {
    const work = await longPlayingWork(env, cpu);
    const steps = 150_000;
    const { lengths } = await cpu.play({ ...work, candidates: [work.params], episodes: 64, seed: 0 });
    const episodes = Math.ceil((64 * steps) / lengths.reduce((sum, n) => sum + n, 0));
    // Compiled only after a while; the best of a few, as the compiler itself works beside it.
    let least = Infinity;
    for (let i = 0; i < 4 && least >= 8; i++) {
      const heap = await heapUse(cpu, work, episodes);
      least = Math.min(least, heap.bytes / heap.steps);
    }
    // The smallest object takes 16 bytes.
    expect(least).toBeLessThan(8);
  });

  it('finds an environment that allocates in each step', async () => {
    const { dynamics, ...rest } = findEnv('CartPole-v1');
    const kept: number[][] = [];
    const step: typeof dynamics.step = (p, state, action, rng, out) => {
      kept[0] = Array.from(state);
      dynamics.step(p, state, action, rng, out);
    };
    const work = await longPlayingWork({ ...rest, dynamics: { ...dynamics, step } }, cpu);
    const { bytes, steps } = await heapUse(cpu, work, 512);
    expect(bytes / steps).toBeGreaterThan(16);
  });

  it('counts the steps that it times, and takes longer for more', async () => {
    const work = await longPlayingWork(findEnv('Pendulum-v1'), cpu);
    const timing = await time(cpu, work, 16, 1);
    expect(timing).toMatchObject({ episodes: 16, steps: 16 * 200, gpuSeconds: null });
    expect(timing.wallSeconds).toBeGreaterThan(0);
    const few = await affordableEpisodes(cpu, work, 0.001);
    const many = await affordableEpisodes(cpu, work, 0.4);
    expect(Math.log2(few) % 1).toBe(0);
    expect(many).toBeGreaterThan(few);
  });
});

/** Notes what it is asked to measure, and whatever that is plays one episode of each candidate; can do no more. */
function notingBackend(gpuSeconds: number | null = null): { readonly backend: Backend; readonly jobs: RolloutJob[] } {
  const jobs: RolloutJob[] = [];
  const backend: Pick<Backend, 'measure'> = {
    async measure(job, request, options) {
      jobs.push(job);
      const played = await cpu.measure({ ...job, episodes: 1 }, { ...request, ranks: [0] }, options);
      const of = (candidate: number) => {
        const statistics = played.of(candidate);
        return { ...statistics, episodes: job.episodes, ordered: request.ranks.map(() => statistics.ordered[0]!) };
      };
      return { ...played, gpuSeconds: options?.timing ? gpuSeconds : null, of };
    },
  };
  return { backend: backend as Backend, jobs };
}

describe('what is timed', () => {
  it('sizes its calls without the time that threads take to start', async () => {
    const work = await longPlayingWork(findEnv('Nim-v0'), cpu);
    const { backend } = notingBackend();
    let started = false;
    const starting: Pick<Backend, 'measure'> = {
      async measure(job, ...rest) {
        if (job.episodes > 1 && !started) await new Promise((resolve) => setTimeout(resolve, 60));
        started ||= job.episodes > 1;
        return backend.measure(job, ...rest);
      },
    };
    expect(await affordableEpisodes(starting as Backend, work, 0.1)).toBe(2 ** 22);
  });

  it('takes the time of the GPU from the calls that ask for it', async () => {
    const work = await longPlayingWork(findEnv('Nim-v0'), cpu);
    const { gpuSeconds } = await time(notingBackend(0.25).backend, work, 64, 2);
    expect(gpuSeconds).toBe(0.25);
  });

  it('takes the latency from calls of 2 candidates on 20 episodes', async () => {
    const work = await longPlayingWork(findEnv('Nim-v0'), cpu);
    const { backend, jobs } = notingBackend();
    const { calls, medianSeconds, p95Seconds } = await latency(backend, work);
    expect(jobs.every(({ candidates, episodes }) => candidates.length === 2 && episodes === 20)).toBe(true);
    expect(calls).toBeGreaterThanOrEqual(20);
    expect(jobs.length).toBeGreaterThan(calls);
    expect(medianSeconds).toBeGreaterThan(0);
    expect(p95Seconds).toBeGreaterThanOrEqual(medianSeconds);
  });

  it('plays a million episodes only where that is expected to end in time, and says which', async () => {
    const work = await longPlayingWork(findEnv('Nim-v0'), cpu);
    const timing = { episodes: 4000, steps: 12_000, meanReturn: 0, wallSeconds: 0.02, gpuSeconds: null };
    const { backend, jobs } = notingBackend();
    const estimated = await millionEpisodes(backend, work, timing, 4.9);
    expect(estimated).toEqual({ kind: 'estimated', episodes: 1_000_000, seconds: 5, fromEpisodes: 4000 });
    expect(jobs).toEqual([]);
    const measured = await millionEpisodes(backend, work, timing, 5.1);
    expect(measured).toMatchObject({ kind: 'measured', episodes: 1_000_000 });
    expect(jobs.every(({ candidates, episodes }) => candidates.length === 1 && episodes === 1_000_000)).toBe(true);
  });

  it('follows the cost along one count while the other stands', async () => {
    const work = await longPlayingWork(findEnv('Nim-v0'), cpu);
    const { backend } = notingBackend();
    const limits = { repeats: 1, maxSeconds: 1000 };
    const { rows } = await scaling(backend, work, 'episodes', limits);
    expect(rows.map(({ candidates, episodes }) => [candidates, episodes])).toEqual(
      [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7].map((episodes) => [1, episodes]),
    );
    // Every call is expected to take longer than that; the first one shows it.
    const short = await scaling(backend, work, 'candidates', { repeats: 1, maxSeconds: 1e-9 });
    expect(short.rows).toMatchObject([{ candidates: 1, episodes: 20 }]);
  });

  it('finds where a curve stops being flat', () => {
    const curve = (...seconds: number[]) => flatUntil(seconds.map((s, i) => ({ count: 10 ** i, seconds: s })));
    expect(curve(1, 1.1, 0.9, 1.2)).toBeNull();
    expect(curve(5)).toBeNull();
    // Ten times as many are 3.3 doublings: a factor of 1.5 for each of them is 3.85.
    expect(curve(1, 3.8, 14)).toBeNull();
    expect(curve(1, 1, 3.9, 39)).toBe(10);
    expect(curve(2, 20, 200)).toBe(1);
    // The step from one count to the next need not be the same.
    expect(
      flatUntil([
        { count: 32_768, seconds: 1 },
        { count: 65_536, seconds: 1.6 },
      ]),
    ).toBe(32_768);
  });

  it('reads what nvidia-smi says, and what it does not know', () => {
    expect(readNvidiaGpus('NVIDIA H100 80GB HBM3, 550.54.15, 1755, 1980\nTesla, 390.1, [N/A], 1380\n\n')).toEqual([
      { name: 'NVIDIA H100 80GB HBM3', driver: '550.54.15', clock: 1755, highestClock: 1980 },
      { name: 'Tesla', driver: '390.1', clock: null, highestClock: 1380 },
    ]);
    expect(readNvidiaGpus('NVIDIA-SMI has failed')).toEqual([]);
  });
});

describeGpu('measureIssueRate', () => {
  it('measures a rate that a processor can have', async () => {
    const gpu = await openDevice();
    try {
      const { operationsPerSecond, clock } = await measureIssueRate(gpu);
      // One slow core, and a thousand of the largest cards.
      expect(operationsPerSecond).toBeGreaterThan(1e7);
      expect(operationsPerSecond).toBeLessThan(1e17);
      expect(clock).toBe(gpu.adapter.timestamps ? 'gpu' : 'wall');
    } finally {
      gpu.close();
    }
  });
});

describe('r2po bench', () => {
  const folder = mkdtempSync(join(tmpdir(), 'r2po-bench-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** Keeps measurements short. */
  const brief = ['--repeats', '1', '--million-seconds', '0.001'];

  it('prints one environment as JSON, and saves data, tables and charts', async () => {
    const target = join(folder, 'new', 'saved');
    const args = ['bench', 'Nim-v0', '--episodes', '20,300', ...brief, '--scaling', '--scaling-seconds', '0.01'];
    const { code, stdout, stderr } = await runCli([...args, '--json', '--save', target]);
    expect(stderr).not.toMatch(/WARN/);
    expect(code).toBe(0);
    const { environments, machine } = JSON.parse(stdout);
    expect(environments).toHaveLength(1);
    const [{ rows, latencies, millions, scalings, issue, heap, compile }] = environments;
    expect(new Set(rows.map((row: { episodes: number }) => row.episodes))).toEqual(new Set([20, 300]));
    expect(rows[0]).toMatchObject({ backend: 'cpu, 1 thread', ratio: 1 });
    const backends = [...new Set(rows.map((row: { backend: string }) => row.backend))];
    expect(latencies.map((row: { backend: string }) => row.backend)).toEqual(backends);
    expect(millions).toMatchObject(backends.map((backend) => ({ backend, kind: 'estimated', fromEpisodes: 300 })));
    expect(scalings.map(({ backend, axis }: { backend: string; axis: string }) => [backend, axis])).toEqual(
      backends.flatMap((backend) => [
        [backend, 'episodes'],
        [backend, 'candidates'],
      ]),
    );
    expect(heap.steps).toBeGreaterThan(100_000);
    expect(heap.bytes / heap.steps).toBeLessThan(4);
    if (hasAdapter) {
      expect(machine.adapter).not.toBeNull();
      expect(compile).toMatchObject([{ policyKind: 'tabular' }]);
      expect(compile[0].seconds).toBeGreaterThan(0);
      expect(issue.share).toBeCloseTo((issue.stepsPerSecond * issue.fused) / issue.issueRate.operationsPerSecond, 6);
    } else {
      expect(issue).toBeNull();
    }

    const files = ['bench.json', 'bench.md', 'scaling-candidates.svg', 'scaling-episodes.svg', 'speed.svg'];
    expect(readdirSync(target).sort()).toEqual(files);
    const read = (name: string): string => readFileSync(join(target, name), 'utf8');
    expect(JSON.parse(read('bench.json'))).toEqual(JSON.parse(stdout));
    const markdown = read('bench.md');
    for (const text of [machine.cpu, machine.node, 'bench Nim-v0', 'estimated from 300 episodes', '(speed.svg)']) {
      expect(markdown).toContain(text);
    }
  });

  it('gives each of several environments a process of its own, with the same options', async () => {
    const args = ['--episodes', '20', ...brief, '--json'];
    const { code, stdout } = await runCli(['bench', 'maze', 'frozenlake', ...args]);
    expect(code).toBe(0);
    const { environments } = JSON.parse(stdout);
    expect(environments[0].millions.length).toBeGreaterThanOrEqual(3);
    expect(environments).toMatchObject([
      {
        env: 'maze-sample-3x3-v0',
        millions: environments[0].millions.map((_: unknown, i: number) => (i === 0 ? { kind: 'estimated' } : {})),
      },
      { env: 'FrozenLake-v1', scalings: [] },
    ]);
  });

  it('says which environment there is none of, before it measures another', async () => {
    const { code, stderr } = await runHere(['bench', 'maze', 'no-such-env']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/no-such-env/);
  });

  it('refuses a folder that it cannot make, before it measures anything', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { code, stdout, stderr } = await runHere(['bench', 'Nim-v0', '--save', join(file, 'saved')]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/--save\] expected a writable folder, got ".*saved"/);
    expect(stderr).not.toMatch(/steps\/s/);
  });

  it.each([
    [['--million-seconds', '0'], '--million-seconds] expected a number of seconds above 0, got "0"'],
    [['--scaling-seconds', 'long'], '--scaling-seconds] expected a number of seconds above 0, got "long"'],
    [['--episodes', '5,x'], '--episodes] expected a whole number'],
    [['--repeats', '0'], '--repeats] expected a whole number'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runHere(['bench', 'Nim-v0', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
