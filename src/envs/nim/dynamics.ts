/**
 * Nim, misere form (taking the last stick loses), against an opponent that plays perfectly where it can.
 * Source: Nim-v0 of HWUDLabAIRoboticsResearch/R2PO at commit 9449c38.
 */
import type { Dynamics } from '../env.ts';
import type { NimParams } from './constants.ts';

/** state: sticks left */
export const dynamics: Dynamics<NimParams> = {
  reset(p, _rng, state) {
    state[0] = p.sticks;
  },

  observe(_p, state, observation) {
    observation[0] = state[0]!;
  },

  step(p, state, action, rng, out) {
    const taken = action[0]!;
    const before = state[0]!;
    if (taken < 1 || taken > p.mostTaken || taken > before) {
      out.reward = -1;
      out.terminated = true;
      return;
    }
    const left = before - taken;
    if (left === 0) {
      state[0] = 0;
      out.reward = -1;
      out.terminated = true;
      return;
    }
    // Leaves one stick more than a multiple of mostTaken + 1.
    let answer = (left + p.mostTaken) % (p.mostTaken + 1);
    if (answer === 0) {
      const choices = Math.min(p.mostTaken, left);
      // A single choice draws nothing.
      answer = choices === 1 ? 1 : 1 + rng.choice(choices);
    }
    state[0] = left - answer;
    out.reward = left === answer ? 1 : 0;
    out.terminated = left === answer;
  },
};
