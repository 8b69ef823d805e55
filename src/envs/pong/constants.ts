/** The numbers of Pong, with units and sources, and what follows from them. */
import type { ConstantValues, ParamsOf } from '../env.ts';

const source = 'Pong-v0 of HWUDLabAIRoboticsResearch/R2PO at commit 9449c38';

export const constants = {
  fieldWidth: { value: 800, unit: 'px', source, allowed: 'positive' },
  fieldHeight: { value: 600, unit: 'px', source, allowed: 'positive' },
  paddleWidth: { value: 10, unit: 'px', source, allowed: 'positive' },
  paddleHeight: { value: 80, unit: 'px', source, allowed: 'positive' },
  paddleSpeed: { value: 5, unit: 'px per step', source },
  ballSize: { value: 10, unit: 'px', source, allowed: 'positive' },
  ballSpeed: { value: 5, unit: 'px per step', source },
  serveLow: { value: -5, unit: 'px per step', source },
  serveHigh: { value: 5, unit: 'px per step', source, allowed: 'any' },
} as const;

export const derive = (c: ConstantValues<typeof constants>) => ({
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
});

export type PongParams = ParamsOf<typeof constants, typeof derive>;
