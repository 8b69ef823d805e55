import type { GpujsKernel } from '../../../envs/env.ts';

export const mountaincarKernel: GpujsKernel = {
  observe: ['position', 'velocity'],
  step: `
    const faster = velocity + ((action - 1) * p.force - Math.cos(p.hillFrequency * position) * p.gravity);
    velocity = Math.min(Math.max(faster, -p.maxSpeed), p.maxSpeed);
    position = Math.min(Math.max(position + velocity, p.minPosition), p.maxPosition);
    if (position === p.minPosition && velocity < 0) { velocity = 0; }
    reward = -1;
    if (position >= p.goalPosition && velocity >= p.goalSpeed) { terminated = 1; }`,
};
