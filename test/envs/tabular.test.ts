/** Environments with numbered states, and the tables that act in them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Env } from '../../src/envs/env.ts';
import { frozenlake } from '../../src/envs/frozenlake/index.ts';
import { envs } from '../../src/envs/index.ts';
import { maze } from '../../src/envs/maze/index.ts';
import { nim } from '../../src/envs/nim/index.ts';
import { describeEnvironment } from '../../src/envs/node/description.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { parsePolicy } from '../../src/policies/policy-file.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { asVector, drawsOf, type Golden, readGolden } from '../suites/golden.ts';
import { describeGpu, hasAdapter } from '../support/gpu.ts';

const cpu = openCpuBackend({ threads: 1 });
const tables = envs.filter(({ observation }) => observation.kind === 'discrete');
const actionCount = ({ action }: Env): number => (action.kind === 'discrete' ? action.meanings.length : 0);
const table = (...actions: number[]): Float64Array => Float64Array.from(actions);

describeGpu.each(tables.map((env) => ({ env, id: env.id })))('$id on the GPU', ({ env }) => {
  const golden = readGolden(env.id) as Golden;
  const policy = buildPolicy('tabular', env);
  const cap = golden.episode_cap ?? 1000;
  const maxSteps = env.timeLimit === null ? cap : null;
  let gpu: Backend;
  beforeAll(async () => {
    gpu = await openWebGpuBackend();
  });
  afterAll(() => gpu.close());

  // Sums of whole rewards are exact in f32. Of others each addition may round by half a unit in the last place.
  const isWhole = golden.single_step.every(({ r }) => Number.isInteger(r));
  const rounding = (length: number, total: number): number =>
    isWhole ? 0 : length * 2 ** -24 * Math.max(1, Math.abs(total));

  it('gives the recorded return and length for every recorded seed and table', async () => {
    for (const { seed, policy: recorded, total_reward, length } of golden.episodes) {
      const job = { env, policy, candidates: [table(...recorded.params)], episodes: 1, seed, maxSteps };
      const { returns, lengths } = await gpu.play(job);
      expect(lengths[0]).toBe(length);
      expect(Math.abs(returns[0]! - total_reward)).toBeLessThanOrEqual(rounding(length, total_reward));
    }
    expect(golden.episodes.length).toBe(12);
  });

  it('takes every recorded single step, draws on the very edges included', async () => {
    const steps = golden.single_step.filter(({ a }) => asVector(a)[0]! < actionCount(env));
    const inputs = steps.map((step) => ({ state: step.s, action: asVector(step.a), draws: drawsOf(step) }));
    const outputs = await gpu.probe(env, inputs);
    steps.forEach((step, i) => {
      const { state, reward, terminated } = outputs[i]!;
      const { ns, r, term } = step;
      expect({ state, reward, terminated }, `step ${i}`).toEqual({
        state: ns,
        reward: Math.fround(r),
        terminated: term,
      });
    });
    expect(steps.length).toBeGreaterThan(50);
  });

  it('plays every one of 12 x 2000 episodes as the cpu does', async () => {
    const candidates = golden.episodes.map((episode) => table(...episode.policy.params));
    const job = { env, policy, candidates, episodes: 2000, seed: 2 ** 32 - 1000, maxSteps: env.timeLimit ?? 60 };
    const [a, b] = [await cpu.play(job), await gpu.play(job)];
    expect(b.lengths).toEqual(a.lengths);
    expect(b.ends).toEqual(a.ends);
    const different = a.returns.filter((r, i) => !(Math.abs(b.returns[i]! - r) <= rounding(a.lengths[i]!, r)));
    expect(different).toHaveLength(0);
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
          const [down, right] = moves[(actions[cell]! + turn) % 4] as [number, number];
          const row = Math.min(3, Math.max(0, Math.floor(cell / 4) + down));
          const column = Math.min(3, Math.max(0, (cell % 4) + right));
          const letter = rows[row]![column];
          if (letter === 'G') arrived += weight / 3;
          else if (letter !== 'H') next[row * 4 + column]! += weight / 3;
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
    const env = findEnv('FrozenLake-v1', { map: ['SFF', 'HFG'], is_slippery: false });
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
    [{ slippery: true }, /expected only the options "map", "is_slippery", .* got "slippery"; remove it/],
  ])('refuses the options %j', (options, message) => {
    expect(() => findEnv('FrozenLake-v1', options)).toThrow(message);
  });
});

describe('CliffWalking', () => {
  it('slips to the sides with is_slippery, and refuses other options', async () => {
    const env = findEnv('cliffwalking', { is_slippery: true });
    const probe = (draw: number) => cpu.probe(env, [{ state: [12], action: [1], draws: [draw] }]);
    // Right is meant: the sides are up and down.
    expect((await probe(0.1))[0]!.state).toEqual([0]);
    expect((await probe(1 / 3))[0]!.state).toEqual([13]);
    expect((await probe(1 / 3 + 1 / 3))[0]!.state).toEqual([24]);
    expect(() => findEnv('cliffwalking', { slippery: true })).toThrow(
      /expected only the options "is_slippery", "max_episode_steps", got/,
    );
    expect(() => findEnv('cliffwalking', { is_slippery: 1 })).toThrow(/to be true or false, got 1/);
  });
});

describe('the descriptions of numbered states', () => {
  it('draw the cliff and the maze', () => {
    expect(describeEnvironment(findEnv('cliffwalking'))).toContain('\nOOOOOOOOOOOO\nSCCCCCCCCCCG\n');
    const drawn = [
      '+---+---+---+',
      '| S         |',
      '+   +---+   +',
      '|   |       |',
      '+   +---+---+',
      '|         G |',
    ];
    expect(describeEnvironment(maze)).toContain(`${drawn.join('\n')}\n+---+---+---+\n`);
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
    for (const env of [
      ...maps.map((options) => findEnv('FrozenLake-v1', options)),
      findEnv('cliffwalking', { is_slippery: true }),
    ]) {
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

describe('a probe of numbered states', () => {
  const frozen = { state: [3], action: [1], draws: [0.5] };
  it.each([
    [frozenlake, { ...frozen, state: [16] }, 'expected cell in 0 ... 15, got 16 in entry 0'],
    [frozenlake, { ...frozen, state: [3.5] }, 'expected a state with a whole number in 0 ... 15, got 3.5 in entry 0'],
    [frozenlake, { ...frozen, draws: [1.25] }, 'expected random number 1 to be at least 0 and below 1, got 1.25'],
    [frozenlake, { ...frozen, draws: [] }, 'expected another random number after 0, got none'],
    [frozenlake, { ...frozen, action: [4] }, 'expected an action in 0 ... 3, got 4'],
    [maze, { state: [3, 0, 0], action: [1] }, 'expected column in 0 ... 2, got 3'],
    [maze, { state: [1, 1, 201], action: [1] }, 'expected step_count in 0 ... 200, got 201'],
    [maze, { state: [1, 1], action: [1] }, 'expected 3 state entries, got 2'],
    [nim, { state: [9], action: [4] }, 'expected an action in 0 ... 3, got 4'],
    [nim, { state: [10], action: [1], draws: [3] }, 'expected random number 1 to be a whole number in 0 ... 2, got 3'],
  ])('of $0.id refuses $1', async (env, input, message) => {
    await expect(async () => cpu.probe(env, [input])).rejects.toThrow(`[probe] ${message}`);
  });
});

describe('a table of actions', () => {
  it('never contains an illegal move', () => {
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
    await expect(play(1, 1, 1, 2, 3, 2, 1, 2, 3, 4.2, 1)).rejects.toThrow(/index 9 \(action in state 9\).*got 4\.2/);
    await expect(play(1, 1, 0.9, 2, 3, 2, 1, 2, 3, 2, 1)).rejects.toThrow(/index 2 .*got 0\.9/);
  });

  it('may be written with fractions, which are dropped', async () => {
    const policy = buildPolicy('tabular', nim);
    const job = { env: nim, policy, candidates: [table(1, 1, 1, 2, 3, 2, 1, 2, 3, 2, 1)], episodes: 200, seed: 4 };
    const written = [table(1.5, 1.25, 1, 2.75, 3.99, 2, 1.5, 2.01, 3, 2.9, 1.99)];
    const whole = await cpu.play({ ...job, maxSteps: 9 });
    expect((await cpu.play({ ...job, candidates: written, maxSteps: 9 })).returns).toEqual(whole.returns);
    if (!hasAdapter) return;
    const gpu = await openWebGpuBackend();
    expect((await gpu.play({ ...job, candidates: written, maxSteps: 9 })).returns).toEqual(whole.returns);
    await gpu.close();
  });

  it('is refused in a policy file with the entry and what it may be', () => {
    const read = (params: string) =>
      parsePolicy({ name: 'nim.json', text: `{"kind": "tabular", "params": ${params}}` }, nim);
    expect(Array.from(read('[1, 1, 1.5, 2, 3, 2, 1, 2, 3, 2, 1]').params)).toContain(1.5);
    expect(() => read('[1, 1, 1, 2, 3, 2, 1, 2, 3, 2, 4]')).toThrow(
      '[policy] nim.json: expected one of 1, 2, 3 at params[10] (action in state 10), got 4',
    );
    expect(() => read('[0.5, 1, 1, 2, 3, 2, 1, 2, 3, 2, 1]')).toThrow('at params[0] (action in state 0), got 0.5');
    expect(() => read('[1, 1]')).toThrow('expected 11 params for a tabular policy in Nim-v0, got 2');
  });

  it('cannot act on a vector or in a box, and says why', () => {
    expect(() => buildPolicy('tabular', envs[0]!)).toThrow(/numbered state/);
    expect(() => buildPolicy('linear', nim)).toThrow(/use one of: tabular/);
  });
});
