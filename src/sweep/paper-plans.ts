/**
 * The runs behind the tables of the paper (arXiv 2605.08315) that this program can make. The SB3 columns come from
 * Stable-Baselines3; see `r2po import sb3`.
 */
import { findById } from '../base/errors.ts';
import { defaultGroupKeys } from '../report/groups.ts';
import { publishedSettings } from '../report/published/published.ts';

export interface PaperPlan {
  /** id on the command line */
  readonly id: string;
  /** one-line description */
  readonly title: string;
  /** shipped configurations */
  readonly configs: readonly string[];
  /** keys that distinguish the rows of its table */
  readonly by: readonly string[];
  /** kinds of `r2po analyze` that make its tables */
  readonly analyses: readonly string[];
}

const environments = [
  'nim',
  'pong',
  'swimmer',
  'mountaincar-continuous',
  'mountaincar',
  'inverted-double-pendulum',
  'inverted-pendulum',
  'frozenlake',
  'cartpole',
  'maze',
];
/** Environments in which tau_c was varied and the salience of the worst episode was counted. */
const thresholdEnvironments = ['cartpole', 'pong'];

function forEachEnvironment(folders: readonly string[], names: readonly string[]): string[] {
  return folders.flatMap((folder) => names.map((name) => `${folder}/${name}`));
}

export const paperPlans: readonly PaperPlan[] = [
  {
    id: 'core',
    title: 'R2PO, ProPS and ProPS+ in ten environments: mean and best reward, and their tests',
    configs: forEachEnvironment(environments, ['r2po', 'props', 'props-plus']),
    by: defaultGroupKeys,
    analyses: [],
  },
  {
    id: 'ablations',
    title: 'R2PO and six ablations in ten environments',
    configs: forEachEnvironment(environments, [
      'r2po',
      'pure-search',
      'actor-second-pass',
      'critic-only',
      'always-critic',
      'reptraj',
      'three-traj',
    ]),
    by: defaultGroupKeys,
    analyses: [],
  },
  {
    id: 'tau-c',
    title: 'the threshold from which the critic is told to be careful: as usual, half, none',
    configs: forEachEnvironment(thresholdEnvironments, ['r2po', 'tau-c-half', 'tau-c-none']),
    by: [...defaultGroupKeys, 'critic.conservative_threshold'],
    analyses: ['tau-c'],
  },
  {
    id: 'salience',
    title: 'whether the critic that sees the worst episode fails because it looks at it',
    configs: forEachEnvironment(thresholdEnvironments, ['three-traj']),
    by: defaultGroupKeys,
    analyses: ['salience'],
  },
];

/** Seeds per configuration, as published. */
export const publishedSeeds = `0..${publishedSettings.runs - 1}`;

/** Throws a usage error with the nearest known name. */
export function findPaperPlan(id: string): PaperPlan {
  return findById('reproduce', 'plan', id, paperPlans);
}
