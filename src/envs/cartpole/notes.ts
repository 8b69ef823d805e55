import { plainNumber } from '../../base/plain-number.ts';
import type { Notes } from '../notes.ts';

/** The paragraph of the description on the reward. */
const stepReward = (limit: number | null, threshold: number): string =>
  '1 for every step, the last one included. So the return of an episode is its number of steps, at most\n' +
  `${limit}. A mean return of ${plainNumber(threshold)} or more counts as solved.`;
const failureRule = '0 for every step, and -1 for the step that terminates the episode.';
const failureReward =
  `${failureRule} So the return of an episode is 0 when the pole stands\n` +
  'until the step limit, and -1 otherwise. A return of 0 counts as success.';

export const notes: Notes = ({ params, timeLimit, success }) =>
  params.fallReward === params.stepReward
    ? { reward: stepReward(timeLimit, success.threshold), rule: '1 for every step.' }
    : { reward: failureReward, rule: failureRule };
