/**
 * One method against each of the others on the same environment and model: the tests of the reference (Welch, Holm within
 * the family of each opponent), and beside them what does not rest on normal distributions.
 */

import { UsageError, unknownName } from '../base/errors.ts';
import { moments } from '../base/moments.ts';
import { estimateText, significant } from '../base/plain-number.ts';
import { type Estimate, interquartileMeanOf, probabilityOfImprovement } from '../stats/bootstrap.ts';
import { standardisedDifference } from '../stats/effect-size.ts';
import { overRuns, paired, type RunDifference, t975, welch } from '../stats/intervals.ts';
import { holm } from '../stats/multiple-testing.ts';
import { mannWhitney } from '../stats/rank-tests.ts';
import { type RewardKind, type RunGroup, rewardNames, rewardOf, sameSetting, sharedSetting } from './groups.ts';
import type { ReportRun } from './run-records.ts';
import { left, right, type Table, tableOf } from './tables/table.ts';

/**
 * `all`: with every other method; a family of Holm is one opponent in all settings. `best`: in each setting with the other
 * of the highest mean only; all settings are one family. Both as in the reference.
 */
export const comparisonModes = ['all', 'best'] as const;
export type ComparisonMode = (typeof comparisonModes)[number];

export interface ComparisonOptions {
  readonly by: readonly string[];
  readonly mode: ComparisonMode;
  /** the method that the others are compared with */
  readonly method: string;
  readonly reward: RewardKind;
  readonly includeUnfinished: boolean;
}

export interface Comparison {
  /** values of the grouping keys except the method */
  readonly setting: readonly string[];
  readonly other: string;
  /** runs with this reward, of the method and of the other */
  readonly runs: readonly [number, number];
  /** mean of the method minus mean of the other, over runs */
  readonly difference: number;
  readonly stderr: number;
  /** its 95 % interval with Welch's degrees of freedom; null, like both p: the runs of neither method vary */
  readonly ci95: readonly [number, number] | null;
  readonly welchP: number | null;
  /** adjusted within the family: the same opponent in all settings */
  readonly holmP: number | null;
  readonly mannWhitneyP: number;
  /** Hedges' g with its 95 % interval; null if all runs are equal */
  readonly g: { readonly value: number; readonly ci95: readonly [number, number] } | null;
  /** probability that a run of the method beats one of the other */
  readonly improvement: Estimate;
  /** on common seeds, the method minus the other; null for fewer than two */
  readonly paired: (RunDifference & { readonly seeds: number }) | null;
}

/** A fixed seed makes reports reproducible. */
const bootstrap = { seed: 20_260_101 } as const;

/**
 * Only settings in which both methods have at least two runs with a value. Throws a usage error for a method without runs.
 * `valueIn`: the value of a run; null: none.
 */
export function compareGroups(
  groups: readonly RunGroup[],
  { by, mode, method }: Pick<ComparisonOptions, 'by' | 'mode' | 'method'>,
  valueIn: (run: ReportRun) => number | null,
): Comparison[] {
  const methodAt = by.indexOf('method');
  if (methodAt < 0) throw new UsageError('--compare', `expected --by with method, got ${by.join(', ')}`);
  const methods = [...new Set(groups.map(({ values }) => values[methodAt]!))];
  if (!methods.includes(method))
    throw new UsageError('--compare', unknownName('method of these runs', method, methods));
  const rewardsOf = (group: RunGroup) =>
    group.runs.flatMap((run) => {
      const value = valueIn(run);
      return value === null ? [] : [{ seed: run.manifest.imported ? null : run.summary.seed, value }];
    });
  const comparisons = groups.flatMap((group) => {
    const other = group.values[methodAt]!;
    if (other === method) return [];
    const own = groups.filter((one) => one.values[methodAt] === method && sameSetting(one, group, by));
    return own.flatMap((one) => {
      const [a, b] = [rewardsOf(one), rewardsOf(group)];
      return a.length < 2 || b.length < 2 ? [] : [compare(sharedSetting(one, group, by), other, a, b)];
    });
  });
  if (mode === 'best') return inFamily(strongest(comparisons));
  return methods.flatMap((other) => inFamily(comparisons.filter((comparison) => comparison.other === other)));
}

type Unadjusted = Omit<Comparison, 'holmP'>;

function inFamily(family: readonly Unadjusted[]): Comparison[] {
  const tested = family.filter(({ welchP }) => welchP !== null);
  const adjusted = holm(tested.map(({ welchP }) => welchP!));
  return family.map((comparison) => ({ ...comparison, holmP: adjusted[tested.indexOf(comparison)] ?? null }));
}

/** Significance level after Holm's correction. */
const alpha = 0.05;

