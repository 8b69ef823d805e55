import type { GpujsKernel } from '../../../envs/env.ts';

/** One evaluation of the equations of motion, into `a<stage>` and `b<stage>`, from the angles and speeds given. */
function evaluation(stage: number, [theta1, theta2, dot1, dot2]: readonly [string, string, string, string]): string {
  return `
    const coupled${stage} = p.coupling * Math.cos(${theta2});
    const swing${stage} = p.coupling * Math.sin(${theta2});
    const near${stage} = p.bentInertia + 2 * coupled${stage};
    const far${stage} = p.lowerInertia + coupled${stage};
    const lower${stage} = p.lowerWeight * Math.sin(${theta1} + ${theta2});
    const upper${stage} = p.upperWeight * Math.sin(${theta1}) + lower${stage}
      - swing${stage} * ${dot2} * (${dot2} + 2 * ${dot1});
    const drive${stage} = torque - swing${stage} * ${dot1} * ${dot1} - lower${stage};
    const scale${stage} = p.determinant - coupled${stage} * coupled${stage};
    const a${stage} = -(p.lowerInertia * upper${stage} + far${stage} * drive${stage}) / scale${stage};
    const b${stage} = (near${stage} * drive${stage} + far${stage} * upper${stage}) / scale${stage};`;
}

/** Where the next evaluation looks: from the start with the speeds and accelerations of the one before. */
function ahead(stage: number, share: string, dots: readonly [string, string]): string {
  return `
    const q${stage} = theta1 + ${share} * ${dots[0]};
    const r${stage} = theta2 + ${share} * ${dots[1]};
    const v${stage} = theta1_dot + ${share} * a${stage - 1};
    const w${stage} = theta2_dot + ${share} * b${stage - 1};`;
}

const wrapped = (angle: string): string =>
  `${angle} - ${2 * Math.PI} * Math.floor((${angle} + ${Math.PI}) / ${2 * Math.PI})`;

export const acrobotKernel: GpujsKernel = {
  observe: ['Math.cos(theta1)', 'Math.sin(theta1)', 'Math.cos(theta2)', 'Math.sin(theta2)', 'theta1_dot', 'theta2_dot'],
  step: `
    const torque = (action - 1) * p.torque;
    const half = 0.5 * p.timeStep;
    ${evaluation(1, ['theta1', 'theta2', 'theta1_dot', 'theta2_dot'])}
    ${ahead(2, 'half', ['theta1_dot', 'theta2_dot'])}
    ${evaluation(2, ['q2', 'r2', 'v2', 'w2'])}
    ${ahead(3, 'half', ['v2', 'w2'])}
    ${evaluation(3, ['q3', 'r3', 'v3', 'w3'])}
    ${ahead(4, 'p.timeStep', ['v3', 'w3'])}
    ${evaluation(4, ['q4', 'r4', 'v4', 'w4'])}
    const sixth = p.timeStep / 6;
    const moved1 = theta1 + sixth * (theta1_dot + 2 * v2 + 2 * v3 + v4);
    const moved2 = theta2 + sixth * (theta2_dot + 2 * w2 + 2 * w3 + w4);
    theta1 = ${wrapped('moved1')};
    theta2 = ${wrapped('moved2')};
    theta1_dot = Math.min(Math.max(theta1_dot + sixth * (a1 + 2 * a2 + 2 * a3 + a4), -p.maxSpeed1), p.maxSpeed1);
    theta2_dot = Math.min(Math.max(theta2_dot + sixth * (b1 + 2 * b2 + 2 * b3 + b4), -p.maxSpeed2), p.maxSpeed2);
    reward = -1;
    if (-p.linkLength1 * Math.cos(theta1) - p.linkLength2 * Math.cos(theta1 + theta2) > p.goalHeight) {
      terminated = 1;
      reward = 0;
    }`,
};
