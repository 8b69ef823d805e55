/** Our runs beside what was published, with what differs between the two said next to it. */
import { significant } from '../base/plain-number.ts';
import { findMethod } from '../methods/index.ts';
import { welchOf } from '../stats/intervals.ts';
import type { RunGroup, Spread } from './groups.ts';
import { type PublishedResult, type PublishedReward, publishedResult, publishedSettings } from './published.ts';
import { groupValue } from './run-records.ts';
import type { Table } from './table.ts';

export interface PublishedComparison {
  readonly env: string;
  readonly method: string;
  readonly model: string;
  readonly runs: number;
  /** null where nothing was published */
  readonly published: PublishedResult | null;
  readonly mean: RewardComparison | null;
  readonly best: RewardComparison | null;
  /** why the two are not like for like; empty when nothing is known to differ */
  readonly differences: readonly string[];
}

export interface RewardComparison {
  readonly ours: Spread;
  readonly published: PublishedReward;
  /** Welch's test on means, deviations and numbers of runs; null for one run of ours */
  readonly p: number | null;
}

/** One per group; groups must not mix environments, methods or models, or these are those of the first run. */
export function againstPublished(groups: readonly RunGroup[]): PublishedComparison[] {
  return groups.map((group) => {
    const [{ summary }] = group.runs;
    const { env, method, model } = summary;
    const published = publishedResult(env, method);
    const compare = (kind: 'mean' | 'best'): RewardComparison | null => {
      const ours = group.rewards[kind];
      return published && ours && { ours, published: published[kind], p: probability(ours, published[kind]) };
    };
    return {
      env,
      method,
      model,
      runs: group.runs.length,
      published,
      mean: compare('mean'),
      best: compare('best'),
      differences: differencesOf(group),
    };
  });
}

function probability({ mean, std, runs }: Spread, published: PublishedReward): number | null {
  if (std === null) return null;
  const theirs = { mean: published.mean, variance: published.std ** 2, n: publishedSettings.runs };
  return welchOf({ mean, variance: std ** 2, n: runs }, theirs).p;
}

function differencesOf({ runs, unfinished }: RunGroup): string[] {
  const [{ summary }] = runs;
  const { model, runs: theirs, evaluationEpisodes, calls } = publishedSettings;
  const callsPerIteration = findMethod(summary.method).stages.filter((stage) => stage !== 'evaluate').length;
  const all = (key: string): string[] => [...new Set(runs.map((run) => groupValue(run, key)))];
  const differing = (what: string, key: string, expected: string): string[] => {
    const found = all(key).filter((value) => value !== expected);
    return found.length === 0 ? [] : [`${what} ${found.join(', ')}, published ${expected}`];
  };
  return [
    ...(summary.model_kind === 'offline'
      ? ['a numeric optimiser, no language model']
      : summary.model.includes(model)
        ? []
        : [`model ${summary.model}, published ${model}`]),
    ...(runs.length === theirs ? [] : [`${runs.length} runs, published ${theirs}`]),
    ...(unfinished === 0 ? [] : [`${unfinished} unfinished`]),
    ...differing('iterations', 'iterations', String(calls / callsPerIteration)),
    ...differing('evaluation episodes', 'evaluation.episodes', String(evaluationEpisodes)),
    ...(all('settings').every((value) => value === 'published')
      ? []
      : ['our own settings, which treat all methods alike (settings=published takes those of the reference)']),
  ];
}

/** Groups without a published result are left out. */
export function publishedTable(comparisons: readonly PublishedComparison[]): Table {
  const pair = (reward: RewardComparison | null): string[] => {
    if (reward === null) return ['-', '-', '-'];
    const { ours, published, p } = reward;
    const text = (mean: number, std: number | null): string =>
      `${significant(mean, 5)}${std === null ? '' : ` ± ${significant(std, 3)}`}`;
    return [text(ours.mean, ours.std), text(published.mean, published.std), p === null ? '-' : significant(p, 2)];
  };
  const right = (title: string) => ({ title, align: 'right' as const });
  return {
    title: 'Beside the published results',
    note:
      "Means ± sample standard deviations over runs; p of Welch's test between the two, not adjusted for the number of " +
      'lines. Published numbers are rounded to two digits (arXiv 2605.08315).',
    columns: [
      { title: 'env' },
      { title: 'method' },
      { title: 'model' },
      right('mean reward'),
      right('published'),
      right('p'),
      right('best reward'),
      right('published'),
      right('p'),
      { title: 'what differs' },
    ],
    rows: comparisons
      .filter(({ published }) => published !== null)
      .map(({ env, method, model, mean, best, differences }) => [
        env,
        method,
        model,
        ...pair(mean),
        ...pair(best),
        differences.length === 0 ? 'nothing known' : differences.join('; '),
      ]),
  };
}
