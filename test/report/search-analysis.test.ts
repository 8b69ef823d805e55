/** `analyze search`: steps, repeats, acceptance and re-plays, worked out by hand and on real runs. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findAnalysisKind } from '../../src/report/analyses/index.ts';
import { type Played, searchedRun } from '../../src/report/analyses/moves.ts';
import { groupSearches, measured, summarizeSearch } from '../../src/report/analyses/search.ts';
import { rejectedOf, replayRejected } from '../../src/report/analyses/search-noise.ts';
import { stepsOf } from '../../src/report/analyses/search-steps.ts';
import { searchDocument, searchRows, searchTables } from '../../src/report/analyses/search-tables.ts';
import { searchSpec } from '../../src/report/curves/search-chart.ts';
import { renderChart } from '../../src/report/curves/svg.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { readRun } from '../../src/runs/folder/read-run.ts';
import { shareInterval } from '../../src/stats/intervals.ts';
import { smallRun, temporaryFolder } from '../support/experiment.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

const optimiser = ['optimiser.episodes=150', 'evaluation.episodes=5', 'recheck.episodes=10', 'evaluation.backend=cpu'];
const folders = [
  (await smallRun({ runsDir: root })).folder,
  (await smallRun({ runsDir: root, config: 'cartpole/cma-es', settings: optimiser })).folder,
  (await smallRun({ runsDir: root, config: 'frozenlake/hill-climbing', settings: optimiser })).folder,
];
const runs = await Promise.all(
  folders.map(async (folder) => {
    const stored = readRun(folder);
    return { ...(await searchedRun(stored, stored.events().events)), shared: null };
  }),
);

describe('steps', () => {
  const [search] = runs;
  const width = 12;
  const at = (first: number, mean: number): Played => ({ params: [first, ...Array(9).fill(0)], mean });
  /** A run of these candidates, one kept in each iteration. */
  const played = (...moves: readonly (readonly Played[])[]): (typeof runs)[number] => ({
    ...search!,
    moves: moves.map((candidates, i) => ({
      ...{ iteration: i + 1, candidates, calls: 2, episodes: 10 },
      kept: candidates.reduce((a, b) => (b.mean > a.mean ? b : a)),
    })),
  });

  it('are measured from the best policy before, in widths of the box', () => {
    const [first, second, third] = stepsOf(played([at(0, 10)], [at(3, 8), at(6, 30)], [at(6, 30), at(6.06, 5)]));
    expect(first).toMatchObject({ steps: [], step: null, drift: 0, bestBefore: null, best: 10 });
    expect(second!.steps.map(({ length, changed, gain }) => [length, changed, gain])).toEqual([
      [expect.closeTo(3 / width / Math.sqrt(10), 12), 0.1, -2],
      [expect.closeTo(6 / width / Math.sqrt(10), 12), 0.1, 20],
    ]);
    expect(second).toMatchObject({ moved: second!.steps[1]!.length, drift: second!.steps[1]!.length, repeats: 0 });
    expect(third).toMatchObject({ repeats: 1, nearRepeats: 1, bestBefore: 30, best: 30, moved: 0 });
  });

  it('are summed up: gain per call and per episodes, straightness, acceptance', () => {
    const run = { ...measured(played([at(0, 10)], [at(2, 20)], [at(1, 5)], [at(4, 50)])), replayed: null };
    const summary = summarizeSearch([run]);
    expect(summary).toMatchObject({ candidates: 4, improving: 2, calls: 8, noise: null });
    expect(summary.gain_per_call).toBe(40 / 6);
    expect(summary.gain_per_1000_episodes).toBe((1000 * 40) / 30);
    expect(summary.straightness).toBeCloseTo(1, 12);
    expect(summary.acceptance.reduce((sum, { candidates }) => sum + candidates, 0)).toBe(3);
    expect(rejectedOf(run.iterations).map(({ iteration }) => iteration)).toEqual([3]);
  });

  it('of tables are shares of entries that differ', () => {
    const lake = runs[2]!;
    const table = (first: number, mean: number): Played => ({ params: [first, ...Array(15).fill(0)], mean });
    const [, second] = stepsOf({
      ...lake,
      moves: [table(0, 1), table(3, 2)].map((one, i) => ({
        ...{ iteration: i + 1, candidates: [one], kept: one, calls: 0, episodes: 5 },
      })),
    });
    expect(second!.step).toMatchObject({ length: 1 / 16, changed: 1 / 16 });
    expect(second!.nearRepeats).toBe(1);
  });
});

