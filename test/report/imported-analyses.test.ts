/** The analyses over logs of the Python reference that are made by hand; what they should count is counted by hand. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';
import { type WrittenCandidate, writeReferenceLog } from '../support/reference-log.ts';

const base = Array.from({ length: 10 }, (_, i) => 1 + i / 10);
/** The first `count` parameters moved by `by`. */
const moved = (count: number, by: number): number[] => base.map((value, i) => (i < count ? value + by : value));
const played = (params: number[], returns: number[], reason = 'It leans to the left.'): WrittenCandidate => ({
  params,
  returns,
  lengths: returns.map((value) => value),
  reason,
});

const five: [WrittenCandidate, WrittenCandidate][] = [
  // 20 to 10: ten changes where nearly nothing worked
  [played(base, [10, 20, 30]), played(moved(10, 1), [5, 10, 15], 'The worst rollout fell over.')],
  // 20 to 2: worst = median; two changes
  [played(base, [10, 10, 40]), played(moved(2, -3), [1, 2, 3], 'Its worst case was bad.')],
  // 310 to 300: one small change of what worked in part; half an epsilon on the others is no change
  [played(base, [300, 310, 320]), played(moved(1, 0.2), [290, 300, 310], 'All fine.')],
  // 30 to 30: nothing changed
  [played(base, [30, 30, 30]), played(base, [30, 30, 30], 'Kept.')],
  // 160/3 to 80: median = best; five changes
  [played(base, [40, 60, 60]), played(moved(5, 0.3), [70, 80, 90], 'The worst rollout went first.')],
];

type Json = Readonly<Record<string, unknown>>;
let root: string;
let runs: string;

beforeAll(async () => {
  root = temporaryFolder();
  runs = join(root, 'runs');
  const log = (folder: string, criticPrompt: string) =>
    writeReferenceLog({
      folder: join(root, 'logs', folder, 'run_1'),
      layout: 'two-call',
      printsLatest: folder.includes('three'),
      iterations: five,
      criticPrompt,
    });
  log('cartpole_three_traj', 'Compare the three.');
  log('cartpole_reflective_prompted_policy_optimization', 'Change little when achieved_reward >= 480, please.');
  log('cartpole_tau_c_sensitivity_half', 'Change little when achieved_reward >= 240, please.');
  log('cartpole_tau_c_sensitivity_none', 'Change what you like.');
  // Without the texts, the folder's name says what the critic was told.
  log('inverteddoublependulum_tau_c_sensitivity_half', 'Lost.');
  for (let k = 0; k < five.length; k++) {
    const folder = join(root, 'logs', 'inverteddoublependulum_tau_c_sensitivity_half', 'run_1', `episode_${k}`);
    rmSync(join(folder, 'parameters_reasoning.txt'));
  }
  const { code, stderr } = await runCli(['import', 'r2po', join(root, 'logs'), '--runs-dir', runs]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
afterAll(() => rmSync(root, { recursive: true }));

async function groupsOf(kind: string): Promise<Json[]> {
  const { code, stdout, stderr } = await runHere(['analyze', kind, runs, '--json']);
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { groups: Json[] }).groups;
}

async function threeTraj(kind: string): Promise<Json> {
  return (await groupsOf(kind)).find(({ method }) => method === 'three-traj') as Json;
}

describe('an imported log', () => {
  it('has the salience that the reference would count', async () => {
    const group = await threeTraj('salience');
    expect(group).toMatchObject({
      env: 'CartPole-v1',
      runs: 1,
      pairs: 5,
      regressions: 3,
      no_change: 1,
      improvements: 1,
    });
    const [all] = group.comparisons as { id: string; criteria: { criterion: string; table: Json }[] }[];
    expect(all!.id).toBe('regressions_and_others');
    const tables = Object.fromEntries(all!.criteria.map(({ criterion, table }) => [criterion, table]));
    const of = (cases: number, controls: number) => ({
      cases: { met: cases, unmet: 3 - cases },
      controls: { met: controls, unmet: 2 - controls },
    });
    expect(tables).toEqual({
      normal: of(3, 1),
      strict: of(2, 1),
      normal_word: of(2, 1),
      strict_word: of(1, 1),
      normal_phrase: of(1, 1),
      strict_phrase: of(1, 1),
    });
  });

  it('has edits by distance and by category', async () => {
    const group = await threeTraj('edits');
    expect(group).toMatchObject({
      edits: 5,
      unchanged: 1,
      distance: { mean: 3.6, min: 0, max: 10, median: 2 },
      distances: { 0: 1, 1: 1, 2: 1, 5: 1, 10: 1 },
      directions: { regression: { count: 3 }, no_change: { count: 1 }, improvement: { count: 1 } },
    });
    const met = Object.entries(group.categories as Record<string, number>).filter(([, count]) => count > 0);
    expect(Object.fromEntries(met)).toEqual({
      full_redesign_on_uninformative_trajectories: 1,
      other_regression: 1,
      surgical_fix_backfires: 1,
      no_change_without_edits: 1,
      targeted_multi_state_fix: 1,
    });
  });

  it('has groups by the pattern of returns', async () => {
    const { by_pattern } = (await threeTraj('reward-groups')) as { by_pattern: Json[] };
    const rows = by_pattern.map(({ group, count, worst, median, best, initial, revised }) => [
      group,
      count,
      ...[worst, median, best, initial, revised].map((value) => Math.round(1000 * (value as number)) / 1000),
    ]);
    expect(rows).toEqual([
      ['identical', 1, 30, 30, 30, 30, 30],
      ['worst_eq_median', 1, 10, 10, 40, 20, 2],
      ['median_eq_best', 1, 40, 60, 60, 53.333, 80],
      ['all_diverse', 2, 155, 165, 175, 165, 155],
    ]);
  });

  it('has the threshold that its critic was told, by the prompt or else by the name of its folder', async () => {
    const groups = (await groupsOf('tau-c')).filter(({ method }) => method !== 'three-traj');
    expect(groups.map(({ env, method, threshold }) => [env, method, threshold])).toEqual([
      ['CartPole-v1', 'r2po', 480],
      ['CartPole-v1', 'tau-c', 240],
      ['CartPole-v1', 'tau-c', null],
      ['InvertedDoublePendulum-v5', 'tau-c', 225],
    ]);
    const [, half, none] = groups as { critic: Json; below: Json; at_or_above: Json; [key: string]: unknown }[];
    // -10, -18, -10, 0 and 80/3; the revision is kept where it is no worse
    expect(half!.critic).toMatchObject({
      iterations: 5,
      called: 5,
      unchanged: 1,
      kept: 2,
      regressions: 3,
      improvements: 1,
    });
    expect(half!.critic.change).toBeCloseTo((80 / 3 - 38) / 5, 12);
    expect(half!.critic.gain_per_call).toBeCloseTo(80 / 15, 12);
    // 310 alone
    expect(half!.at_or_above).toMatchObject({ iterations: 1, called: 1, unchanged: 0, regressions: 1, change: -10 });
    expect(half!.below).toMatchObject({ iterations: 4, unchanged: 1, regressions: 2, improvements: 1 });
    expect(none!.at_or_above).toMatchObject({ iterations: 0 });
    // 20, 20, 310, 30, 80
    expect(half!.mean_reward).toMatchObject({ runs: 1, mean: 92 });
    expect(half!.best_reward).toMatchObject({ mean: 310 });
    expect(half!.final_reward).toMatchObject({ mean: 80 });
  });
});
