/** Analyses of records made by hand; the expected numbers are worked out in the comments. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findEnv } from '../../src/envs/registry.ts';
import { findLlmMethod, llmMethods } from '../../src/methods/index.ts';
import { r2po } from '../../src/methods/r2po.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import {
  type AnalysedRun,
  groupAnalysed,
  needsCritic,
  needsTwoCandidates,
} from '../../src/report/analyses/analysis.ts';
import { editRows, editTable, largestEdits } from '../../src/report/analyses/edit-rows.ts';
import { countsOf, levelsOf, thresholdsOf } from '../../src/report/analyses/edit-thresholds.ts';
import {
  categoryIds,
  categoryOf,
  distributionOf,
  type Edit,
  editOf,
  editsOf,
  summarizeEdits,
} from '../../src/report/analyses/edits.ts';
import { analyses, findAnalysis } from '../../src/report/analyses/index.ts';
import { noiseOf, noiseShare } from '../../src/report/analyses/noise.ts';
import { decidedIterations, directionOf, directions, pairsOf } from '../../src/report/analyses/record.ts';
import { patternOf, rewardGroupsOf, rowsOf } from '../../src/report/analyses/reward-groups.ts';
import { findAnalysedRuns, promptThreshold, requireOneOrigin } from '../../src/report/analyses/runs.ts';
import { criteria, salienceOf, stratified } from '../../src/report/analyses/salience.ts';
import { byThreshold, criticUse, overRuns, thresholdGroups } from '../../src/report/analyses/tau-c.ts';
import { originOf } from '../../src/report/answered-by.ts';
import { readRunConfig } from '../../src/runs/folder/folder.ts';
import type { RunEvent } from '../../src/runs/journal/events.ts';
import { welch } from '../../src/stats/intervals.ts';
import { baseParams, type HandMade, handMadeEvents } from '../support/analysis.ts';
import { smallRun } from '../support/experiment.ts';
import { llmConfig } from '../support/llm-config.ts';

const cartpole = findEnv('CartPole-v1');

function runOf(iterations: readonly HandMade[], changes: Partial<AnalysedRun> = {}): AnalysedRun {
  return {
    folder: 'runs/a',
    env: cartpole,
    changed: null,
    variant: null,
    settings: new Map(),
    method: findLlmMethod('three-traj'),
    policy: buildPolicy('linear', cartpole),
    parameters: { decimals: 1 },
    seed: 5,
    model: 'a-model',
    origin: 'language-model',
    status: 'finished',
    threshold: null,
    iterations: decidedIterations(handMadeEvents(iterations), r2po.candidates),
    rechecked: null,
    ...changes,
  };
}

const handPairs = (iterations: readonly HandMade[]) =>
  pairsOf(decidedIterations(handMadeEvents(iterations), r2po.candidates));

/** Three regressions, an improvement, an unchanged one, an improvement. */
const six: readonly HandMade[] = [
  // mean 20 to 10
  { before: [10, 20, 30], after: [5, 10, 15], replies: ['The worst episode fell over.'] },
  // 50/3 to 1; worst = median < best
  { before: [10, 10, 30], after: [0, 0, 3], replies: ['It was its worst.'] },
  // 20 to 19, and no return varies
  { before: [20, 20, 20], after: [19, 19, 19], replies: ['In the worst  trajectory it drifts.'] },
  // 20 to 30
  { before: [10, 20, 30], after: [20, 30, 40], replies: ['All fine.'] },
  // 7 and 7, the very same parameters
  { before: [5, 6, 10], after: [5, 6, 10], revision: baseParams, replies: ['The WORST rollout is good enough.'] },
  // 23/3 to 26/3; worst = median < best
  { before: [7, 7, 9], after: [8, 8, 10], replies: ['Better.'] },
];

