import { defineEnv } from '../env.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const source = 'Pong-v0 of HWUDLabAIRoboticsResearch/R2PO at commit 9449c38';

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

export const pong = defineEnv({
  id: 'Pong-v0',
  folder: 'pong',
  groundTruth: 'the custom environment Pong-v0 of the R2PO reference (commit 9449c38)',
  state: [
    { name: 'paddle1_y', meaning: 'upper edge of the own (left) paddle', unit: 'px', low: 0, high: 520 },
    { name: 'paddle2_y', meaning: "upper edge of the opponent's (right) paddle", unit: 'px', low: 0, high: 520 },
    ...ball,
    { name: 'step_count', meaning: 'steps since the start', unit: 'steps', low: 0, high: 1000 },
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
  constants: {
    fieldWidth: { value: 800, unit: 'px', source },
    fieldHeight: { value: 600, unit: 'px', source },
    paddleWidth: { value: 10, unit: 'px', source },
    paddleHeight: { value: 80, unit: 'px', source },
    paddleSpeed: { value: 5, unit: 'px per step', source },
    ballSize: { value: 10, unit: 'px', source },
    ballSpeed: { value: 5, unit: 'px per step', source },
    serveLow: { value: -5, unit: 'px per step', source },
    serveHigh: { value: 5, unit: 'px per step', source },
  },
  derive: (c) => ({
    paddleMiddle: c.paddleHeight / 2,
    paddleLowest: c.fieldHeight - c.paddleHeight,
    ballLowest: c.fieldHeight - c.ballSize,
    ballRightmost: c.fieldWidth - c.ballSize,
    leftFace: c.paddleWidth,
    rightFace: c.fieldWidth - c.paddleWidth - c.ballSize,
    startPaddleY: (c.fieldHeight - c.paddleHeight) / 2,
    startBallX: c.fieldWidth / 2,
    startBallY: c.fieldHeight / 2,
    /** fewest steps from one hit of the own paddle to the next */
    roundTrip: (2 * (c.fieldWidth - c.ballSize - 2 * c.paddleWidth)) / c.ballSpeed,
    // The GPU's factor: a ball that leaves a paddle gains this much vertical speed per px below the paddle's top.
    bounceSlope: (2 * c.ballSpeed) / c.paddleHeight,
  }),
  exact: ['serveLow', 'serveHigh'],
  timeLimit: 1000,
  success: { threshold: 3, source: 'the most hits that fit into the time limit; the reference aims for it too' },
  returnRange: [0, 3],
  parity: {
    singleStep: 1e-6,
    reason:
      'positions in px are rounded to f32 once per step, 6e-8 of the largest; ten times that, and all else is exact',
  },
  picture,
  dynamics,
});
