import { plainNumber } from '../../base/plain-number.ts';
import type { Notes } from '../notes.ts';

/** Of both mountain cars. */
export const notes: Notes = ({ params: { goalSpeed } }) => ({
  speed: goalSpeed === 0 ? 'the velocity is not negative' : `the velocity is ${plainNumber(goalSpeed!)} or more`,
});
