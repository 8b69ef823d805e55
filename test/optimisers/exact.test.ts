/** Exact solutions of tables, against known optima and against enumeration. */
import { describe, expect, it } from 'vitest';
import type { Env } from '../../src/envs/env.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { solveTable, unlimitedMean } from '../../src/optimisers/exact/solve.ts';
import { type TableModel, tableModel } from '../../src/optimisers/exact/table-model.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { SingleThreadBackend } from '../../src/rollout/cpu/single-thread.ts';

const never = () => false;

/** Mean return of a table: the distribution of states, step by step. */
function meanOf(model: TableModel, limit: number, table: readonly number[]): number {
  let now = model.starts.slice();
  let total = 0;
  for (let step = 0; step < limit; step++) {
    const then = new Float64Array(model.states);
    now.forEach((share, state) => {
      const at = state * model.actions.length + model.actions.indexOf(table[model.observed[state]!]!);
      for (let k = model.from[at]!; k < model.from[at + 1]!; k++) {
        total += share * model.probability[k]! * model.reward[k]!;
        if (model.next[k]! >= 0) then[model.next[k]!]! += share * model.probability[k]!;
      }
    });
    now = then;
  }
  return total;
}

function solved(env: Env, limit: number) {
  const model = tableModel(env, limit);
  const solution = solveTable(model, limit, never);
  return { model, solution, again: meanOf(model, limit, solution.params) };
}

describe('exact solutions', () => {
  it('of FrozenLake: the best table, the best policy that knows the time, and the best one without a limit', () => {
    const { model, solution, again } = solved(findEnv('FrozenLake-v1'), 100);
    expect(solution.exact).toBe(true);
    expect(solution.mean).toBeCloseTo(0.74016, 5);
    expect(solution.bound).toBe(solution.mean);
    expect(again).toBeCloseTo(solution.mean, 12);
    expect(solution.timeDependent).toBeCloseTo(0.74419, 5);
    expect(unlimitedMean(model, never)).toBeCloseTo(14 / 17, 9);
  });

  it.each([
    ['CliffWalking-v1', 1000, -13],
    ['maze-sample-3x3-v0', 100, 0.96667],
    ['Nim-v0', 1000, 1],
  ])('of %s is known, and reached by a table', (id, limit, mean) => {
    const { solution, again } = solved(findEnv(id), limit);
    expect(solution).toMatchObject({ exact: true });
    expect(solution.mean).toBeCloseTo(mean, 5);
    expect(again).toBeCloseTo(mean, 5);
  });

  it('are the best of all tables on a small slippery map, under a step limit that matters', () => {
    const { model, solution } = solved(findEnv('FrozenLake-v1', { map: ['SFH', 'FFG'], is_slippery: true }), 7);
    const decides = [0, 1, 3, 4];
    let best = 0;
    for (let number = 0; number < 4 ** decides.length; number++) {
      const table = new Array<number>(6).fill(0);
      decides.forEach((cell, i) => {
        table[cell] = Math.floor(number / 4 ** i) % 4;
      });
      best = Math.max(best, meanOf(model, 7, table));
    }
    expect(solution.mean).toBeCloseTo(best, 12);
    expect(solution.timeDependent).toBeGreaterThan(best - 1e-12);
  });

  it('of firm ground are 1, and without time the best table so far with its bound', () => {
    const firm = findEnv('FrozenLake-v1', { map: '8x8', is_slippery: false });
    expect(solved(firm, 100).solution).toMatchObject({ mean: 1, exact: true });
    const { mean, exact, bound } = solveTable(tableModel(findEnv('FrozenLake-v1'), 100), 100, () => true);
    expect(exact).toBe(false);
    expect(bound).toBeCloseTo(0.74419, 5);
    expect(mean).toBeLessThan(bound);
  });

  it('agree with played episodes', async () => {
    const env = findEnv('FrozenLake-v1');
    const { params, mean } = solved(env, 100).solution;
    const backend = new SingleThreadBackend();
    const job = { env, policy: buildPolicy('tabular', env), candidates: [Float64Array.from(params)], episodes: 20_000 };
    const { returns } = await backend.play({ ...job, seed: 1, maxSteps: null });
    const played = returns.reduce((sum, value) => sum + value, 0) / returns.length;
    expect(Math.abs(played - mean)).toBeLessThan((4 * Math.sqrt(mean * (1 - mean))) / Math.sqrt(20_000));
  });

  it('end in time, also between the tables of one improvement and between two sweeps', () => {
    const model = tableModel(findEnv('FrozenLake-v1', { map: '8x8', is_slippery: true }), 50);
    for (const questions of [1, 2, 7]) {
      let asked = 0;
      const isOver = () => ++asked > questions;
      expect(solveTable(model, 50, isOver).exact).toBe(false);
      expect(asked).toBe(questions + 2);
    }
    let sweeps = 0;
    expect(unlimitedMean(model, () => ++sweeps > 5)).toBeNull();
    expect(sweeps).toBe(6);
  });

  it('find results of a few draws out of a thousand at the start of an episode', () => {
    const lake = findEnv('FrozenLake-v1');
    const reset: Env['dynamics']['reset'] = (_p, rng, state) => {
      const drawn = rng.random();
      state[0] = drawn >= 0.391 && drawn < 0.392 ? 5 : 0;
    };
    const { starts } = tableModel({ ...lake, dynamics: { ...lake.dynamics, reset } }, 100);
    expect([...starts].filter((share) => share > 0)).toEqual([expect.closeTo(0.999, 12), expect.closeTo(0.001, 12)]);
  });

  it('need draws with finitely many results', () => {
    const lake = findEnv('FrozenLake-v1');
    const reset: Env['dynamics']['reset'] = (_p, rng, state) => {
      state[0] = rng.random();
    };
    expect(() => tableModel({ ...lake, dynamics: { ...lake.dynamics, reset } }, 100)).toThrow(
      'draws have finitely many results, got a draw from [0, 1) with more than 2000; use an optimiser',
    );
  });

  it('need numbered observations', () => {
    expect(() => tableModel(findEnv('CartPole-v1'), 500)).toThrow('numbered observations and actions, got CartPole-v1');
  });
});

