import { constantValues } from '../env.ts';
import { envWithOptions, stepLimitRule } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const ball = [
  { name: 'ball_x', meaning: 'left edge of the ball, from the left side of the field', unit: 'px', low: -5, high: 795 },
  {
    name: 'ball_y',
    meaning: 'upper edge of the ball, from the top of the field downwards',
    unit: 'px',
    low: -5,
    high: 605,
  },
  { name: 'ball_dx', meaning: 'ball velocity, positive to the right', unit: 'px/step', low: -5, high: 5 },
  { name: 'ball_dy', meaning: 'ball velocity, positive downwards', unit: 'px/step', low: -5, high: 5 },
] as const;

const registeredLimit = 1000;
const { leftFace, rightFace, roundTrip, startBallX } = derive(constantValues(constants));
/** steps from a serve to the first hit of the own paddle */
const serveToLeft = (startBallX - leftFace) / constants.ballSpeed.value;
const serveToRight = (rightFace - startBallX) / constants.ballSpeed.value + roundTrip / 2;

/** The most hits of the own paddle within `limit` steps, the first of them in step `first`. */
const hitsWithin = (limit: number, first: number): number =>
  limit < first ? 0 : 1 + Math.floor((limit - first) / roundTrip);

const rules = {
  // Fewer steps give no hit after a serve to the other side.
  max_episode_steps: stepLimitRule(registeredLimit, serveToRight),
};

export const pong = envWithOptions('Pong-v0', rules, ({ max_episode_steps: limit }) => {
  return {
    folder: 'pong',
    groundTruth: 'the custom environment Pong-v0 of the R2PO reference (commit 9449c38)',
    state: [
      { name: 'paddle1_y', meaning: 'upper edge of the own (left) paddle', unit: 'px', low: 0, high: 520 },
      { name: 'paddle2_y', meaning: "upper edge of the opponent's (right) paddle", unit: 'px', low: 0, high: 520 },
      ...ball,
      { name: 'step_count', meaning: 'steps since the start', unit: 'steps', low: 0, high: limit },
    ],
    observation: {
      kind: 'vector',
      rows: [
        {
          name: 'paddle_y',
          meaning: 'middle of the own (left) paddle, from the top of the field downwards',
          unit: 'px',
          low: 40,
          high: 560,
        },
        ...ball,
      ],
    },
    action: {
      kind: 'discrete',
      meanings: ['move the paddle up (smaller y)', 'move the paddle down (larger y)', 'keep the paddle where it is'],
    },
    constants,
    derive,
    exact: ['serveLow', 'serveHigh'],
    timeLimit: limit,
    success: {
      threshold: hitsWithin(limit, serveToRight),
      source: 'the most hits that fit into the time limit; the reference aims for it too',
    },
    returnRange: [0, hitsWithin(limit, serveToLeft)],
    parity: {
      singleStep: 1e-6,
      reason:
        'positions in px are rounded to f32 once per step, 6e-8 of the largest; ten times that, and all else is exact',
    },
    picture,
    stepCost: { cpu: 24, wasm: 3.1, compile: 190 },
    dynamics,
  };
});
