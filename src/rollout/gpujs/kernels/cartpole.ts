import type { GpujsKernel } from '../../../envs/env.ts';

export const cartpoleKernel: GpujsKernel = {
  observe: ['x', 'x_dot', 'theta', 'theta_dot'],
  step: `
    let force = -p.force;
    if (action === 1) { force = p.force; }
    const cosine = Math.cos(theta);
    const sine = Math.sin(theta);
    const push = (force + p.poleMassLength * (theta_dot * theta_dot) * sine) / p.totalMass;
    const turn = (p.gravity * sine - cosine * push)
      / (p.halfLength * (4 / 3 - p.poleMass * (cosine * cosine) / p.totalMass));
    const drive = push - p.poleMassLength * turn * cosine / p.totalMass;
    x = x + p.timeStep * x_dot;
    x_dot = x_dot + p.timeStep * drive;
    theta = theta + p.timeStep * theta_dot;
    theta_dot = theta_dot + p.timeStep * turn;
    reward = p.stepReward;
    if (Math.abs(x) > p.positionLimit || Math.abs(theta) > p.angleLimit) {
      terminated = 1;
      reward = p.fallReward;
    }`,
};