describe('recorded runs', () => {
  it('of optimisers give every member of their populations, those of models their candidates', () => {
    expect(runs.map(({ candidates }) => candidates)).toEqual(['recorded', 'population', 'population']);
    expect(runs[0]!.moves.map(({ calls }) => calls).every((calls) => calls >= 1)).toBe(true);
    for (const { moves, folder } of runs.slice(1)) {
      const generations = readFileSync(join(folder, 'events.jsonl'), 'utf8').match(/"type":"generation"/g)!;
      expect(moves).toHaveLength(generations.length);
      for (const { candidates, kept } of moves) {
        expect(Math.max(...candidates.map(({ mean }) => mean))).toBe(kept!.mean);
        expect(candidates.map(({ params }) => [...Array.from(params)])).toContainEqual([...Array.from(kept!.params)]);
      }
    }
  });

  it('are tables, rows, a document and a picture, a group for each method', async () => {
    const backend = openCpuBackend({ threads: 1 });
    const all = [];
    for (const one of runs.map(measured)) {
      const request = { backend, episodes: 20, pairs: 3 };
      all.push({ ...one, replayed: await replayRejected(one.run, one.iterations, request) });
    }
    await backend.close();
    const groups = groupSearches(all);
    expect(groups.map(({ env, method }) => `${env} ${method}`)).toEqual([
      'CartPole-v1 r2po',
      'CartPole-v1 cma-es',
      'FrozenLake-v1 hill-climbing',
    ]);
    expect(searchRows(all).rows).toHaveLength(runs.reduce((sum, { moves }) => sum + moves.length, 0));
    expect(searchTables(groups).map(({ rows }) => rows.length)).toEqual([3, 3, expect.any(Number)]);
    for (const { noise } of searchDocument(groups).groups) {
      expect(noise!.replayed).toBeLessThanOrEqual(3);
      if (noise!.really_better !== null) expect(noise!.really_better).toBeLessThanOrEqual(1);
    }
    expect(await renderChart(searchSpec(groups))).not.toMatch(/NaN|undefined/);
  });

  it('a rejected candidate that is much better on fresh seeds is nearly surely the better one', async () => {
    const backend = openCpuBackend({ threads: 1 });
    const good = { params: [-0.5, 0.5, -1, 1, -4, 4, -2, 2, 0, 0], mean: 9 };
    const bad = { params: Array(10).fill(0), mean: 10 };
    const moves = [bad, good].map((one, i) => ({
      iteration: i + 1,
      candidates: [one],
      kept: one,
      calls: 1,
      episodes: 5,
    }));
    const run = { ...runs[0]!, moves };
    const sides = [
      run,
      {
        ...run,
        moves: [
          { ...moves[1]!, kept: { ...good, mean: 9 } },
          { ...moves[0]!, candidates: [{ ...bad, mean: 1 }] },
        ],
      },
    ];
    const [first, second] = await Promise.all(
      sides.map((side) => replayRejected(side, stepsOf(side), { backend, episodes: 50, pairs: 5 })),
    );
    const sure = [first![0]!.probability, second![0]!.probability].sort((a, b) => a - b);
    expect(sure[0]).toBeLessThan(0.01);
    expect(sure[1]).toBeGreaterThan(0.99);
    await backend.close();
  });

  it('a pair is left out of which a policy breaks on fresh seeds, and the others are as without it', async () => {
    const backend = openCpuBackend({ threads: 1 });
    const { units } = runs[0]!;
    const { dynamics } = units.env;
    const step: typeof dynamics.step = (params, state, action, rng, out) => {
      dynamics.step(params, state, action, rng, out);
      // Pushed to the right in every step, the cart has this speed within an episode.
      if (state[1]! > 1.5) out.reward = Number.NaN;
    };
    const env = { ...units.env, dynamics: { ...dynamics, step } };
    const policy = (right: number, mean: number): Played => ({ params: [...Array(8).fill(0), 0, right], mean });
    const sound = { params: [-0.5, 0.5, -1, 1, -4, 4, -2, 2, 0, 0], mean: 10 };
    const rejected = [policy(-1, 3), policy(1, 4), policy(-2, 5)];
    const moves = [sound, ...rejected].map((one, i) => ({
      ...{ iteration: i + 1, candidates: [one], kept: one, calls: 1, episodes: 5 },
    }));
    const run = { ...runs[0]!, moves };
    const request = { backend, episodes: 20, pairs: 5 };
    const whole = await replayRejected(run, stepsOf(run), request);
    const left = await replayRejected({ ...run, units: { ...units, env } }, stepsOf(run), request);
    expect(whole.map(({ iteration }) => iteration)).toEqual([2, 3, 4]);
    expect(left).toEqual([whole[0], whole[2]]);
    await backend.close();
  });
});

it('a share has a Wilson interval within 0 ... 1', () => {
  // Brown, Cai and DasGupta (2001): 0 of 10 gives 0 ... 0.2775.
  expect(shareInterval(0, 10)[1]).toBeCloseTo(0.2775, 4);
  expect(shareInterval(10, 10)[0]).toBeCloseTo(0.7225, 4);
  expect(findAnalysisKind('search').reads).toBe('moves');
});