export const isSignificant = ({ holmP }: Pick<Comparison, 'holmP'>): boolean => holmP !== null && holmP < alpha;

/** Of each setting the comparison with the other of the highest mean: the one with the lowest difference. */
function strongest(comparisons: readonly Unadjusted[]): Unadjusted[] {
  const best = new Map<string, Unadjusted>();
  for (const one of comparisons) {
    const key = JSON.stringify(one.setting);
    const before = best.get(key);
    if (!before || one.difference < before.difference) best.set(key, one);
  }
  return [...best.values()];
}

interface SeededReward {
  /** null for an imported run, whose seed is only its number */
  readonly seed: number | null;
  readonly value: number;
}

function compare(
  setting: readonly string[],
  other: string,
  first: readonly SeededReward[],
  second: readonly SeededReward[],
): Unadjusted {
  const [a, b] = [first, second].map((list) => list.map(({ value }) => value));
  const { df, p } = welch(a!, b!);
  const [own, others] = [moments(a!), moments(b!)];
  const difference = own.mean - others.mean;
  const stderr = Math.sqrt(own.variance / a!.length + others.variance / b!.length);
  const half = t975(df) * stderr;
  const effect = standardisedDifference(a!, b!);
  // A repeated seed, as with two models, does not identify a run.
  const only = (runs: readonly SeededReward[], seed: number): SeededReward | null => {
    const found = runs.filter((run) => run.seed === seed);
    return found.length === 1 ? found[0]! : null;
  };
  const shared = first.flatMap(({ seed, value }) => {
    const twin = seed === null || only(first, seed) === null ? null : only(second, seed);
    return twin ? [{ own: value, other: twin.value }] : [];
  });
  return {
    setting,
    other,
    runs: [a!.length, b!.length],
    difference,
    stderr,
    ci95: stderr > 0 ? [difference - half, difference + half] : null,
    welchP: stderr > 0 ? p : null,
    mannWhitneyP: mannWhitney(a!, b!).p,
    g: effect && { value: effect.g, ci95: effect.ci95 },
    improvement: probabilityOfImprovement([a!], [b!], bootstrap),
    paired:
      shared.length < 2
        ? null
        : {
            seeds: shared.length,
            ...overRuns(
              paired(
                shared.map((pair) => pair.other),
                shared.map((pair) => pair.own),
              ),
            ),
          },
  };
}

/** `0.031`, `< 0.0001`; `-` without a test */
export const pText = (p: number | null): string => (p === null ? '-' : p < 1e-4 ? '< 0.0001' : significant(p, 2));

export function comparisonTable(
  comparisons: readonly Comparison[],
  { by, mode, method, reward }: ComparisonOptions,
): Table {
  return tableOf(comparisons, {
    title: `${method} compared with ${mode === 'best' ? 'the best other' : 'the others'}, by ${rewardNames[reward]}`,
    note:
      `Difference: mean over runs of ${method} minus that of the other, with Welch's 95 % interval. p: Welch's test; Holm p ` +
      `is adjusted ${mode === 'best' ? 'over all lines' : 'within each opponent'}. g: Hedges, with interval. P(better): the probability that a run of ` +
      `${method} beats one of the other, with bootstrap interval. Paired p: on the seeds that both have. Runs that do not ` +
      'vary have no interval and no p.',
    columns: [
      ...by.filter((key) => key !== 'method').map((key, i) => left(key, ({ setting }: Comparison) => setting[i]!)),
      left('compared with', ({ other }) => other),
      right('runs', ({ runs }) => runs.join(' / ')),
      right('difference', ({ difference, ci95, stderr }) => estimateText(difference, ci95, 4, stderr)),
      right('p', ({ welchP }) => pText(welchP)),
      right('Holm p', ({ holmP }) => pText(holmP)),
      right('Mann-Whitney p', ({ mannWhitneyP }) => pText(mannWhitneyP)),
      right('g', ({ g }) => g && estimateText(g.value, g.ci95, 3)),
      right('P(better)', ({ improvement: { value, ci95 } }) => estimateText(value, ci95, 2)),
      right('paired p', ({ paired: test }) => test && `${pText(test.p)} (${test.seeds})`),
    ],
  });
}

/** Interquartile mean of the groups' rewards, which is robust against outliers. */
export function interquartileMeans(
  groups: readonly RunGroup[],
  reward: RewardKind,
  includeUnfinished: boolean,
): (Estimate | null)[] {
  return groups.map(({ runs }) => {
    const values = runs.flatMap((run) => rewardOf(run, reward, includeUnfinished) ?? []);
    return values.length === 0 ? null : interquartileMeanOf([values], bootstrap);
  });
}
