import type { Notes } from '../notes.ts';

const slipperyGround =
  'The ground is slippery: a move goes where it should with a chance of 1/3, and with 1/3 each to one of the two sides of that ' +
  'direction.';
const firmGround = 'A move always goes where it should.';

const limitText = (limit: number | null): string =>
  limit === null
    ? 'There is no limit of its own on the number of steps.'
    : `Otherwise it is truncated after ${limit} steps.`;

export const notes: Notes = ({ params: { rows, columns, slippery }, timeLimit }) => ({
  map: [...Array.from({ length: rows! - 1 }, () => 'O'.repeat(columns!)), `S${'C'.repeat(columns! - 2)}G`].join('\n'),
  ground: slippery === 1 ? slipperyGround : firmGround,
  end: limitText(timeLimit),
});
