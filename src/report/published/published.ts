/** Rewards published for R2PO, its ablations and Stable-Baselines3: `r2po-paper.json`, which names its sources. */
import { readFileSync } from 'node:fs';
import { R2poError } from '../../base/errors.ts';
import { besideCode } from '../../base/node/assets.ts';

export interface PublishedReward {
  /** over the runs */
  readonly mean: number;
  /** sample standard deviation (n - 1) */
  readonly std: number;
}

export interface PublishedResult {
  readonly env: string;
  readonly method: string;
  /** average and maximum of a run's kept means */
  readonly mean: PublishedReward;
  readonly best: PublishedReward;
  /** the last of them; published for thresholds only */
  readonly final?: PublishedReward;
  /** tau_c of the critic, null for none; undefined if the results do not depend on it or do not mention it */
  readonly threshold?: number | null;
}

export interface PublishedTraining extends PublishedResult {
  /** training episodes of a run, after each of which the policy was evaluated; its mean, best and final are of these means */
  readonly iterations: number;
}

/** Published numbers that are not comparable with the others, found in the reference (commit 215329b) and its tables. */
export interface PublishedWarning {
  readonly envs: readonly string[];
  readonly methods: readonly string[];
  /** only results for these thresholds */
  readonly thresholds?: readonly number[];
  readonly text: string;
}

interface PublishedNumbers {
  readonly settings: {
    readonly runs: number;
    readonly model: string;
    readonly evaluationEpisodes: number;
    /** model calls of a run */
    readonly calls: number;
  };
  readonly results: readonly PublishedResult[];
  /** the algorithm with the highest published mean, which on every environment also has the highest best reward */
  readonly trainings: readonly PublishedTraining[];
  /** R2PO under other thresholds of its critic */
  readonly thresholds: readonly (PublishedResult & Required<Pick<PublishedResult, 'threshold' | 'final'>>)[];
  readonly warnings: readonly PublishedWarning[];
}

function load(): PublishedNumbers {
  const path = besideCode('report/published/r2po-paper.json');
  const numbers = JSON.parse(readFileSync(path, 'utf8')) as PublishedNumbers;
  for (const { env, method, mean, best } of [...numbers.results, ...numbers.trainings, ...numbers.thresholds]) {
    if ([mean?.mean, mean?.std, best?.mean, best?.std].every(Number.isFinite)) continue;
    throw new R2poError('published', `expected mean and best reward of ${method} on ${env} in ${path}; reinstall r2po`);
  }
  return numbers;
}

export const {
  settings: publishedSettings,
  results: publishedResults,
  trainings: publishedTrainings,
  thresholds: publishedThresholds,
  warnings: publishedWarnings,
} = load();

export function warningsOf({ env, method, threshold }: PublishedResult): string[] {
  return publishedWarnings
    .filter(({ envs, methods }) => envs.includes(env) && methods.includes(method))
    .filter(({ thresholds }) => thresholds === undefined || thresholds.some((one) => one === threshold))
    .map(({ text }) => text);
}
