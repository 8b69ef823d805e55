/** Runs compared with the published results, with the known differences. */
import { counted, significant } from '../../base/plain-number.ts';
import { llmMethods } from '../../methods/index.ts';
import { promptDifferences } from '../../methods/prompts/reference-differences.ts';
import { welchOf } from '../../stats/intervals.ts';
import { pText } from '../comparisons.ts';
import type { RewardKind, RunGroup, Spread } from '../groups.ts';
import { groupValue, type ReportRun } from '../run-records.ts';
import { type ColumnOf, left, right, type Table, tableOf } from '../tables/table.ts';
import { type Ceiling, ceilingFor, ceilingKind, ceilingSource } from './ceilings.ts';
import {
  type PublishedResult,
  type PublishedReward,
  type PublishedTraining,
  publishedResults,
  publishedSettings,
  publishedThresholds,
  publishedTrainings,
  warningsOf,
} from './published.ts';

export interface PublishedComparison {
  readonly env: string;
  readonly method: string;
  readonly model: string;
  readonly runs: number;
  /** null: not published */
  readonly published: PublishedResult | null;
  readonly mean: RewardComparison | null;
  readonly best: RewardComparison | null;
  readonly final: RewardComparison | null;
  /** the best policy of each run of ours on fresh episodes; null: no run has one */
  readonly rechecked: Spread | null;
  /** the highest mean return of a policy of these settings; null: not known */
  readonly ceiling: Ceiling | null;
  /** Whether the published best lies above the ceiling, as the highest of many means of few episodes may; null: not known */
  readonly aboveCeiling: boolean | null;
  /** the best Stable-Baselines3 algorithm of the paper on this environment; null: not published */
  readonly bestTraining: PublishedTraining | null;
  /** known differences from the published runs */
  readonly differences: readonly string[];
  /** differences from the prompts of the reference; empty for runs without prompts of this program */
  readonly promptDifferences: readonly string[];
}

export interface RewardComparison {
  readonly ours: Spread;
  /** null: not published */
  readonly published: PublishedReward | null;
  /** Welch's test on means, deviations and numbers of runs; null for one run of ours */
  readonly p: number | null;
}

type PublishedKind = Exclude<RewardKind, 'rechecked' | 'holdout'>;

const thresholdKey = 'critic.conservative_threshold';

/** One per group; all runs of a group must have the same environment, method and model. */
export function againstPublished(groups: readonly RunGroup[]): PublishedComparison[] {
  return groups.map((group) => {
    const { summary } = group.runs[0]!;
    const { env, method, model } = summary;
    const flags = [...new Set(group.runs.flatMap(({ manifest }) => manifest.imported?.training?.flags ?? []))];
    // What another environment returned is not put beside published numbers of this one.
    const published = flags.length > 0 ? null : publishedFor(group);
    const bestTraining = flags.length > 0 ? null : (publishedTrainings.find((one) => one.env === env) ?? null);
    const ceiling = ceilingFor(group.runs);
    const isAbove = published && ceiling && published.best.mean > ceiling.mean + publishedRounding;
    const compare = (kind: PublishedKind): RewardComparison | null => {
      const [ours, theirs] = [group.rewards[kind], published?.[kind] ?? null];
      return ours && { ours, published: theirs, p: theirs && probability(ours, theirs) };
    };
    return {
      env,
      method,
      model,
      runs: group.runs.length,
      published,
      mean: compare('mean'),
      best: compare('best'),
      final: compare('final'),
      rechecked: group.rewards.rechecked,
      ceiling,
      aboveCeiling: isAbove,
      bestTraining,
      differences: [
        ...flags,
        ...(isAbove ? [aboveText(published, ceiling)] : []),
        ...(published ? differencesOf(group, published) : rewardsOf(group.runs)),
        ...new Set([published, bestTraining].flatMap((result) => (result ? warningsOf(result) : []))),
      ],
      promptDifferences: group.runs.some(isPrompted) ? promptDifferences(method) : [],
    };
  });
}

/** Published numbers have two digits behind the point. */
const publishedRounding = 0.005;

function aboveText({ best }: PublishedResult, ceiling: Ceiling): string {
  const { evaluationEpisodes } = publishedSettings;
  const what = ceiling.exact ? 'the exact mean return of the best policy' : 'the mean return of the best policy known';
  return (
    `the published best ${significant(best.mean, 5)} lies above ${significant(ceiling.mean, 5)}, ${what}: it is the highest ` +
    `of many means over ${evaluationEpisodes} episodes`
  );
}

