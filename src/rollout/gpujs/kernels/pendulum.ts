import type { GpujsKernel } from '../../../envs/env.ts';

export const pendulumKernel: GpujsKernel = {
  observe: ['Math.cos(theta)', 'Math.sin(theta)', 'theta_dot'],
  step: `
    const torque = Math.min(Math.max(action, -p.maxTorque), p.maxTorque);
    const tilt = theta - ${2 * Math.PI} * Math.floor((theta + ${Math.PI}) / ${2 * Math.PI});
    reward = -(tilt * tilt + p.speedCost * (theta_dot * theta_dot) + p.torqueCost * (torque * torque));
    const faster = theta_dot + (p.gravityGain * Math.sin(theta) + p.torqueGain * torque) * p.timeStep;
    theta_dot = Math.min(Math.max(faster, -p.maxSpeed), p.maxSpeed);
    theta = theta + theta_dot * p.timeStep;`,
};
