import { plainNumber, significant } from '../../base/plain-number.ts';
import type { Notes } from '../notes.ts';

/** The way that counts, in the description. */
function forwardText(weight: number, stepTime: number): string {
  const way = `the way along x in this step divided by ${significant(stepTime, 5)} s`;
  return weight === 1
    ? `${way}, that is the mean velocity along x in m/s`
    : `${plainNumber(weight)} times the mean velocity along x in m/s (${way})`;
}

export const notes: Notes = ({ params: { forwardReward, stepTime } }) => ({
  forward: forwardText(forwardReward!, stepTime!),
});
