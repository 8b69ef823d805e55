/**
 * Pong in float64, in the order of operations of the reference's own environment, so that whole episodes agree to the
 * last bit. y grows downwards; positions are those of the top left corner of a paddle or of the ball.
 * Source: Pong-v0 of HWUDLabAIRoboticsResearch/R2PO at commit 9449c38.
 */
import type { Dynamics } from '../env.ts';
import type { PongParams } from './constants.ts';

/** state: paddle1_y, paddle2_y, ball_x, ball_y [px], ball_dx, ball_dy [px/step], step_count */
export const dynamics: Dynamics<PongParams> = {
  reset(p, rng, state) {
    state[0] = p.startPaddleY;
    state[1] = p.startPaddleY;
    state[2] = p.startBallX;
    state[3] = p.startBallY;
    state[4] = rng.choice(2) === 1 ? p.ballSpeed : -p.ballSpeed;
    state[5] = rng.uniform(p.serveLow, p.serveHigh);
    state[6] = 0;
  },

  observe(p, state, observation) {
    observation[0] = state[0]! + p.paddleMiddle;
    observation[1] = state[2]!;
    observation[2] = Math.fround(state[3]!);
    observation[3] = state[4]!;
    observation[4] = Math.fround(state[5]!);
  },

  step(p, state, action, _rng, out) {
    const choice = action[0];
    let own = state[0]!;
    if (choice === 0) own = Math.max(0, own - p.paddleSpeed);
    else if (choice === 1) own = Math.min(p.paddleLowest, own + p.paddleSpeed);
    const oldY = state[3]!;
    let other = state[1]!;
    // It never rests: level with the ball it moves up.
    if (other + p.paddleMiddle < oldY) other = Math.min(p.paddleLowest, other + p.paddleSpeed);
    else other = Math.max(0, other - p.paddleSpeed);
    const dx = state[4]!;
    const dy = state[5]!;
    const x = state[2]! + dx;
    const y = oldY + dy;
    const approaching = dx < 0;
    const top = approaching ? own : other;
    const atFace = approaching ? x <= p.leftFace : x >= p.rightFace;
    const hit = atFace && top <= y && y <= top + p.paddleHeight;
    state[0] = own;
    state[1] = other;
    state[2] = x;
    state[3] = y;
    if (hit) {
      state[4] = -dx;
      state[5] = p.ballSpeed * (2 * ((y - top) / p.paddleHeight) - 1);
    } else if (y <= 0 || y >= p.ballLowest) {
      // The position stays outside, so a slow ball turns again in the next step.
      state[5] = -dy;
    }
    state[6]! += 1;
    out.reward = hit && approaching ? 1 : 0;
    out.terminated = x < 0 || x > p.ballRightmost;
  },
};