/** Whether a run had prompts of this program: imported runs had others, and an optimiser has none. */
const isPrompted = ({ manifest, summary }: ReportRun): boolean =>
  manifest.imported === undefined && methodOf(summary.method) !== undefined;

/** undefined: not a search with a language model */
const methodOf = (name: string) => llmMethods.find(({ id }) => id === name);

/** Of results for several thresholds, the one for the threshold of the runs; null if they have different thresholds. */
function publishedFor({ runs }: RunGroup): PublishedResult | null {
  const { summary } = runs[0]!;
  const results = [...publishedResults, ...publishedTrainings, ...publishedThresholds].filter(
    ({ env, method }) => env === summary.env && method === summary.method,
  );
  if (results.length < 2) return results[0] ?? null;
  const thresholds = configured(runs, thresholdKey);
  return (thresholds.length === 1 && results.find(({ threshold }) => String(threshold) === thresholds[0])) || null;
}

function configured(runs: readonly ReportRun[], key: string): string[] {
  return [...new Set(runs.map((run) => groupValue(run, key)))];
}

function probability({ mean, std, runs }: Spread, published: PublishedReward): number | null {
  if (std === null || std + published.std === 0) return null;
  const theirs = { mean: published.mean, variance: published.std ** 2, n: publishedSettings.runs };
  return welchOf({ mean, variance: std ** 2, n: runs }, theirs).p;
}

function differencesOf({ runs, unfinished }: RunGroup, published: PublishedResult | PublishedTraining): string[] {
  const { runs: theirs, evaluationEpisodes } = publishedSettings;
  const differing = (what: string, key: string, expected: string): string[] => {
    const found = configured(runs, key).filter((value) => value !== expected);
    return found.length === 0 ? [] : [`${what} ${found.join(', ')}, published ${expected}`];
  };
  const isTraining = 'iterations' in published;
  const argumentsOf = ({ iterations: episodes }: PublishedTraining): string[] => [
    ...(configured(runs, 'sb3.training_steps').every((value) => value === 'null')
      ? differing('training episodes', 'sb3.training_episodes', String(episodes))
      : differing('training steps', 'sb3.training_steps', `${episodes} episodes`)),
    ...Object.entries(defaultArguments).flatMap(([name, value]) => differing(name, `sb3.${name}`, value)),
  ];
  const iterations = isTraining ? published.iterations : iterationsOf(published);
  const { threshold } = published;
  return [
    ...(isTraining ? rewardsOf(runs) : modelOf(runs)),
    ...(runs.length === theirs ? [] : [`${counted(runs.length, 'run')}, published ${theirs}`]),
    ...(unfinished === 0 ? [] : [`${unfinished} unfinished`]),
    ...(iterations === null ? [] : differing('iterations', 'iterations', String(iterations))),
    ...(isTraining && runs.every(isOwnTraining) ? argumentsOf(published) : []),
    ...differing('evaluation episodes', 'evaluation.episodes', String(evaluationEpisodes)),
    ...(threshold === undefined ? [] : differing('threshold', thresholdKey, String(threshold))),
    ...(isTraining || configured(runs, 'settings').every((value) => value === 'published')
      ? []
      : ['fair settings (use settings=published for those of the reference)']),
  ];
}

/** Of the published trainings, as `config.yaml` has them. */
const defaultArguments = { n_envs: '1', normalize: 'false', policy: 'MlpPolicy', hyperparameters: '{}' } as const;

/** Whether the configuration of a run has the budget and the arguments of a training; imported ones have what was logged. */
const isOwnTraining = ({ settings }: ReportRun): boolean => settings.has('sb3.training_episodes');

/** null where no model calls were counted */
function iterationsOf({ method }: PublishedResult): number | null {
  const stages = methodOf(method)?.stages;
  return stages ? publishedSettings.calls / stages.filter((stage) => stage !== 'evaluate').length : null;
}

function modelOf(runs: readonly ReportRun[]): string[] {
  const { summary } = runs[0]!;
  const { model } = publishedSettings;
  if (summary.model_kind === 'offline') return ['a numeric optimiser, no language model'];
  return summary.model.includes(model) ? [] : [`model ${summary.model}, published ${model}`];
}

