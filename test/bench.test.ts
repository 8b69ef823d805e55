/** What `r2po bench` counts and prints; how fast anything is, no test says. */
import { afterAll, describe, expect, it } from 'vitest';
import { envs, findEnv } from '../src/envs/index.ts';
import { openCpuBackend } from '../src/rollout/cpu/backend.ts';
import { affordableEpisodes, heapUse, longPlayingWork, time } from '../src/stats/timing.ts';
import { runCli } from './support/cli.ts';
import { hasAdapter } from './support/gpu.ts';

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
    for (let i = 0; i < 4; i++) {
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
    const many = await affordableEpisodes(cpu, work, 0.1);
    expect(Math.log2(few) % 1).toBe(0);
    expect(many).toBeGreaterThan(few);
  });
});

describe('r2po bench', () => {
  it('prints one environment as JSON', async () => {
    const { code, stdout } = await runCli(['bench', 'Nim-v0', '--episodes', '20,300', '--repeats', '1', '--json']);
    expect(code).toBe(0);
    const { environments, machine } = JSON.parse(stdout);
    expect(environments).toHaveLength(1);
    const [{ rows, heap, compile }] = environments;
    expect(new Set(rows.map((row: { episodes: number }) => row.episodes))).toEqual(new Set([20, 300]));
    expect(rows[0]).toMatchObject({ backend: 'cpu, 1 thread', ratio: 1 });
    expect(heap.steps).toBeGreaterThan(100_000);
    expect(heap.bytes / heap.steps).toBeLessThan(4);
    if (hasAdapter) {
      expect(machine.adapter).not.toBeNull();
      expect(compile).toMatchObject([{ policyKind: 'tabular' }]);
      expect(compile[0].seconds).toBeGreaterThan(0);
    }
  });

  it('gives each of several environments a process of its own', async () => {
    const args = ['--episodes', '20', '--repeats', '1', '--json'];
    const { code, stdout } = await runCli(['bench', 'maze', 'frozenlake', ...args]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).environments.map((e: { env: string }) => e.env)).toEqual([
      'maze-sample-3x3-v0',
      'FrozenLake-v1',
    ]);
  });

  it('says which environment failed', async () => {
    const { code, stderr } = await runCli(['bench', 'maze', 'no-such-env', '--episodes', '1', '--repeats', '1']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/no-such-env/);
  });
});