describe('an environment that is wrong', () => {
  const lake = findEnv('FrozenLake-v1');
  const wrong = (dynamics: Partial<Env['dynamics']>): Env => ({ ...lake, dynamics: { ...lake.dynamics, ...dynamics } });
  const { observe, step } = lake.dynamics;

  it.each<[string, Partial<Env['dynamics']>, RegExp]>([
    [
      'draws without a range',
      { reset: (_p, draws, state) => state.fill(draws.integers(4, undefined as unknown as number)) },
      /expected whole numbers low < high .*, got low 4 and high undefined/,
    ],
    [
      'has observations that do not exist',
      { observe: (_p, _state, obs) => obs.fill(16) },
      /expected an observation in 0 \.\.\. 15 of FrozenLake-v1, got 16/,
    ],
    [
      'has a reward that is no number',
      {
        step(p, state, action, draws, out) {
          step(p, state, action, draws, out);
          out.reward = 1 / 0;
        },
      },
      /expected finite rewards of FrozenLake-v1, got Infinity for action 0 in the state .*; mend the environment/,
    ],
    [
      'does not observe the same twice',
      { observe: (_p, _state, obs) => obs.fill(Math.floor(16 * Math.random())) },
      /expected dynamics that do the same .*Math\.random/,
    ],
    [
      'does not do the same twice',
      {
        step(p, state, action, draws, out) {
          step(p, state, action, draws, out);
          out.reward = Math.random();
        },
      },
      /expected dynamics that do the same .*Math\.random/,
    ],
  ])('and %s is not called solved', (_what, dynamics, message) => {
    expect(() => tableModel(wrong(dynamics), 100)).toThrow(message);
    expect(() => tableModel(wrong({ observe }), 100)).not.toThrow();
  });
});
