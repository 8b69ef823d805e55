/** Environments with numbered states, and the tables that act in them. */
import { afterAll, describe, expect, it } from 'vitest';
import { describeEnvironment } from '../src/envs/description.ts';
import { buildFrozenLake, frozenlake } from '../src/envs/frozenlake/index.ts';
import { envs, findEnv } from '../src/envs/index.ts';
import { nim } from '../src/envs/nim/index.ts';
import { buildPolicy } from '../src/policies/index.ts';
import type { Backend } from '../src/rollout/backend.ts';
import { openCpuBackend } from '../src/rollout/cpu/backend.ts';
import { openWebGpuBackend } from '../src/rollout/webgpu/backend.ts';
import { readGolden } from './suites/golden.ts';
import { describeGpu } from './support/gpu.ts';

const cpu = openCpuBackend({ threads: 1 });
const tables = envs.filter(({ observation }) => observation.kind === 'discrete');
const table = (...actions: number[]): Float64Array => Float64Array.from(actions);

describeGpu.each(tables.map((env) => ({ env, id: env.id })))('$id on the GPU', ({ env }) => {
  const golden = readGolden(env.id);
  let gpu: Backend | null = null;
  afterAll(() => gpu?.close());

  it('gives the recorded return and length for every recorded seed and table', async () => {
    gpu = await openWebGpuBackend();
    const policy = buildPolicy('tabular', env);
    const maxSteps = env.timeLimit === null ? (golden?.episode_cap ?? 1000) : null;
    for (const { seed, policy: recorded, total_reward, length } of golden?.episodes ?? []) {
      const job = { env, policy, candidates: [table(...recorded.params)], episodes: 1, seed, maxSteps };
      const { returns, lengths } = await gpu.play(job);
      expect(lengths[0]).toBe(length);
      // The sum is one of f32 numbers, of which the rewards of the maze are none.
      expect(returns[0]).toBeCloseTo(total_reward, 5);
    }
    expect(golden?.episodes.length).toBe(12);
  });

  it('plays every one of 2000 seeds as the cpu does', async () => {
    gpu ??= await openWebGpuBackend();
    const policy = buildPolicy('tabular', env);
    const candidates = (golden?.episodes ?? []).slice(0, 12).map((episode) => table(...episode.policy.params));
    const job = { env, policy, candidates, episodes: 2000, seed: 2 ** 32 - 1000, maxSteps: env.timeLimit ?? 60 };
    const [a, b] = [await cpu.play(job), await gpu.play(job)];
    expect(b.lengths).toEqual(a.lengths);
    expect(b.ends).toEqual(a.ends);
    for (let i = 0; i < a.returns.length; i += 7) expect(b.returns[i]).toBeCloseTo(a.returns[i], 5);
  });
});

describe('FrozenLake', () => {
  /** Chance to be at the goal within `steps` from cell 0, from the rules alone. */
  function exactSuccess(actions: readonly number[], steps: number): number {
    const rows = ['SFFF', 'FHFH', 'FFFH', 'HFFG'];
    const moves = [
      [0, -1],
      [1, 0],
      [0, 1],
      [-1, 0],
    ];
    let chance = new Array<number>(16).fill(0);
    chance[0] = 1;
    let arrived = 0;
    for (let t = 0; t < steps; t++) {
      const next = new Array<number>(16).fill(0);
      chance.forEach((weight, cell) => {
        for (const turn of [3, 0, 1]) {
          const [down, right] = moves[(actions[cell] + turn) % 4];
          const row = Math.min(3, Math.max(0, Math.floor(cell / 4) + down));
          const column = Math.min(3, Math.max(0, (cell % 4) + right));
          const letter = rows[row][column];
          if (letter === 'G') arrived += weight / 3;
          else if (letter !== 'H') next[row * 4 + column] += weight / 3;
        }
      });
      chance = next;
    }
    return arrived;
  }

  it('lets a policy succeed as often as the rules say', async () => {
    const actions = [0, 3, 3, 3, 0, 0, 0, 0, 3, 1, 0, 0, 0, 2, 1, 0];
    const expected = exactSuccess(actions, 100);
    const policy = buildPolicy('tabular', frozenlake);
    const job = {
      env: frozenlake,
      policy,
      candidates: [table(...actions)],
      episodes: 40_000,
      seed: 11,
      maxSteps: null,
    };
    const { returns } = await cpu.play(job);
    const mean = returns.reduce((a, b) => a + b, 0) / returns.length;
    const error = Math.sqrt((expected * (1 - expected)) / returns.length);
    expect(expected).toBeGreaterThan(0.7);
    expect(Math.abs(mean - expected)).toBeLessThan(4 * error);
  });

  it('draws the 8x8 map and a map of one’s own in its description, and numbers their cells', () => {
    const large = findEnv('FrozenLake-v1', { map: '8x8', is_slippery: false });
    expect(large.observation).toMatchObject({ n: 64 });
    expect(describeEnvironment(large)).toContain('SFFFFFFF\nFFFFFFFF\nFFFHFFFF');
    expect(describeEnvironment(large)).toContain('The ice is not slippery');
    const own = findEnv('frozenlake', { map: ['FS', 'HG'] });
    expect(own.params.startCell).toBe(1);
    expect(describeEnvironment(own)).toContain('FS\nHG');
    expect(describeEnvironment(own)).toContain('The ice is slippery');
  });

  it('goes where it should on firm ground, and draws nothing', async () => {
    const env = buildFrozenLake({ map: ['SFF', 'HFG'], is_slippery: false });
    const policy = buildPolicy('tabular', env);
    const job = { env, policy, candidates: [table(2, 1, 0, 0, 2, 0)], episodes: 3, seed: 5, maxSteps: null };
    const { returns, lengths } = await cpu.play(job);
    expect(Array.from(returns)).toEqual([1, 1, 1]);
    expect(Array.from(lengths)).toEqual([3, 3, 3]);
    expect(env.stepDraws).toBe(0);
  });

  it.each([
    [{ map: '5x5' }, /expected 4x4 or 8x8 or a list of rows, got "5x5"/],
    [{ map: ['SFX', 'FFG'] }, /got "X" in row 0, column 2/],
    [{ map: ['SF', 'FFG'] }, /expected 2 letters in row 1/],
    [{ map: ['SFS', 'FFG'] }, /expected one start \(S\), got 2/],
    [{ map: ['SFF', 'FFF'] }, /expected at least one goal/],
    [{ map: 7 }, /expected 4x4, 8x8 or a list of rows, got 7/],
    [{ map: Array.from({ length: 17 }, () => 'F') }, /expected 2 cells to 16 x 16, got 17 rows/],
    [{ is_slippery: 'no' }, /"is_slippery" to be true or false, got "no"/],
    [{ slippery: true }, /expected only the options map and is_slippery, got "slippery"/],
  ])('refuses the options %j', (options, message) => {
    expect(() => findEnv('FrozenLake-v1', options)).toThrow(message);
  });
});

