import { counted } from '../../base/plain-number.ts';
import type { Notes } from '../notes.ts';

export const notes: Notes = ({ timeLimit }) => ({
  end: `which takes a few moves${timeLimit === null ? '.' : `, or truncated after ${counted(timeLimit, 'step')}.`}`,
});
