import { envWithOptions, stepLimitRule } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const sticks = 10;

/** Each step takes two sticks at least. */
const mostMoves = sticks / 2;

const rules = {
  max_episode_steps: stepLimitRule(null, 1, mostMoves),
};

export const nim = envWithOptions('Nim-v0', rules, ({ max_episode_steps: limit }) => {
  return {
    folder: 'nim',
    groundTruth: 'the custom environment Nim-v0 of the R2PO reference (commit 9449c38)',
    state: [{ name: 'sticks', meaning: 'sticks that are left', unit: 'sticks', low: 0, high: sticks }],
    observation: { kind: 'discrete', n: sticks + 1, meaning: 'how many sticks are left' },
    action: {
      kind: 'discrete',
      meanings: ['take no stick', 'take one stick', 'take two sticks', 'take three sticks'],
      againstRules: [0],
    },
    constants,
    derive,
    exact: [],
    stepDraws: 1,
    timeLimit: limit,
    success: { threshold: 1, source: 'the game was won' },
    returnRange: [-1, 1],
    parity: { singleStep: 0, reason: 'all numbers are small and whole: nothing is rounded' },
    picture,
    stepCost: { cpu: 71, wasm: 20, compile: 100, steps: mostMoves },
    dynamics,
  };
});