describe('the iterations of a record', () => {
  it('holds the last reply, the number of calls and both candidates', () => {
    const events = handMadeEvents([{ before: [1, 2], after: [3, 4], replies: ['no', 'yes'], kept: 'revision' }]);
    const [found] = decidedIterations(events, r2po.candidates);
    expect(found).toMatchObject({ iteration: 1, kept: 'revision', critic: { calls: 2, reply: 'yes' }, paired: null });
    expect(found!.proposal?.params).toEqual(baseParams);
    expect(found!.revision?.params.at(-1)).toBe(1.5);
    expect(found!.revision?.summary.mean).toBe(3.5);
  });

  it('has no reply where none could be used, and no pair', () => {
    const iterations = decidedIterations(
      handMadeEvents([{ before: [1, 2], replies: ['no', 'never'] }]),
      r2po.candidates,
    );
    expect(iterations[0]!.critic).toEqual({ calls: 2, reply: null });
    expect(pairsOf(iterations)).toEqual([]);
  });

  it('omits the iteration in which a run was interrupted', () => {
    const events = handMadeEvents(six);
    expect(decidedIterations(events.slice(0, -1), r2po.candidates)).toHaveLength(5);
    expect(decidedIterations([], r2po.candidates)).toEqual([]);
  });

  it('compares nothing that has another size or no finite mean', () => {
    const events = handMadeEvents([{ before: [1], after: [2], revision: [1, 2] }, six[0]!]);
    expect(pairsOf(decidedIterations(events, r2po.candidates)).map(({ iteration }) => iteration)).toEqual([2]);
    const broken = events.map((event): RunEvent => {
      return event.type === 'evaluated' ? { ...event, summary: { ...event.summary, mean: Number.NaN } } : event;
    });
    expect(pairsOf(decidedIterations(broken, r2po.candidates))).toEqual([]);
  });

  it('survives events in any order and number', () => {
    const events = handMadeEvents(six);
    fc.assert(
      fc.property(fc.array(fc.nat(events.length - 1), { maxLength: 30 }), (order) => {
        const shuffled = order.map((i) => events[i]!);
        const run = runOf([], { iterations: decidedIterations(shuffled, r2po.candidates), threshold: 15 });
        for (const analysis of analyses) expect(() => analysis.analyse([run])).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });
});

describe('noise', () => {
  const [pair] = handPairs([six[0]!]);

  it('takes the recorded paired test, else an approximation from the summaries', () => {
    const paired = { difference: -10, ci95: [-12, -8] as const, p: 0.003 };
    expect(noiseOf(handPairs([{ ...six[0], paired }])[0]!)).toEqual({ basis: 'paired', p: 0.003 });
    const noise = noiseOf(pair!);
    expect(noise?.basis).toBe('approximate');
    expect(noise?.p).toBeCloseTo(welch([5, 10, 15], [10, 20, 30]).p, 12);
  });

  it('judges no single episodes, and calls every difference of the same policy noise', () => {
    const single = { difference: -1, ci95: null, p: 1 };
    expect(noiseOf(handPairs([{ before: [3], after: [2], paired: single }])[0]!)).toBeNull();
    expect(noiseOf(handPairs([{ before: [3, 4], after: [2, 1], revision: baseParams }])[0]!)).toEqual({
      basis: 'identical',
      p: 1,
    });
  });

  it('is the share of the regressions that it can explain', () => {
    const p1 = welch([5, 10, 15], [10, 20, 30]).p;
    const p2 = welch([0, 0, 3], [10, 10, 30]).p;
    expect(Math.min(p1, p2)).toBeGreaterThan(0.05);
    const share = noiseShare(handPairs(six));
    // the third does not vary and is lower all the same: p = 0
    expect(share).toMatchObject({ regressions: 3, within_noise: 2, share_within_noise: 2 / 3 });
    expect(share.judged).toEqual({ paired: 0, approximate: 3, identical: 0 });
    expect(share.expected_wrong_sign).toBeCloseTo((p1 / 2 + p2 / 2 + 0) / 3, 12);
    expect(noiseShare([])).toMatchObject({ regressions: 0, share_within_noise: null, expected_wrong_sign: null });
  });
});

describe('salience', () => {
  const found = salienceOf(handPairs(six));
  const of = (comparison: number, id: string) =>
    found.comparisons[comparison]!.criteria.find(({ criterion }) => criterion === id);
  const table = (a: number, b: number, c: number, d: number) => ({
    cases: { met: a, unmet: b },
    controls: { met: c, unmet: d },
  });

  it('counts', () => {
    expect(found).toMatchObject({ pairs: 6, regressions: 3, no_change: 1, improvements: 2, with_reply: 6 });
    expect(found.excluded_by_strict).toBe(1);
  });

  it.each([
    // regressions 1 2 3, others 4 5 6
    ['normal', table(2, 1, 3, 0)],
    ['strict', table(1, 2, 2, 1)],
    // the word is in the replies 1 2 3 5
    ['normal_word', table(2, 1, 1, 2)],
    ['strict_word', table(1, 2, 1, 2)],
    // the phrase is in the replies 1 3 5
    ['normal_phrase', table(1, 2, 1, 2)],
    ['strict_phrase', table(1, 2, 1, 2)],
  ])('%s: cases and controls', (id, expected) => {
    expect(of(0, id)?.table).toEqual(expected);
  });

  it('gives odds ratios, with the correction where a cell is empty, and shares', () => {
    // strict: (1 * 1) / (2 * 2)
    expect(of(0, 'strict')?.odds_ratio?.estimate).toBeCloseTo(0.25, 12);
    expect(of(0, 'strict')).toMatchObject({ share_of_cases: 1 / 3, share_of_controls: 2 / 3, p: 1 });
    // normal: (2.5 * 0.5) / (1.5 * 3.5)
    expect(of(0, 'normal')?.odds_ratio).toMatchObject({ corrected: true });
    expect(of(0, 'normal')?.odds_ratio?.estimate).toBeCloseTo(1.25 / 5.25, 12);
  });

  it('also compares with edited ones only, and regressions that are more than noise', () => {
    // without 5, which changed nothing
    expect(of(1, 'strict')?.table).toEqual(table(1, 2, 1, 1));
    // the case is 3; strict among the others are 1 4 5
    expect(of(2, 'strict')?.table).toEqual(table(0, 1, 3, 2));
  });

  it('does not take an improvement for a case, however sure', () => {
    const better = salienceOf(handPairs([{ before: [1, 1, 1], after: [2, 2, 2] }]));
    expect(
      better.comparisons.map(({ criteria }) => criteria[0]!.table.cases.met + criteria[0]!.table.cases.unmet),
    ).toEqual([0, 0, 0]);
  });

  it('leaves pairs without a reply out of the criteria that need one', () => {
    const silent = salienceOf(handPairs([{ ...six[0], replies: [] }, six[3]!]));
    expect(silent).toMatchObject({ pairs: 2, with_reply: 1 });
    expect(silent.comparisons[0]!.criteria.map(({ table: { cases } }) => cases.met + cases.unmet)).toEqual([
      1, 1, 0, 0, 0, 0,
    ]);
  });

  it('combines groups as strata', () => {
    // strict twice the same table of 6: R = 2 * 1 * 1 / 6, S = 2 * 2 * 2 / 6
    const all = stratified([found, found]);
    expect(all).toHaveLength(3 * criteria.length);
    expect(all[1]).toMatchObject({ comparison: 'regressions_and_others', criterion: 'strict' });
    expect(all[1]!.odds_ratio?.estimate).toBeCloseTo(0.25, 12);
  });
});

describe('edits', () => {
  const revision = baseParams.with(0, 1.3).with(1, 1).with(2, 2.02);
  const [pair] = handPairs([{ before: [4, 6], after: [6, 8], revision }]);

  it('measures what changed by more than half a decimal step', () => {
    const edit = editOf(pair!, { epsilon: 0.05, real: true });
    // changes of 0.3, 2 (with its sign) and 0.02
    expect(edit).toMatchObject({ distance: 2, params: 10, sign_flips: 1, initial: 5, revised: 7, delta: 2 });
    expect(edit.largest).toBeCloseTo(2, 12);
    expect(edit.l2).toBeCloseTo(Math.sqrt(0.09 + 4 + 0.0004), 12);
    expect(edit.direction).toBe('improvement');
  });

  it('ignores a change of sign within the rounding', () => {
    const proposal = baseParams.with(3, 0.02);
    const [small] = handPairs([{ before: [4, 6], after: [6, 8], proposal, revision: proposal.with(3, -0.02) }]);
    expect(editOf(small!, { epsilon: 0.05, real: true })).toMatchObject({ distance: 0, sign_flips: 0 });
  });

  it('gives choices no size and no sign', () => {
    const edit = editOf(pair!, { epsilon: 1e-12, real: false });
    expect(edit).toMatchObject({ distance: 3, largest: null, l2: null, sign_flips: null });
  });

  it('is symmetric in its sizes, and zero for the same parameters', () => {
    const vector = fc.array(
      fc.integer({ min: -60, max: 60 }).map((x) => x / 10),
      { minLength: 4, maxLength: 4 },
    );
    fc.assert(
      fc.property(vector, vector, (a, b) => {
        const edit = (proposal: number[], other: number[]) =>
          editOf(handPairs([{ before: [1, 2], after: [2, 3], proposal, revision: other }])[0]!, {
            epsilon: 0.05,
            real: true,
          });
        const there = edit(a, b);
        const back = edit(b, a);
        expect(back).toMatchObject({ distance: there.distance, sign_flips: there.sign_flips, largest: there.largest });
        expect(there.distance).toBe(a.filter((x, i) => x !== b[i]).length);
        expect(edit(a, a)).toMatchObject({ distance: 0, largest: 0, sign_flips: 0 });
      }),
    );
  });

  it('sums up', () => {
    const found = summarizeEdits(editsOf(runOf(six)));
    // five change the last parameter by one, from 0.5 to 1.5; one changes nothing
    expect(found).toMatchObject({ edits: 6, unchanged: 1, distances: { 0: 1, 1: 5 } });
    expect(found.share_of_parameters).toBeCloseTo(5 / 60, 12);
    expect(found.largest).toMatchObject({ mean: 5 / 6, median: 1, max: 1 });
    expect(found.sign_flips?.max).toBe(0);
    // beyond noise: only 20 to 19 without any spread
    expect(found.directions).toEqual({
      regression: { count: 3, beyond_noise: 1 },
      no_change: { count: 1, beyond_noise: 0 },
      improvement: { count: 2, beyond_noise: 0 },
    });
    expect(summarizeEdits([]).distance).toBeNull();
  });

  it('has a row per iteration with its category, and the largest changes first', () => {
    const run = runOf(six);
    const rows = editRows([run]);
    const table = editTable(rows);
    const column = (name: string) =>
      table.rows.map((row) => row[table.columns.findIndex(({ title }) => title === name)]);
    expect(column('iteration')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(column('category')).toEqual(editsOf(run).map((edit) => categoryOf(edit, thresholdsOf(run)!)));
    expect(column('delta').map((delta) => Math.sign(Number(delta)))).toEqual([-1, -1, -1, 1, 0, 1]);
    expect(column('beyond_noise')).toContain(1);
    const { regressions, improvements } = largestEdits(rows);
    expect(regressions.map(({ iteration }) => iteration)).toEqual([2, 1, 3]);
    expect(improvements.map(({ iteration }) => iteration)).toEqual([4, 6]);
    // Of another environment, which has its own unit of returns.
    const other = rows.map((row) => ({ ...row, env: 'Other-v0', delta: row.delta / 1e6 }));
    expect(largestEdits([...rows, ...other]).regressions).toHaveLength(6);
    expect(largestEdits([...rows, ...rows, ...rows]).regressions).toHaveLength(5);
  });

  it('has quantiles', () => {
    // sorted 1 2 4 8: quartiles at 0.75, 1.5 and 2.25
    expect(distributionOf([8, 1, 4, 2])).toEqual({ mean: 3.75, min: 1, q25: 1.75, median: 3, q75: 5, max: 8 });
  });
});

describe('categories of edits', () => {
  const thresholds = thresholdsOf(runOf([]));
  if (!thresholds) throw new Error('expected thresholds for CartPole');
  const edit = (initial: number, distance: number, delta: number): Edit => ({
    iteration: 1,
    distance,
    params: 10,
    l2: 1,
    largest: 1,
    sign_flips: 0,
    initial,
    revised: initial + delta,
    delta,
    direction: directionOf(delta),
    beyond_noise: null,
  });

  it.each([
    // the thresholds of CartPole: near zero 20, partial 200, high 450, meaningful 0.1; 3, 4 and 8 parameters
    [460, 0, -5, 'pure_stochasticity'],
    [460, 9, -5, 'compulsive_revision_of_near_optimal'],
    [450, 3, -5, 'surgical_fix_backfires'],
    [460, 3, -0.05, 'other_regression'],
    [300, 4, -5, 'other_regression'],
    [20, 8, -5, 'full_redesign_on_uninformative_trajectories'],
    [20, 7, -5, 'other_regression'],
    [21, 8, -5, 'other_regression'],
    [460, 3, 5, 'fine_tuning_near_optimal'],
    [450, 3, 5, 'pinpoint_bottleneck_fix'],
    [460, 4, 5, 'targeted_multi_state_fix'],
    [20, 8, 5, 'history_guided_rescue'],
    [20, 7, 5, 'other_improvement'],
    [21, 4, 5, 'targeted_multi_state_fix'],
    [21, 3, 5, 'other_improvement'],
    [21, 3, 0, 'no_change_with_edits'],
    [21, 0, 0, 'no_change_without_edits'],
  ])('a proposal of %d, %d changes and %d more is %s', (initial, distance, delta, category) => {
    expect(categoryOf(edit(initial, distance, delta), thresholds)).toBe(category);
  });

  it('always finds a category', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.nat(10), fc.integer({ min: -500, max: 500 }), (initial, n, delta) => {
        expect(categoryIds).toContain(categoryOf(edit(initial, n, delta), thresholds));
      }),
    );
    expect(new Set(categoryIds).size).toBe(12);
  });

  it('takes the levels of the reference for its three environments', () => {
    expect(thresholds).toStrictEqual({
      epsilon: 0.05,
      near_zero: 20,
      partial: 200,
      high: 450,
      meaningful: 0.1,
      surgical: 3,
      multi: 4,
      redesign: 8,
      returns_from: 'reference',
      counts_from: 'reference',
    });
    const frozenLake = findEnv('FrozenLake-v1');
    const table = { policy: buildPolicy('tabular', frozenLake), parameters: { decimals: 1 } };
    expect(thresholdsOf({ env: frozenLake, ...table })).toMatchObject({ epsilon: 1e-12, high: 0.8, redesign: 8 });
  });

  it('scales them to other environments, where the numbers of CartPole do not apply', () => {
    // from 0 to 400: 16, 160, 360, 4; from -200 to -100: -196, -160, -110, 1
    const scale = (low: number, threshold: number) =>
      levelsOf({ returnRange: [low, 1e6], success: { threshold, source: '' } });
    expect(scale(0, 400)).toEqual({ near_zero: 16, partial: 160, high: 360, meaningful: 4 });
    expect(scale(-200, -100)).toEqual({ near_zero: -196, partial: -160, high: -110, meaningful: 1 });
    expect(scale(-Infinity, 400)).toEqual(scale(0, 400));
    expect(scale(-Infinity, -5)).toBeNull();
    expect(scale(3, 3)).toBeNull();
  });

  it('scales the numbers of parameters, so that a policy of three can be redesigned', () => {
    expect(countsOf(10)).toEqual({ surgical: 3, multi: 4, redesign: 8 });
    expect(countsOf(3)).toEqual({ surgical: 1, multi: 2, redesign: 3 });
    expect(countsOf(50)).toEqual({ surgical: 15, multi: 16, redesign: 40 });
  });
});

describe('reward groups', () => {
  it('distinguishes the four patterns', () => {
    expect(patternOf({ worst: 1, median: 1, best: 1 + 1e-13 })).toBe('identical');
    expect(patternOf({ worst: 1, median: 1, best: 2 })).toBe('worst_eq_median');
    expect(patternOf({ worst: 1, median: 2, best: 2 })).toBe('median_eq_best');
    expect(patternOf({ worst: 1, median: 2, best: 3 })).toBe('all_diverse');
  });

  it('counts and averages each group', () => {
    // six: all diverse 1 4 5, worst = median 2 6, identical 3; and one with median = best
    const rows = rowsOf(runOf([...six, { before: [1, 9, 9], after: [9, 1, 9], replies: [] }]));
    const found = rewardGroupsOf(rows);
    expect(found.by_pattern.map(({ group, count }) => [group, count])).toEqual([
      ['identical', 1],
      ['worst_eq_median', 2],
      ['median_eq_best', 1],
      ['all_diverse', 3],
    ]);
    const diverse = found.by_pattern[3]!;
    // worst (10 + 10 + 5) / 3, initial (20 + 20 + 7) / 3, delta (-10 + 10 + 0) / 3, one of three left as it was
    expect(diverse.worst).toBeCloseTo(25 / 3, 12);
    expect(diverse.initial).toBeCloseTo(47 / 3, 12);
    expect(diverse.delta).toBeCloseTo(0, 12);
    expect(diverse).toMatchObject({ share: 3 / 7, directions: { regression: 1, no_change: 1, improvement: 1 } });
    expect(diverse.edits).toMatchObject({ unchanged: 1, mean_distance: 2 / 3, mean_largest: 2 / 3 });
    expect(found.by_change.map(({ count }) => count)).toEqual([3, 2, 2]);
    expect(found.by_change[0]!.beyond_noise).toBe(1);
  });

  it('puts every pair into one group of each kind', () => {
    const returns = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.record({ before: returns, after: returns }), { maxLength: 8 }), (made) => {
        const { pairs, by_pattern, by_change } = rewardGroupsOf(rowsOf(runOf(made)));
        expect(pairs).toBe(made.length);
        for (const groups of [by_pattern, by_change]) {
          expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(made.length);
        }
        expect(directions.map((d) => by_pattern.reduce((sum, g) => sum + g.directions[d], 0))).toEqual(
          by_change.map(({ count }) => count),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('tau-c', () => {
  const made: readonly HandMade[] = [
    { before: [40, 60], after: [70, 90], kept: 'revision' },
    { before: [110, 130], after: [110, 130], revision: baseParams, kept: 'revision' },
    { before: [110, 110], after: [50, 70], kept: 'proposal' },
    { before: [80, 100], replies: ['no', 'never'] },
    { before: [70, 70], replies: [] },
  ];
  const run = runOf(made, { threshold: 100, rechecked: 77 });

  it('counts calls and what they gain', () => {
    expect(criticUse(run.iterations)).toMatchObject({
      iterations: 5,
      called: 4,
      skipped: 1,
      model_calls: 5,
      unusable: 1,
      unchanged: 1,
      kept: 2,
      regressions: 1,
      improvements: 1,
      // (30 + 0 + 0 + 0) / 4
      gain_per_call: 7.5,
    });
    // (30 + 0 - 50) / 3
    expect(criticUse(run.iterations).change).toBeCloseTo(-20 / 3, 12);
    expect(criticUse([])).toMatchObject({ called: 0, change: null, gain_per_call: null });
  });

  it('splits the iterations at the threshold', () => {
    const { below, at_or_above } = byThreshold(run.iterations, 110);
    expect(at_or_above.map(({ iteration }) => iteration)).toEqual([2, 3]);
    expect(criticUse(below)).toMatchObject({ called: 2, skipped: 1, gain_per_call: 15 });
    expect(criticUse(at_or_above)).toMatchObject({ called: 2, unchanged: 1, change: -25, gain_per_call: 0 });
    expect(byThreshold(run.iterations, null).at_or_above).toEqual([]);
  });

  it('groups runs by threshold, the highest first and none last', () => {
    const other = runOf([made[0]!], { threshold: 100, rechecked: 79 });
    const groups = thresholdGroups([runOf([made[0]!]), run, runOf([made[2]!], { threshold: 400 }), other]);
    expect(groups.map(({ threshold, runs }) => [threshold, runs])).toEqual([
      [400, 1],
      [100, 2],
      [null, 1],
    ]);
    // kept: 80 120 110 90 70, and 80; gains per call 7.5 and 30
    const [, hundred] = groups;
    expect(hundred!.mean_reward).toMatchObject({ runs: 2, mean: (94 + 80) / 2 });
    expect(hundred!.best_reward?.mean).toBe(100);
    expect(hundred!.final_reward?.mean).toBe(75);
    expect(hundred!.rechecked?.mean).toBe(78);
    expect(hundred!.gain_per_call?.mean).toBe(18.75);
  });

  it('gives an interval over runs', () => {
    // sd of 1 and 3 is sqrt 2, the error 1, and t with one degree of freedom 12.7062
    const found = overRuns([1, 3]);
    expect(found?.sd).toBeCloseTo(Math.SQRT2, 12);
    expect(found?.ci95?.[1]).toBeCloseTo(2 + 12.7062, 4);
    expect(overRuns([4])).toEqual({ runs: 1, mean: 4, sd: null, ci95: null });
    expect(overRuns([])).toBeNull();
  });
});

describe('which runs an analysis takes', () => {
  it('knows methods with two candidates and those with a critic by their stages', () => {
    const taken = (refuses: typeof needsCritic) => llmMethods.filter((m) => refuses(m) === null).map(({ id }) => id);
    expect(taken(needsCritic)).toEqual(['r2po', 'reptraj', 'three-traj', 'always-critic', 'tau-c']);
    expect(taken(needsTwoCandidates)).toEqual([
      'r2po',
      'reptraj',
      'three-traj',
      'pure-search',
      'actor-second-pass',
      'always-critic',
      'tau-c',
    ]);
    expect(needsCritic(findLlmMethod('critic-only'))).toContain('a single candidate');
    expect(needsCritic(findLlmMethod('pure-search'))).toContain('no critic');
  });

  it('groups by environment and method', () => {
    const runs = [runOf([]), runOf([], { method: findLlmMethod('r2po') }), runOf([], { folder: 'runs/b' })];
    expect(groupAnalysed(runs).map(({ method, runs: members }) => [method, members.length])).toEqual([
      ['three-traj', 2],
      ['r2po', 1],
    ]);
  });

  it('groups by the settings that differ, but for those that the analysis groups by itself', () => {
    const threshold = (value: number) => new Map([['critic.conservative_threshold', String(value)]]);
    const runs = [
      runOf([], { settings: threshold(480) }),
      runOf([], { settings: threshold(240), variant: 'three-traj-half' }),
      runOf([], { settings: threshold(17) }),
    ];
    expect(groupAnalysed(runs).map(({ method }) => method)).toEqual([
      'three-traj, critic.conservative_threshold 480',
      'three-traj, critic.conservative_threshold 17',
      'three-traj-half',
    ]);
    expect(groupAnalysed(runs, ['critic.conservative_threshold']).map(({ runs: members }) => members.length)).toEqual([
      3,
    ]);
  });

  it('knows no threshold of a method without a critic, which configurations have all the same', async () => {
    const overrides = ['iterations=1', 'warmup.policies=0', 'evaluation.episodes=2', 'recheck.episodes=10'];
    const { folder } = await smallRun({ config: 'cartpole/pure-search', overrides });
    expect(llmConfig(await readRunConfig(folder)).critic.conservative_threshold).toBe(480);
    const { runs } = await findAnalysedRuns([folder], { id: 'edits', refuses: needsTwoCandidates });
    expect(runs.map(({ threshold }) => threshold)).toEqual([null]);
  });

  it('does not pool the optimiser with language models', () => {
    const offline = runOf([], { folder: 'runs/numeric', origin: 'offline' });
    expect(() => requireOneOrigin([runOf([]), offline])).toThrow(/"runs\/numeric".*"runs\/a".*--allow-mixed/);
    expect(() => requireOneOrigin([offline, offline])).not.toThrow();
    expect(() => requireOneOrigin([runOf([])])).not.toThrow();
  });

  it('recognises the optimiser by its replies, also in a replay', () => {
    expect(originOf(handMadeEvents(six, 'offline'))).toBe('offline');
    expect(originOf(handMadeEvents(six, 'gpt-oss:20b'))).toBe('language-model');
  });

  it('reads the threshold from what the critic was told', () => {
    const told = (prompt: string) => promptThreshold(['', prompt], 480);
    expect(told('Rules\n- conservative threshold: 2.8. If the mean ...')).toBe(2.8);
    expect(told('- conservative threshold: -120. If')).toBe(-120);
    expect(told('No such rule.')).toBeNull();
    expect(promptThreshold([], 480)).toBe(480);
  });

  it('names the nearest kind', () => {
    expect(findAnalysis('tau-c').id).toBe('tau-c');
    expect(() => findAnalysis('reward-group')).toThrow('did you mean "reward-groups"');
  });
});
