/**
 * Rewards published for R2PO and its ablations (arXiv 2605.08315), as data. Source: the tables and pictures in
 * `paper_results/` of github.com/HWUDLabAIRoboticsResearch/R2PO: core_mean_reward.png, core_mean_best_reward.png,
 * variants_mean_reward.png, variants_mean_best_reward.png; rounded there to two digits.
 */

export interface PublishedReward {
  /** over the runs */
  readonly mean: number;
  /** sample standard deviation (n - 1) */
  readonly std: number;
}

export interface PublishedResult {
  readonly env: string;
  readonly method: string;
  /** of a run's kept means their average, and the highest of them */
  readonly mean: PublishedReward;
  readonly best: PublishedReward;
  /** the last of them; published beside thresholds only */
  readonly final?: PublishedReward;
  /** tau_c of the critic, null for none; left out where the results do not depend on it or say nothing of it */
  readonly threshold?: number | null;
}

/** What all of them were made with. */
export const publishedSettings = {
  runs: 10,
  model: 'gpt-oss:20b',
  evaluationEpisodes: 20,
  /** model calls of a run */
  calls: 200,
} as const;

export const publishedResults: readonly PublishedResult[] = [
  { env: 'Nim-v0', method: 'r2po', mean: { mean: 0.61, std: 0.03 }, best: { mean: 1, std: 0 } },
  { env: 'Nim-v0', method: 'props', mean: { mean: -0.59, std: 0.21 }, best: { mean: 0.75, std: 0.3 } },
  { env: 'Nim-v0', method: 'props-plus', mean: { mean: -0.25, std: 0.07 }, best: { mean: 1, std: 0 } },
  { env: 'Nim-v0', method: 'pure-search', mean: { mean: -0.36, std: 0.22 }, best: { mean: 0.7, std: 0.29 } },
  { env: 'Nim-v0', method: 'actor-second-pass', mean: { mean: -0.4, std: 0.33 }, best: { mean: 0.45, std: 0.46 } },
  { env: 'Nim-v0', method: 'critic-only', mean: { mean: 0.16, std: 0.05 }, best: { mean: 1, std: 0 } },
  { env: 'Nim-v0', method: 'always-critic', mean: { mean: 0.07, std: 0.2 }, best: { mean: 1, std: 0 } },
  { env: 'Nim-v0', method: 'reptraj', mean: { mean: 0.52, std: 0.13 }, best: { mean: 1, std: 0 } },
  { env: 'Nim-v0', method: 'three-traj', mean: { mean: 0.63, std: 0.1 }, best: { mean: 1, std: 0 } },
  {
    env: 'Pong-v0',
    method: 'r2po',
    threshold: 2.8,
    mean: { mean: 2.51, std: 0.21 },
    best: { mean: 3, std: 0 },
    final: { mean: 2.79, std: 0.66 },
  },
  { env: 'Pong-v0', method: 'props', mean: { mean: 0.74, std: 0.63 }, best: { mean: 2.15, std: 0.95 } },
  { env: 'Pong-v0', method: 'props-plus', mean: { mean: 1.22, std: 0.58 }, best: { mean: 2.78, std: 0.41 } },
  { env: 'Pong-v0', method: 'pure-search', mean: { mean: 0.86, std: 0.49 }, best: { mean: 2.31, std: 0.62 } },
  { env: 'Pong-v0', method: 'actor-second-pass', mean: { mean: 1.03, std: 0.82 }, best: { mean: 2.18, std: 0.63 } },
  { env: 'Pong-v0', method: 'critic-only', mean: { mean: 2.06, std: 0.58 }, best: { mean: 3, std: 0 } },
  { env: 'Pong-v0', method: 'always-critic', mean: { mean: 1.86, std: 0.55 }, best: { mean: 2.83, std: 0.54 } },
  { env: 'Pong-v0', method: 'reptraj', mean: { mean: 2.2, std: 0.41 }, best: { mean: 3, std: 0.02 } },
  { env: 'Pong-v0', method: 'three-traj', mean: { mean: 1.83, std: 0.79 }, best: { mean: 2.74, std: 0.41 } },
  { env: 'Swimmer-v5', method: 'r2po', mean: { mean: 260.35, std: 36.05 }, best: { mean: 294.57, std: 43.79 } },
  { env: 'Swimmer-v5', method: 'props', mean: { mean: 89.22, std: 48.68 }, best: { mean: 208.52, std: 68.38 } },
  { env: 'Swimmer-v5', method: 'props-plus', mean: { mean: 162.05, std: 66.07 }, best: { mean: 274.86, std: 38.81 } },
  { env: 'Swimmer-v5', method: 'pure-search', mean: { mean: 131.48, std: 78.68 }, best: { mean: 219.56, std: 59.49 } },
  {
    env: 'Swimmer-v5',
    method: 'actor-second-pass',
    mean: { mean: 111.89, std: 96.37 },
    best: { mean: 175.38, std: 83.16 },
  },
  { env: 'Swimmer-v5', method: 'critic-only', mean: { mean: 55.19, std: 58.55 }, best: { mean: 210.37, std: 77.23 } },
  { env: 'Swimmer-v5', method: 'always-critic', mean: { mean: 111.45, std: 54.5 }, best: { mean: 264.22, std: 72.99 } },
  { env: 'Swimmer-v5', method: 'reptraj', mean: { mean: 170.04, std: 68.11 }, best: { mean: 257.8, std: 63.12 } },
  { env: 'Swimmer-v5', method: 'three-traj', mean: { mean: 109.56, std: 75.57 }, best: { mean: 178.71, std: 92.87 } },
  {
    env: 'MountainCarContinuous-v0',
    method: 'r2po',
    mean: { mean: 81.61, std: 5.18 },
    best: { mean: 98.75, std: 0.44 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'props',
    mean: { mean: -23.45, std: 41.65 },
    best: { mean: 75.37, std: 30.57 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'props-plus',
    mean: { mean: 17.9, std: 37.48 },
    best: { mean: 98.7, std: 0.5 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'pure-search',
    mean: { mean: -21.59, std: 73.21 },
    best: { mean: 95.31, std: 7.96 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'actor-second-pass',
    mean: { mean: -124.66, std: 218.47 },
    best: { mean: 75.4, std: 40.01 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'critic-only',
    mean: { mean: -85.08, std: 150.64 },
    best: { mean: 83.52, std: 29.86 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'always-critic',
    mean: { mean: -130.71, std: 179.28 },
    best: { mean: 70.55, std: 42.99 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'reptraj',
    mean: { mean: -93.85, std: 138.5 },
    best: { mean: 46.7, std: 49.24 },
  },
  {
    env: 'MountainCarContinuous-v0',
    method: 'three-traj',
    mean: { mean: -29.88, std: 54.38 },
    best: { mean: 68.9, std: 47.57 },
  },
  { env: 'MountainCar-v0', method: 'r2po', mean: { mean: -147.84, std: 7.11 }, best: { mean: -111.04, std: 3.92 } },
  { env: 'MountainCar-v0', method: 'props', mean: { mean: -199.31, std: 2.18 }, best: { mean: -191.84, std: 25.8 } },
  {
    env: 'MountainCar-v0',
    method: 'props-plus',
    mean: { mean: -195.81, std: 3.73 },
    best: { mean: -150.21, std: 26.62 },
  },
  {
    env: 'MountainCar-v0',
    method: 'pure-search',
    mean: { mean: -186.38, std: 20.21 },
    best: { mean: -170.22, std: 41.59 },
  },
  {
    env: 'MountainCar-v0',
    method: 'actor-second-pass',
    mean: { mean: -195.73, std: 13.5 },
    best: { mean: -191.71, std: 26.22 },
  },
  {
    env: 'MountainCar-v0',
    method: 'critic-only',
    mean: { mean: -187.29, std: 7.87 },
    best: { mean: -114.68, std: 4.04 },
  },
  {
    env: 'MountainCar-v0',
    method: 'always-critic',
    mean: { mean: -188.07, std: 9.73 },
    best: { mean: -117.16, std: 7.37 },
  },
  {
    env: 'MountainCar-v0',
    method: 'reptraj',
    mean: { mean: -169.98, std: 20.36 },
    best: { mean: -128.69, std: 32.99 },
  },
  {
    env: 'MountainCar-v0',
    method: 'three-traj',
    mean: { mean: -162.48, std: 19.64 },
    best: { mean: -118.6, std: 16.68 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'r2po',
    mean: { mean: 158.51, std: 68.41 },
    best: { mean: 254.04, std: 232.39 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'props',
    mean: { mean: 79.44, std: 16.5 },
    best: { mean: 112.18, std: 20.94 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'props-plus',
    mean: { mean: 86.71, std: 17.7 },
    best: { mean: 128.81, std: 54.51 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'pure-search',
    mean: { mean: 86.9, std: 25.54 },
    best: { mean: 121.84, std: 39.64 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'actor-second-pass',
    mean: { mean: 88.17, std: 8.98 },
    best: { mean: 112.29, std: 16.56 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'critic-only',
    mean: { mean: 128.87, std: 32.72 },
    best: { mean: 232.67, std: 106.26 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'always-critic',
    mean: { mean: 99.11, std: 21.14 },
    best: { mean: 207.42, std: 86.19 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'reptraj',
    mean: { mean: 132.96, std: 47.18 },
    best: { mean: 211.3, std: 91.05 },
  },
  {
    env: 'InvertedDoublePendulum-v5',
    method: 'three-traj',
    mean: { mean: 100.07, std: 24.9 },
    best: { mean: 124.09, std: 38.11 },
  },
  { env: 'InvertedPendulum-v5', method: 'r2po', mean: { mean: 756.08, std: 154.5 }, best: { mean: 1000, std: 0 } },
  {
    env: 'InvertedPendulum-v5',
    method: 'props',
    mean: { mean: 234.14, std: 169.76 },
    best: { mean: 649.91, std: 432.17 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'props-plus',
    mean: { mean: 309.52, std: 247.92 },
    best: { mean: 657.88, std: 444.42 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'pure-search',
    mean: { mean: 466.08, std: 357.96 },
    best: { mean: 720.46, std: 451.28 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'actor-second-pass',
    mean: { mean: 480.08, std: 324.97 },
    best: { mean: 810.05, std: 400.62 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'critic-only',
    mean: { mean: 126.63, std: 123.89 },
    best: { mean: 365.45, std: 380.21 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'always-critic',
    mean: { mean: 141.41, std: 228.65 },
    best: { mean: 287.69, std: 273.42 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'reptraj',
    mean: { mean: 380.19, std: 213.27 },
    best: { mean: 815.09, std: 298.26 },
  },
  {
    env: 'InvertedPendulum-v5',
    method: 'three-traj',
    mean: { mean: 194.25, std: 235.22 },
    best: { mean: 357.2, std: 445.93 },
  },
  { env: 'FrozenLake-v1', method: 'r2po', mean: { mean: 0.62, std: 0.07 }, best: { mean: 0.93, std: 0.05 } },
  { env: 'FrozenLake-v1', method: 'props', mean: { mean: 0.05, std: 0.05 }, best: { mean: 0.24, std: 0.14 } },
  { env: 'FrozenLake-v1', method: 'props-plus', mean: { mean: 0.37, std: 0.06 }, best: { mean: 0.9, std: 0.04 } },
  { env: 'FrozenLake-v1', method: 'pure-search', mean: { mean: 0.08, std: 0.06 }, best: { mean: 0.29, std: 0.17 } },
  {
    env: 'FrozenLake-v1',
    method: 'actor-second-pass',
    mean: { mean: 0.07, std: 0.04 },
    best: { mean: 0.24, std: 0.08 },
  },
  { env: 'FrozenLake-v1', method: 'critic-only', mean: { mean: 0.31, std: 0.1 }, best: { mean: 0.9, std: 0.04 } },
  { env: 'FrozenLake-v1', method: 'always-critic', mean: { mean: 0.31, std: 0.08 }, best: { mean: 0.88, std: 0.06 } },
  { env: 'FrozenLake-v1', method: 'reptraj', mean: { mean: 0.47, std: 0.2 }, best: { mean: 0.91, std: 0.03 } },
  { env: 'FrozenLake-v1', method: 'three-traj', mean: { mean: 0.63, std: 0.06 }, best: { mean: 0.91, std: 0.04 } },
  {
    env: 'CartPole-v1',
    method: 'r2po',
    threshold: 480,
    mean: { mean: 474.67, std: 16.9 },
    best: { mean: 500, std: 0 },
    final: { mean: 497.96, std: 4.33 },
  },
  { env: 'CartPole-v1', method: 'props', mean: { mean: 258.09, std: 138.58 }, best: { mean: 427.74, std: 143.04 } },
  {
    env: 'CartPole-v1',
    method: 'props-plus',
    mean: { mean: 253.06, std: 133.35 },
    best: { mean: 396.21, std: 155.21 },
  },
  {
    env: 'CartPole-v1',
    method: 'pure-search',
    mean: { mean: 337.72, std: 156.62 },
    best: { mean: 440.09, std: 129.94 },
  },
  {
    env: 'CartPole-v1',
    method: 'actor-second-pass',
    mean: { mean: 305.04, std: 123.88 },
    best: { mean: 461.59, std: 99.44 },
  },
  { env: 'CartPole-v1', method: 'critic-only', mean: { mean: 418.23, std: 45.36 }, best: { mean: 498.62, std: 3.45 } },
  {
    env: 'CartPole-v1',
    method: 'always-critic',
    mean: { mean: 377.65, std: 85.88 },
    best: { mean: 498.54, std: 4.62 },
  },
  { env: 'CartPole-v1', method: 'reptraj', mean: { mean: 416.15, std: 88.71 }, best: { mean: 487.74, std: 38.79 } },
  { env: 'CartPole-v1', method: 'three-traj', mean: { mean: 432.08, std: 59.56 }, best: { mean: 500, std: 0 } },
  { env: 'maze-sample-3x3-v0', method: 'r2po', mean: { mean: 0.83, std: 0.06 }, best: { mean: 0.97, std: 0 } },
  { env: 'maze-sample-3x3-v0', method: 'props', mean: { mean: -1.03, std: 0.18 }, best: { mean: -0.7, std: 0.88 } },
  { env: 'maze-sample-3x3-v0', method: 'props-plus', mean: { mean: 0.76, std: 0.05 }, best: { mean: 0.97, std: 0 } },
  {
    env: 'maze-sample-3x3-v0',
    method: 'pure-search',
    mean: { mean: -1.1, std: 0.03 },
    best: { mean: -0.9, std: 0.66 },
  },
  {
    env: 'maze-sample-3x3-v0',
    method: 'actor-second-pass',
    mean: { mean: -1.01, std: 0.33 },
    best: { mean: -0.9, std: 0.66 },
  },
  { env: 'maze-sample-3x3-v0', method: 'critic-only', mean: { mean: 0.68, std: 0.1 }, best: { mean: 0.97, std: 0 } },
  { env: 'maze-sample-3x3-v0', method: 'always-critic', mean: { mean: 0.74, std: 0.07 }, best: { mean: 0.97, std: 0 } },
  { env: 'maze-sample-3x3-v0', method: 'reptraj', mean: { mean: 0.77, std: 0.06 }, best: { mean: 0.97, std: 0 } },
  { env: 'maze-sample-3x3-v0', method: 'three-traj', mean: { mean: 0.82, std: 0.12 }, best: { mean: 0.97, std: 0 } },
];