/** The kind of rewards of trainings, if they are not evaluations as in the reference. */
function rewardsOf(runs: readonly ReportRun[]): string[] {
  const kinds = runs.map(({ manifest }) => manifest.imported?.training);
  return [...new Set(kinds.flatMap((kind) => (kind && !kind.evaluated ? [kind.rewards] : [])))];
}

/** `251 ± 13` */
const meanText = (mean: number, std: number | null): string =>
  `${significant(mean, 5)}${std === null ? '' : ` ± ${significant(std, 3)}`}`;

/** A reward of ours, the published one and the p between the two. */
function rewardColumns(kind: PublishedKind): ColumnOf<PublishedComparison>[] {
  return [
    right(
      kind === 'best' ? 'highest of the search' : `${kind} reward`,
      ({ [kind]: reward }) => reward && meanText(reward.ours.mean, reward.ours.std),
    ),
    right('published', ({ [kind]: reward }) =>
      reward?.published ? meanText(reward.published.mean, reward.published.std) : null,
    ),
    right('p', ({ [kind]: reward }) => (reward?.p == null ? null : pText(reward.p))),
  ];
}

const trainingColumn = (kind: 'mean' | 'best'): ColumnOf<PublishedComparison> =>
  right(
    'best SB3',
    ({ bestTraining: result }) => result && `${result.method} ${meanText(result[kind].mean, result[kind].std)}`,
  );

function differencesText({ differences, promptDifferences }: PublishedComparison): string {
  const all = [...differences, ...(promptDifferences.length === 0 ? [] : ['the prompts (see the note)'])];
  return all.join('; ') || 'nothing known';
}

/** Groups without any published result for their environment are left out. */
export function publishedTable(comparisons: readonly PublishedComparison[]): Table {
  const shown = comparisons.filter(({ published, bestTraining }) => published !== null || bestTraining !== null);
  const hasFinal = shown.some(({ final }) => final?.published);
  return tableOf(shown, {
    title: 'Comparison with the published results',
    note:
      "Means ± sample standard deviations over runs; p of Welch's test between the two, not adjusted for the number of " +
      'lines. Published numbers are rounded to two digits (arXiv 2605.08315). Best SB3: the Stable-Baselines3 algorithm ' +
      `with the highest published mean; ${trainedFor()}. Re-checked: our best policies on fresh episodes. Ceiling: the ` +
      `highest mean return of a policy of these settings. ${ceilingSource}${promptNote(shown)}`,
    columns: [
      left('env', ({ env }) => env),
      left('method', ({ method }) => method),
      left('model', ({ model }) => model),
      right('re-checked', ({ rechecked }) => rechecked && meanText(rechecked.mean, rechecked.std)),
      right('ceiling', ({ ceiling }) => ceiling && `${significant(ceiling.mean, 5)} (${ceilingKind(ceiling)})`),
      ...rewardColumns('best'),
      trainingColumn('best'),
      ...rewardColumns('mean'),
      trainingColumn('mean'),
      ...(hasFinal ? rewardColumns('final') : []),
      left('differences', differencesText),
    ],
  });
}

/** ` Prompts of ours differ: in all methods ...; in r2po ...`; empty where there are none */
function promptNote(shown: readonly PublishedComparison[]): string {
  const prompted = shown.filter(({ promptDifferences }) => promptDifferences.length > 0);
  const methods = [...new Set(prompted.map(({ method }) => method))];
  if (methods.length === 0) return '';
  const everywhere = promptDifferences('');
  const own = methods.flatMap((method) => {
    const rest = promptDifferences(method).filter((text) => !everywhere.includes(text));
    return rest.length === 0 ? [] : [`in ${method}: ${rest.join('; ')}`];
  });
  return ` Prompts of ours, not those of the reference: ${[everywhere.join('; '), ...own].join('. And ')}.`;
}

/** `it trained for 190 episodes (MountainCar-v0: 380) and played 20 evaluation episodes after each of them` */
function trainedFor(): string {
  const { iterations: standard } = publishedTrainings[0]!;
  const others = publishedTrainings.filter(({ iterations }) => iterations !== standard);
  const beside = others.map(({ env, iterations }) => `${env}: ${iterations}`).join(', ');
  const { evaluationEpisodes } = publishedSettings;
  return (
    `it trained for ${standard} episodes${beside === '' ? '' : ` (${beside})`} and played ${evaluationEpisodes} evaluation ` +
    'episodes after each of them, which used up nearly all of its budget'
  );
}
