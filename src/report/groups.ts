/** Groups of runs and the statistics of their rewards. */
import { moments } from '../base/moments.ts';
import { meanInterval } from '../stats/intervals.ts';
import { groupValue, type ReportRun } from './run-records.ts';

/** Default grouping keys: runs that differ in their seed alone form a group. */
export const defaultGroupKeys: readonly string[] = ['env', 'method', 'model'];

/** Rewards of one run: mean, highest and last of the kept policies' means, and the best policy on fresh episodes. */
export const rewardKinds = ['mean', 'best', 'final', 'rechecked'] as const;
export type RewardKind = (typeof rewardKinds)[number];

/** Names in sentences. */
export const rewardNames: Readonly<Record<RewardKind, string>> = {
  mean: 'mean reward',
  best: 'best reward',
  final: 'final reward',
  rechecked: 're-checked best',
};

export interface Spread {
  /** number of runs with this reward */
  readonly runs: number;
  readonly mean: number;
  /** sample standard deviation; null for one run */
  readonly std: number | null;
  /** Student t interval of the mean over runs; null for one run */
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
  /** use the last reward of an unfinished run as the final reward */
  readonly includeUnfinished: boolean;
}

/** The reward of a run; null if it has none: an unfinished run has no final reward. */
export function rewardOf({ summary }: ReportRun, kind: RewardKind, includeUnfinished: boolean): number | null {
  const ended = summary.status === 'finished' || includeUnfinished;
  const rewards: Readonly<Record<RewardKind, number | null>> = {
    mean: summary.mean_reward,
    best: summary.best_reward,
    final: ended ? summary.final_reward : null,
    rechecked: summary.best?.rechecked?.mean ?? null,
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
    ci95: std === null ? null : meanInterval(mean, std / Math.sqrt(n), n),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** Groups in the order of their values; runs in that of their seeds. */
export function groupRuns(runs: readonly ReportRun[], { by, includeUnfinished }: GroupOptions): RunGroup[] {
  const groups = new Map<string, { values: string[]; runs: ReportRun[] }>();
  for (const run of runs) {
    const values = by.map((key) => groupValue(run, key));
    const name = JSON.stringify(values);
    const group = groups.get(name) ?? { values, runs: [] };
    group.runs.push(run);
    groups.set(name, group);
  }
  const inOrder = [...groups.values()].sort((a, b) => (a.values.join('\0') < b.values.join('\0') ? -1 : 1));
  return inOrder.map(({ values, runs: members }) => {
    const sorted = members.sort((a, b) => a.summary.seed - b.summary.seed);
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

/** Whether two groups differ in their method alone. A training without a model matches any model. */
export function sameSetting(a: RunGroup, b: RunGroup, by: readonly string[]): boolean {
  return by.every(
    (key, i) =>
      key === 'method' || a.values[i] === b.values[i] || (key === 'model' && (hasNoModel(a) || hasNoModel(b))),
  );
}
