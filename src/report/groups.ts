/** Groups of runs and the statistics of their rewards. */
import { moments } from '../base/moments.ts';
import { meanInterval } from '../stats/intervals.ts';
import { groupValue, type ReportRun } from './run-records.ts';
import { differingSettings, hasDefault, settingValue, unset } from './settings.ts';

/** Default grouping keys, to which every setting is added in which runs of the same values differ. */
export const defaultGroupKeys: readonly string[] = ['env', 'method', 'model'];

/**
 * Rewards of one run in the order of tables: the best policy on fresh episodes and on the held-out ones, and the highest, the mean and the last of
 * the kept policies' means in the search.
 */
export const rewardKinds = ['rechecked', 'holdout', 'best', 'mean', 'final'] as const;
export type RewardKind = (typeof rewardKinds)[number];

/** Names in sentences. */
export const rewardNames: Readonly<Record<RewardKind, string>> = {
  rechecked: 're-checked best',
  holdout: 'best on held-out seeds',
  best: 'highest reward of the search',
  mean: 'mean reward',
  final: 'final reward',
};

export interface Spread {
  /** number of runs with this reward */
  readonly runs: number;
  readonly mean: number;
  /** sample standard deviation; null for one run */
  readonly std: number | null;
  /** Student t interval of the mean over runs; null for one run, and for runs that do not vary */
  readonly ci95: readonly [number, number] | null;
  readonly min: number;
  readonly max: number;
}

export interface RunGroup {
  /** values of the grouping keys, in their order */
  readonly values: readonly string[];
  readonly runs: readonly ReportRun[];
  readonly unfinished: number;
  /** null: no run has this reward */
  readonly rewards: Readonly<Record<RewardKind, Spread | null>>;
}

export interface GroupOptions {
  readonly by: readonly string[];
  /** pool runs with the same values of `by` even if other settings differ; false: such settings become keys */
  readonly pool: boolean;
  /** use the last reward of an unfinished run as the final reward */
  readonly includeUnfinished: boolean;
}

/** The reward of a run; null if it has none: an unfinished run has no final reward. */
export function rewardOf({ summary }: ReportRun, kind: RewardKind, includeUnfinished: boolean): number | null {
  const ended = summary.status === 'finished' || includeUnfinished;
  const rewards: Readonly<Record<RewardKind, number | null>> = {
    rechecked: summary.best?.rechecked?.mean ?? null,
    holdout: summary.best?.holdout?.mean ?? null,
    best: summary.best_reward,
    mean: summary.mean_reward,
    final: ended ? summary.final_reward : null,
  };
  return rewards[kind];
}

export function spreadOf(values: readonly number[]): Spread | null {
  const n = values.length;
  if (n === 0) return null;
  const { mean, variance } = moments(values);
  const std = n > 1 ? Math.sqrt(variance) : null;
  return {
    runs: n,
    mean,
    std,
    ci95: std === null || std === 0 ? null : meanInterval(mean, std / Math.sqrt(n), n),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** The interval as curves draw it: one of runs that do not vary has no height. */
export const bandOf = ({ ci95, mean, runs }: Spread): readonly [number, number] | readonly [null, null] =>
  ci95 ?? (runs > 1 ? [mean, mean] : [null, null]);

/** Standard error of the mean over runs; null for one run. */
export const standardError = ({ std, runs }: Pick<Spread, 'std' | 'runs'>): number | null =>
  std === null ? null : std / Math.sqrt(runs);

interface Members {
  readonly values: readonly string[];
  readonly runs: ReportRun[];
}

/** Groups in the order of their values. */
function partition(runs: readonly ReportRun[], by: readonly string[], settings: readonly string[]): Members[] {
  const groups = new Map<string, Members>();
  for (const run of runs) {
    const values = [...by.map((key) => groupValue(run, key)), ...settings.map((key) => settingValue(run, key))];
    const name = JSON.stringify(values);
    const group = groups.get(name) ?? { values, runs: [] };
    group.runs.push(run);
    groups.set(name, group);
  }
  return [...groups.values()].sort((a, b) => (a.values.join('\0') < b.values.join('\0') ? -1 : 1));
}

export interface Groups {
  /** the grouping keys: those asked for, and the settings in which runs differ */
  readonly by: readonly string[];
  readonly groups: readonly RunGroup[];
  /** where runs are pooled: environment, method, model and settings that differ within a group */
  readonly pooled: readonly string[];
}

/** Groups in the order of their values; runs in that of their seeds. */
export function groupRuns(runs: readonly ReportRun[], options: GroupOptions): Groups {
  const asked = partition(runs, options.by, []);
  const differing = [...new Set(asked.flatMap((group) => differingSettings(group.runs)))];
  if (options.pool) {
    const facts = defaultGroupKeys.filter((key) =>
      asked.some((group) => new Set(group.runs.map((run) => groupValue(run, key))).size > 1),
    );
    return { by: options.by, groups: groupsOf(asked, options), pooled: [...facts, ...differing] };
  }
  const added = differing.filter((key) => !options.by.includes(key));
  const groups = groupsOf(partition(runs, options.by, added), options);
  return { by: [...options.by, ...added], groups, pooled: [] };
}

function groupsOf(members: readonly Members[], { includeUnfinished }: GroupOptions): RunGroup[] {
  return members.map(({ values, runs }) => {
    const sorted = runs.sort((a, b) => a.summary.seed - b.summary.seed);
    const spread = (kind: RewardKind): Spread | null =>
      spreadOf(
        sorted.flatMap((run) => {
          const reward = rewardOf(run, kind, includeUnfinished);
          return reward === null ? [] : [reward];
        }),
      );
    return {
      values,
      runs: sorted,
      unfinished: sorted.filter(({ summary }) => summary.status !== 'finished').length,
      rewards: Object.fromEntries(rewardKinds.map((kind) => [kind, spread(kind)])) as RunGroup['rewards'],
    };
  });
}

/** Whether all runs are trainings of other programs, which have no language model. */
export function hasNoModel({ runs }: RunGroup): boolean {
  return runs.every(({ summary }) => summary.model_kind === 'none');
}

/**
 * Whether a group matches any value of the key at `i`: it has no model, or its method does not have the setting, which other
 * runs have in several values.
 */
export function isOpen(group: RunGroup, by: readonly string[], i: number): boolean {
  const key = by[i]!;
  return key === 'model' ? hasNoModel(group) : group.values[i] === unset && !hasDefault(key);
}

/** Whether two groups differ in their method alone. */
export function sameSetting(a: RunGroup, b: RunGroup, by: readonly string[]): boolean {
  return by.every((key, i) => key === 'method' || a.values[i] === b.values[i] || isOpen(a, by, i) || isOpen(b, by, i));
}

/** The values of the keys but the method of two groups of the same setting: of each key that of a group that has it. */
export function sharedSetting(a: RunGroup, b: RunGroup, by: readonly string[]): string[] {
  return by.flatMap((key, i) => (key === 'method' ? [] : [(isOpen(a, by, i) ? b : a).values[i]!]));
}
