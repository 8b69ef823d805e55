/** Whether the episodes of a training can come from the environment as it is here: its step limit and its rewards. */
import { counted, significant } from '../../base/plain-number.ts';
import type { Env } from '../../envs/env.ts';
import type { Flag } from './training.ts';

/** Smallest and largest return of an episode with this number of steps, with the default options, by environment. */
const returnsOfLength: Readonly<Record<string, (steps: number) => readonly [number, number]>> = {
  'CartPole-v1': (steps) => [steps, steps],
  'MountainCar-v0': (steps) => [-steps, -steps],
  // No reward for the last step where it ends the episode.
  'Acrobot-v1': (steps) => [-steps, 1 - steps],
  'InvertedPendulum-v5': (steps) => [steps - 1, steps],
  'InvertedDoublePendulum-v5': (steps) => [Number.NEGATIVE_INFINITY, 10 * steps],
  'MountainCarContinuous-v0': (steps) => [-0.1 * steps, 100],
  'Pendulum-v1': (steps) => [-16.3 * steps, 0],
  'CliffWalking-v1': (steps) => [-100 * steps, -steps],
};

/** SB3 rounds returns to six decimals. */
const rounding = 1e-5;

/** What the episodes of a training come to. */
export interface EpisodeFigures {
  readonly episodes: number;
  readonly steps: number;
  readonly mean_return: number;
  readonly max_return: number;
}

/** Counts the episodes, and those that the environment cannot have played. */
export class EpisodeChecks {
  private episodes = 0;
  private steps = 0;
  private sum = 0;
  private largest = Number.NEGATIVE_INFINITY;
  private tooLong = 0;
  private outside = 0;
  private otherwise = 0;
  private readonly env: Env;
  private readonly bounds: ((steps: number) => readonly [number, number]) | null;

  /** `changed`: the options of the environment are not the default ones */
  constructor(env: Env, changed: boolean) {
    this.env = env;
    this.bounds = changed ? null : (returnsOfLength[env.id] ?? null);
  }

  add({ return: value, length }: { readonly return: number; readonly length: number }): void {
    const { env, bounds } = this;
    const within = ([low, high]: readonly [number, number]) => value >= low - rounding && value <= high + rounding;
    this.episodes += 1;
    this.steps += length;
    this.sum += value;
    this.largest = Math.max(this.largest, value);
    if (env.timeLimit !== null && length > env.timeLimit) this.tooLong += 1;
    if (!within(env.returnRange)) this.outside += 1;
    if (bounds && !within(bounds(length))) this.otherwise += 1;
  }

  get figures(): EpisodeFigures {
    const { episodes, steps, sum, largest } = this;
    return { episodes, steps, mean_return: sum / episodes, max_return: largest };
  }

  get flags(): Flag[] {
    const { env, episodes } = this;
    const [low, high] = env.returnRange.map((end) => significant(end, 6));
    const share = (count: number) => `${count} of ${counted(episodes, 'episode')}`;
    return [
      ...(this.tooLong > 0
        ? [
            {
              kind: 'episodes longer than the step limit',
              detail: `${share(this.tooLong)} longer than the limit of ${env.timeLimit} steps`,
            },
          ]
        : []),
      ...(this.outside > 0
        ? [
            {
              kind: 'returns outside of the range',
              detail: `${share(this.outside)} with a return outside of ${low} ... ${high}`,
            },
          ]
        : []),
      ...(this.otherwise > 0
        ? [
            {
              kind: 'other rewards',
              detail: `${share(this.otherwise)} with a return that no episode of its length has: other rewards`,
            },
          ]
        : []),
    ];
  }
}
