/** How the numbers of a report are computed, in words. `docs/report.md` has the same list. */
import type { CurveAxis, CurveValue } from '../curves/average-curves.ts';
import type { RewardKind } from '../groups.ts';

/** A section of a documentation page. */
export interface Documented {
  readonly page: string;
  readonly section: string;
}

const reportSection = (section: string): Documented => ({ page: 'docs/report.md', section });

export const sections = {
  rewards: reportSection('Rewards'),
  comparison: reportSection('Comparison of methods'),
  anytime: reportSection('Equal budgets'),
  curves: reportSection('Curves'),
  published: reportSection('The published results'),
  summary: { page: 'docs/run-folders.md', section: 'summary.json' },
} as const satisfies Readonly<Record<string, Documented>>;

/** The reward of one run. */
export const rewardFormulas: Readonly<Record<RewardKind, string>> = {
  rechecked: 'of each run, the mean return of its best policy on fresh episodes, which the search did not use',
  holdout:
    'of each run, the mean return of its best policy on the held-out seeds, which are the same for all runs and which no search plays',
  best: 'of each run, the highest mean return of a kept policy, as measured in the search; the highest of many noisy means is too high',
  mean: 'of each run, the mean over its iterations of the mean return of the kept policy, as measured in the search',
  final: 'of each finished run, the mean return of the policy that its last iteration kept, as measured in the search',
};

/** Where `summary.json` has the reward of a run. */
export const rewardFields: Readonly<Record<RewardKind, string>> = {
  rechecked: 'best.rechecked.mean',
  holdout: 'best.holdout.mean',
  best: 'best_reward',
  mean: 'mean_reward',
  final: 'final_reward',
};

/** Statistics over runs, by their name in the document. */
export const spreadFormulas: Readonly<Record<string, string>> = {
  runs: 'the number of runs that have this reward',
  mean: 'the mean over runs',
  std: 'the sample standard deviation over runs (n - 1)',
  ci95: 'the 95 % interval of the mean over runs: mean ± t(0.975, n - 1) * std / sqrt(n); none where runs do not vary',
  min: 'the lowest run',
  max: 'the highest run',
};

const bootstrapInterval = 'the 2.5 % and 97.5 % points of 2000 stratified bootstrap resamples of the runs (fixed seed)';

export const interquartileFormulas: Readonly<Record<string, string>> = {
  value: 'the interquartile mean: floor(n / 4) runs are left out at each end, and the others are averaged',
  ci95: `the 95 % interval of the interquartile mean: ${bootstrapInterval}`,
};

/** Numbers of a comparison; `method` is compared with `other`. */
export const comparisonFormulas: Readonly<Record<string, string>> = {
  runs: 'the numbers of runs of the method and of the other',
  difference: 'the mean over runs of the method minus the mean over runs of the other',
  stderr: "the standard error of the difference: sqrt(var / n + var' / n')",
  ci95: 'the 95 % interval of the difference: ± t(0.975, df) * stderr, df after Welch and Satterthwaite; none where runs do not vary',
  welchP: "the two-sided p of Welch's t test",
  holmP: "the p of Welch's test, adjusted by Holm within its family",
  mannWhitneyP: 'the two-sided p of the Mann-Whitney test',
  'g.value': "Hedges' g: the difference over the pooled standard deviation, with the correction for small samples",
  'g.ci95':
    'the 95 % interval of the standardised difference: the noncentralities for which the observed t is the 97.5 % and the 2.5 % point',
  'improvement.value': 'the probability that a run of the method beats one of the other; a tie counts half',
  'improvement.ci95': `the 95 % interval of that probability: ${bootstrapInterval}`,
  'paired.seeds': 'the number of seeds that one run of each has',
  'paired.difference': 'the mean over common seeds of the method minus the other',
  'paired.ci95': 'the 95 % interval of the paired difference (Student t)',
  'paired.p': 'the two-sided p of the paired t test on common seeds',
};

export const curveFormulas: Readonly<Record<string, string>> = {
  x: 'a point of the axis, within the range that all runs share',
  mean: 'the mean over runs of their value at this point, which is that of the last iteration before it',
  low: 'the lower end of the 95 % interval of that mean: mean - t(0.975, n - 1) * std / sqrt(n)',
  high: 'the upper end of the 95 % interval of that mean: mean + t(0.975, n - 1) * std / sqrt(n)',
  min: 'the lowest run at this point',
  max: 'the highest run at this point',
  runs: 'the number of runs',
};

/** Numbers at equal budgets, by their names within a panel or a step. */
export const anytimeFormulas: Readonly<Record<string, string>> = {
  budget: 'the equal budget: the least that a run of this environment used, or what --at asks for',
  budgets: 'an eighth, a quarter and a half of the equal budget, and the equal budget',
  'targets.low': 'the lowest first value of a run, above which the targets begin',
  'targets.high':
    'the highest target: the ceiling of the environment where it is known for these settings, else the best run, re-checked if it was',
  'targets.count': 'the number of targets, evenly spaced: target i is low + (high - low) i / count',
  x: 'a point of the budget, evenly spaced on a logarithmic axis, within the range that all runs share',
  mean: 'the mean over runs of the highest kept mean return of the search so far',
  low: 'the lower end of the 95 % interval of that mean: mean - t(0.975, n - 1) * std / sqrt(n)',
  high: 'the upper end of the 95 % interval of that mean: mean + t(0.975, n - 1) * std / sqrt(n)',
  min: 'the lowest run at this budget',
  max: 'the highest run at this budget',
  runs: 'the number of runs',
  share: 'the share of the pairs of run and target whose target the best value so far of the run has reached',
};

/** Columns of `metrics.csv` of the axes and of the values. */
export const axisColumns: Readonly<Record<CurveAxis, string>> = {
  episodes: 'episodes',
  iterations: 'iteration',
  calls: 'llm_calls',
  tokens: 'prompt_tokens + completion_tokens',
};
export const valueColumns: Readonly<Record<CurveValue, string>> = { kept: 'mean', best: 'best' };
