/**
 * What was published beside the methods (arXiv 2605.08315): the best of the Stable-Baselines3 algorithms on each
 * environment, and R2PO under other thresholds of its critic. Source: core_mean_reward.png, core_mean_best_reward.png and
 * tau_c_sensitivity_table.tex in `paper_results/` of github.com/HWUDLabAIRoboticsResearch/R2PO.
 */
import type { PublishedResult } from './published.ts';

export interface PublishedTraining extends PublishedResult {
  /** training episodes of a run, after each of which the policy was evaluated; its mean, best and final are of these means */
  readonly iterations: number;
}

/** The algorithm with the highest published mean, which on every environment is also that with the highest best reward. */
export const publishedTrainings: readonly PublishedTraining[] = [
  {
    env: 'Nim-v0',
    method: 'sb3/a2c',
    iterations: 190,
    mean: { mean: 0.01, std: 0.32 },
    best: { mean: 0.88, std: 0.27 },
  },
  {
    env: 'Pong-v0',
    method: 'sb3/ppo',
    iterations: 190,
    mean: { mean: 1.02, std: 0.74 },
    best: { mean: 2.33, std: 0.78 },
  },
  {
    env: 'Swimmer-v5',
    method: 'sb3/trpo',
    iterations: 190,
    mean: { mean: 44.6, std: 7.3 },
    best: { mean: 67.89, std: 20.92 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'sb3/sac',
    iterations: 190,
    mean: { mean: 82.33, std: 2.57 },
    best: { mean: 94.81, std: 0.42 },
  },
  {
    env: 'MountainCar-v0',
    method: 'sb3/dqn',
    iterations: 380,
    mean: { mean: -199.99, std: 0.02 },
    best: { mean: -197.47, std: 3.66 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'sb3/trpo',
    iterations: 190,
    mean: { mean: 86.04, std: 0.33 },
    best: { mean: 98.25, std: 2.56 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'sb3/trpo',
    iterations: 190,
    mean: { mean: 24.35, std: 0.13 },
    best: { mean: 28.49, std: 0.71 },
  },
  {
    env: 'FrozenLake-v1',
    method: 'sb3/trpo',
    iterations: 190,
    mean: { mean: 0.02, std: 0.02 },
    best: { mean: 0.12, std: 0.12 },
  },
  {
    env: 'CartPole-v1',
    method: 'sb3/trpo',
    iterations: 190,
    mean: { mean: 216.92, std: 63.34 },
    best: { mean: 490.76, std: 29.22 },
  },
  {
    env: 'maze-sample-3x3-v0',
    method: 'sb3/a2c',
    iterations: 190,
    mean: { mean: 0.83, std: 0.13 },
    best: { mean: 0.97, std: 0 },
  },
];

export const publishedThresholds: readonly (PublishedResult &
  Required<Pick<PublishedResult, 'threshold' | 'final'>>)[] = [
  {
    env: 'CartPole-v1',
    method: 'tau-c',
    threshold: 480,
    mean: { mean: 474.67, std: 16.9 },
    best: { mean: 500, std: 0 },
    final: { mean: 497.96, std: 4.33 },
  },
  {
    env: 'CartPole-v1',
    method: 'tau-c',
    threshold: 240,
    mean: { mean: 446.05, std: 49.68 },
    best: { mean: 489.84, std: 24.18 },
    final: { mean: 474.11, std: 49.19 },
  },
  {
    env: 'CartPole-v1',
    method: 'tau-c',
    threshold: null,
    mean: { mean: 438.36, std: 63.9 },
    best: { mean: 492.49, std: 23.76 },
    final: { mean: 474.19, std: 81.6 },
  },
  {
    env: 'Pong-v0',
    method: 'tau-c',
    threshold: 2.8,
    mean: { mean: 2.51, std: 0.21 },
    best: { mean: 3, std: 0 },
    final: { mean: 2.79, std: 0.66 },
  },
  {
    env: 'Pong-v0',
    method: 'tau-c',
    threshold: 1.4,
    mean: { mean: 2.51, std: 0.48 },
    best: { mean: 2.92, std: 0.24 },
    final: { mean: 2.8, std: 0.63 },
  },
  {
    env: 'Pong-v0',
    method: 'tau-c',
    threshold: null,
    mean: { mean: 2.4, std: 0.59 },
    best: { mean: 2.94, std: 0.21 },
    final: { mean: 2.86, std: 0.44 },
  },
];

/** Where a published number is not what it looks like beside the others. */
export interface PublishedWarning {
  readonly envs: readonly string[];
  readonly methods: readonly string[];
  /** of those, the results under these thresholds alone */
  readonly thresholds?: readonly number[];
  readonly text: string;
}

const ablations = ['pure-search', 'actor-second-pass', 'critic-only', 'always-critic', 'reptraj', 'three-traj'];

/** Found in the code and the configurations of the reference (commit 215329b) and in its tables. */
export const publishedWarnings: readonly PublishedWarning[] = [
  {
    envs: ['Swimmer-v5', 'MountainCarContinuous-v0'],
    methods: ablations,
    text: 'published with actions that were not clipped to the box, which cost more reward; R2PO, ProPS and ProPS+ clip them',
  },
  {
    envs: ['maze-sample-3x3-v0'],
    methods: ['props', 'pure-search', 'actor-second-pass', 'critic-only', 'always-critic', 'reptraj'],
    text: 'published with 100 steps, where a policy that never arrives returns -1.11',
  },
  {
    envs: ['maze-sample-3x3-v0'],
    methods: ['props-plus', 'three-traj', 'r2po'],
    text: 'published with 20 steps, where a policy that never arrives returns -0.22',
  },
  {
    envs: ['maze-sample-3x3-v0'],
    methods: ['sb3/a2c'],
    text: 'best SB3 published with 200 steps, where a policy that never arrives returns -2.22',
  },
  {
    envs: ['FrozenLake-v1'],
    methods: ['sb3/trpo'],
    text: 'the deviation of the best SB3 reward is 0.12 in the table and 0.02 on the project page; the published t fits 0.12',
  },
  {
    envs: ['Swimmer-v5', 'Pong-v0'],
    methods: ['sb3/trpo', 'sb3/ppo'],
    text: "the paper's curve of the best SB3 does not agree with its table",
  },
  {
    envs: ['CartPole-v1', 'Pong-v0'],
    methods: ['tau-c'],
    thresholds: [480, 2.8],
    text: 'published: the main runs of R2PO, whose critic is told the threshold in other words than under the halved one',
  },
];

export function warningsOf({ env, method, threshold }: PublishedResult): string[] {
  return publishedWarnings
    .filter(({ envs, methods }) => envs.includes(env) && methods.includes(method))
    .filter(({ thresholds }) => thresholds === undefined || thresholds.some((one) => one === threshold))
    .map(({ text }) => text);
}