describe('CliffWalking', () => {
  it('slips to the sides when it is told to, and refuses other options', async () => {
    const env = findEnv('cliffwalking', { is_slippery: true });
    const probe = (draw: number) => cpu.probe(env, [{ state: [12], action: [1], draws: [draw] }]);
    // Right is meant: the sides are up and down.
    expect((await probe(0.1))[0].state).toEqual([0]);
    expect((await probe(1 / 3))[0].state).toEqual([13]);
    expect((await probe(1 / 3 + 1 / 3))[0].state).toEqual([24]);
    expect(() => findEnv('cliffwalking', { slippery: true })).toThrow(/expected only the option is_slippery/);
    expect(() => findEnv('cliffwalking', { is_slippery: 1 })).toThrow(/to be true or false, got 1/);
  });
});

describeGpu('with options on the GPU', () => {
  it('a large map, one of one’s own, and a slippery cliff are played as on the cpu', async () => {
    const gpu = await openWebGpuBackend();
    const maps = [
      { map: '8x8' },
      { map: ['SFFFFFFFFFFFF', 'FHFFFFFFFFFFF', 'FFFHFFFFFHFFG'] },
      { map: '8x8', is_slippery: false },
    ];
    for (const env of [...maps.map(buildFrozenLake), findEnv('cliffwalking', { is_slippery: true })]) {
      const policy = buildPolicy('tabular', env);
      const candidates = Array.from({ length: 3 }, (_, k) =>
        Float64Array.from({ length: policy.paramCount }, (_x, i) => (i * (k + 2)) % 4),
      );
      const job = { env, policy, candidates, episodes: 300, seed: 17, maxSteps: 80 };
      const [a, b] = [await cpu.play(job), await gpu.play(job)];
      expect(b.lengths).toEqual(a.lengths);
      expect(b.returns).toEqual(a.returns);
    }
    await gpu.close();
  });
});

describe('a table of actions', () => {
  it('never holds a move that is against the rules', () => {
    const policy = buildPolicy('tabular', nim);
    expect(policy.values).toEqual({ kind: 'choice', values: [1, 2, 3] });
    expect(describeEnvironment(nim)).toContain('- 0: take no stick (against the rules: never choose it)');
  });

  it('is refused with the entry, its state and the actions when it holds another number', async () => {
    const policy = buildPolicy('tabular', nim);
    const play = (...actions: number[]) =>
      cpu.play({ env: nim, policy, candidates: [table(...actions)], episodes: 1, seed: 0, maxSteps: 9 });
    await expect(play(1, 1, 1, 2, 3, 2, 1, 2, 0, 2, 1)).rejects.toThrow(
      /expected one of 1, 2, 3 at index 8 \(action in state 8\) of the policy, got 0/,
    );
    await expect(play(1, 1, 1.5, 2, 3, 2, 1, 2, 3, 2, 1)).rejects.toThrow(/index 2 .*got 1\.5/);
  });

  it('cannot act on a vector or in a box, and says why', () => {
    expect(() => buildPolicy('tabular', envs[0])).toThrow(/numbered state/);
    expect(() => buildPolicy('linear', nim)).toThrow(/use one of: tabular/);
  });
});
