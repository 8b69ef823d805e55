/**
 * Log layout of the Python reference (HWUDLabAIRoboticsResearch/R2PO, commit 9449c38): names of folders, files and
 * keys. `<experiment>/run_<n>/` holds `overall_log.txt`, `warmup/` and one `episode_<k>/` per iteration, from 0.
 */
import type { Env } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import type { CandidateLabel } from '../../methods/method.ts';

export const logName = 'overall_log.txt';
export const logHeader = 'Iteration, CPU Time, API Time, Total Episodes, Total Steps, Total Reward';
export const warmupFolder = 'warmup';
export const warmupFile = /^warmup_rollout_(\d{1,9})\.txt$/;
export const episodeFolder = /^episode_(\d{1,9})$/;
export const runFolder = /^run_(\d{1,9})$/;
export const parametersName = 'parameters.txt';
export const reasoningName = 'parameters_reasoning.txt';
/** Written by evaluation scripts into any folder; not part of the log. */
export const reportFolder = 'eval_report';

interface LoggedCandidate {
  readonly label: CandidateLabel;
  readonly rollouts: string;
  /** key of its mean in the outcome file */
  readonly reward: string;
  /** its name in the first lines of the reasoning file */
  readonly title: string;
}

export type LayoutId = 'two-call' | 'two-search' | 'critic-only' | 'single-call';

/** The layout of an iteration's folder. */
export interface Layout {
  readonly id: LayoutId;
  readonly outcome: string | null;
  readonly candidates: readonly LoggedCandidate[];
  /** value of `winner` in the outcome file */
  readonly winners: Readonly<Record<string, CandidateLabel>>;
}

/** In the order in which they are tried on an iteration's folder. */
export const layouts: readonly Layout[] = [
  {
    id: 'two-call',
    outcome: 'reflection_outcome.txt',
    candidates: [
      { label: 'proposal', rollouts: 'initial_proposal_rollout.txt', reward: 'initial_reward', title: 'Initial' },
      { label: 'revision', rollouts: 'revised_proposal_rollout.txt', reward: 'revised_reward', title: 'Revised' },
    ],
    winners: { original_won: 'proposal', revision_won: 'revision', revision_forced: 'revision' },
  },
  {
    id: 'two-search',
    outcome: 'selection_outcome.txt',
    candidates: [
      { label: 'proposal', rollouts: 'proposal_a_rollout.txt', reward: 'proposal_a_reward', title: 'Proposal A' },
      { label: 'revision', rollouts: 'proposal_b_rollout.txt', reward: 'proposal_b_reward', title: 'Proposal B' },
    ],
    winners: { proposal_a: 'proposal', proposal_b: 'revision' },
  },
  {
    id: 'critic-only',
    outcome: 'critic_only_outcome.txt',
    candidates: [{ label: 'proposal', rollouts: 'training_rollout.txt', reward: 'reward', title: '' }],
    winners: {},
  },
  {
    id: 'single-call',
    outcome: null,
    candidates: [{ label: 'proposal', rollouts: 'training_rollout.txt', reward: 'reward', title: '' }],
    winners: {},
  },
];

/** The log format of a method. */
export interface LoggedMethod {
  /** this program's id */
  readonly id: string;
  /** `<environment>_<folder>` is the experiment's folder */
  readonly folder: string;
  readonly layout: LayoutId;
  /** winner value of a kept revision */
  readonly keptRevision?: 'revision_forced';
  /** the policy in `parameters.txt`: some agents do not restore the kept one */
  readonly printed: 'kept' | 'latest';
  /** which mention of an index counted in a tabular reply */
  readonly tabular: 'first' | 'last';
  /** keys of the outcome's lines about the representative episode */
  readonly pick: 'median' | 'mean';
  /** the reasoning file starts with the returns of the worst, median and best episode */
  readonly threeEpisodes?: true;
  /** suffix of the default threshold's folder, for a method whose thresholds are separate experiments */
  readonly thresholdFolder?: string;
}

const twoCall = { layout: 'two-call', printed: 'latest', tabular: 'last', pick: 'mean' } as const;
const withMedian = { ...twoCall, printed: 'kept', pick: 'median' } as const;
const twoSearch = { layout: 'two-search', printed: 'kept', tabular: 'first', pick: 'mean' } as const;
const oneCall = { layout: 'single-call', printed: 'kept', tabular: 'last', pick: 'mean' } as const;

export const loggedMethods: readonly LoggedMethod[] = [
  { id: 'r2po', folder: 'reflective_prompted_policy_optimization', ...withMedian },
  { id: 'tau-c', folder: 'tau_c_sensitivity', ...withMedian, thresholdFolder: 'default' },
  { id: 'reptraj', folder: 'reflective', ...twoCall },
  { id: 'three-traj', folder: 'three_traj', ...twoCall, threeEpisodes: true },
  { id: 'always-critic', folder: 'always_critic', ...twoCall, keptRevision: 'revision_forced' },
  { id: 'critic-only', folder: 'critic_only', layout: 'critic-only', printed: 'kept', tabular: 'first', pick: 'mean' },
  { id: 'pure-search', folder: 'pure_search', ...twoSearch },
  { id: 'actor-second-pass', folder: 'actor_second_pass', ...twoSearch },
  { id: 'props', folder: 'props', ...oneCall },
  { id: 'props-plus', folder: 'propsp', ...oneCall },
];

/** Alternative names of experiment folders. */
const aliases: Readonly<Record<string, string>> = { reptraj: 'reptraj', r2po: 'r2po', tau_c: 'tau-c' };

/** `mountaincarcontinuous` */
export function envPrefix({ folder }: Pick<Env, 'folder'>): string {
  return folder.replaceAll('-', '');
}

/** `variant`: suffix of the folder, or empty */
export function experimentName(env: Pick<Env, 'folder'>, method: LoggedMethod, variant: string): string {
  return [envPrefix(env), method.folder, variant].filter((part) => part !== '').join('_');
}

/** Parses an experiment's folder name; null: not in the name. */
export function readExperimentName(name: string): {
  readonly env: Env | null;
  readonly method: LoggedMethod | null;
  readonly rest: string;
} {
  const [prefix, ...others] = name.toLowerCase().split('_');
  const rest = others.join('_');
  const known = [
    ...loggedMethods.map((method) => ({ folder: method.folder, id: method.id })),
    ...Object.entries(aliases).map(([folder, id]) => ({ folder, id })),
  ].sort((a, b) => b.folder.length - a.folder.length);
  const found = known.find(({ folder }) => rest === folder || rest.startsWith(`${folder}_`));
  return {
    env: envs.find((e) => envPrefix(e) === prefix) ?? null,
    method: loggedMethods.find(({ id }) => id === found?.id) ?? null,
    rest: found ? rest.slice(found.folder.length + 1) : rest,
  };
}

export function layoutOf(id: LayoutId): Layout {
  return layouts.find((layout) => layout.id === id) as Layout;
}
