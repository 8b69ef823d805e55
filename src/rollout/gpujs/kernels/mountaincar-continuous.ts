import type { GpujsKernel } from '../../../envs/env.ts';

export const mountaincarContinuousKernel: GpujsKernel = {
  observe: ['position', 'velocity'],
  step: `
    const force = Math.min(Math.max(action, -p.maxAction), p.maxAction);
    const faster = velocity + (force * p.power - p.gravity * Math.cos(p.hillFrequency * position));
    velocity = Math.min(Math.max(faster, -p.maxSpeed), p.maxSpeed);
    position = Math.min(Math.max(position + velocity, p.minPosition), p.maxPosition);
    if (position === p.minPosition && velocity < 0) { velocity = 0; }
    reward = -(action * action) * p.actionCost;
    if (position >= p.goalPosition && velocity >= p.goalSpeed) {
      terminated = 1;
      reward = p.goalReward + reward;
    }`,
};
