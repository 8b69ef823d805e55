import { plainNumber, significant } from '../../base/plain-number.ts';
import type { Notes } from '../notes.ts';
import { readMap } from './maps.ts';

const share = (chance: number): string => (chance === 1 / 3 ? '1/3' : significant(chance, 5));
const slipperyIce = (rate: number): string =>
  `The ice is slippery: a move goes where it should with a chance of ${share(rate)}, and with ${rate === 1 / 3 ? '1/3' : share((1 - rate) / 2)} each to one of the two sides of that ` +
  'direction (a move to the right may go up or down, never to the left).';
const slipperyGround = (rate: number): string =>
  `${slipperyIce(rate)} So the safest action in a cell is often the one that points away from a hole.`;
const firmGround = 'The ice is not slippery: a move always goes where it should.';

/** `cell 15`, `cells 3 and 15` */
function cellsOf(cells: string, letter: string): string {
  const found = [...cells].flatMap((cell, i) => (cell === letter ? [i] : []));
  return `cell${found.length === 1 ? '' : 's'} ${found.join(' and ')}`;
}

function rewardNotes(goal: number, hole: number, frozen: number) {
  if (hole === 0 && frozen === 0) {
    const rule = `${plainNumber(goal)} for the step that reaches the goal, otherwise 0.`;
    const share = 'So the mean return is the share of episodes that reach it.';
    return { rule, reward: goal === 1 ? `${rule} ${share}` : rule };
  }
  const rule =
    `${plainNumber(goal)} for the step that reaches the goal, ${plainNumber(hole)} for the step into a hole, and ` +
    `${plainNumber(frozen)} for every other step.`;
  return { rule, reward: rule };
}

export const notes: Notes = ({ options, params: { slippery, successRate, goalReward, holeReward, frozenReward } }) => {
  const map = readMap(options.map);
  return {
    map: map.join('\n'),
    ground: slippery === 1 ? slipperyGround(successRate!) : firmGround,
    ice: slippery === 1 ? slipperyIce(successRate!) : firmGround,
    goals: cellsOf(map.join(''), 'G'),
    ...rewardNotes(goalReward!, holeReward!, frozenReward!),
  };
};
