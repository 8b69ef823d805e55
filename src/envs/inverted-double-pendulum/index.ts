import { numberIn } from '../../base/option-rules.ts';
import { constantValues, type Row, unbounded, within } from '../env.ts';
import { envWithOptions, inProportion, option, resetNoiseRule, stepLimitRule, withValues } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const cart = { name: 'x', meaning: 'cart position on the rail', unit: 'm', ...unbounded } as const;
const cut = within(10);
const velocities = [
  { name: 'x_dot', meaning: 'cart velocity', unit: 'm/s' },
  { name: 'theta1_dot', meaning: 'angular velocity of theta1', unit: 'rad/s' },
  { name: 'theta2_dot', meaning: 'angular velocity of theta2', unit: 'rad/s' },
] as const;

function circle(name: 'sin' | 'cos', angle: string, meaning: string): Row {
  return { name: `${name}_${angle}`, meaning: `${name} of ${meaning}`, unit: '1', ...within(1) };
}

const lower = 'the angle of the lower pole from upright, positive towards +x';
const upper = 'the angle of the upper pole against the lower one, 0 in line with it';

const registeredLimit = 1000;
const registeredReward = constants.aliveReward.value;

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
  reset_noise_scale: resetNoiseRule(constants.resetHigh.value),
  healthy_reward: option(numberIn(0, 1000, registeredReward), 'reward of a step after which the poles stand'),
};

export const invertedDoublePendulum = envWithOptions(
  'InvertedDoublePendulum-v5',
  rules,
  ({ max_episode_steps: limit, reset_noise_scale: noise, healthy_reward: aliveReward }) => {
    const values = withValues(constants, { resetLow: 0 - noise, resetHigh: noise, resetSpread: noise, aliveReward });
    const { bestReward } = derive(constantValues(values));
    // The tip may swing a little higher than it stands; the small cost of that is neglected.
    const highest = Math.round(100 * Math.max(0, limit * bestReward) + 1) / 100;
    /** what an episode may lose and still be a success, as in the registration; a pole that falls does so within 50 steps */
    const threshold = Math.max(9100 + (aliveReward - registeredReward) * registeredLimit, 50 * aliveReward);
    return {
      folder: 'inverted-double-pendulum',
      groundTruth: 'Gymnasium InvertedDoublePendulum-v5 (1.0 to 1.4) with MuJoCo 3.14',
      state: [
        cart,
        { name: 'theta1', meaning: lower, unit: 'rad', ...unbounded },
        { name: 'theta2', meaning: upper, unit: 'rad', ...unbounded },
        ...velocities.map((row) => ({ ...row, ...unbounded })),
      ],
      // MuJoCo shows these as they were in the last stage of its last time step, a moment before the state.
      memory: [
        { name: 'tip_x', meaning: 'tip of the upper pole', unit: 'm', ...unbounded },
        { name: 'tip_z', meaning: 'height of the tip above the hinge of the cart', unit: 'm', ...unbounded },
        { name: 'rail_force', meaning: 'force of the stop of the rail on the cart', unit: 'N', ...unbounded },
      ],
      observation: {
        kind: 'vector',
        rows: [
          cart,
          circle('sin', 'theta1', lower),
          circle('sin', 'theta2', upper),
          circle('cos', 'theta1', lower),
          circle('cos', 'theta2', upper),
          ...velocities.map((row) => ({ ...row, meaning: `${row.meaning}, cut at the bounds`, ...cut })),
          {
            name: 'rail_force',
            meaning: 'force of the stop of the rail on the cart, cut at the bounds; 0 away from the stops',
            unit: 'N',
            ...cut,
          },
        ],
      },
      action: {
        kind: 'box',
        rows: [
          { name: 'push', meaning: 'push on the cart, positive towards +x', unit: 'of the gear', low: -1, high: 1 },
        ],
      },
      constants: values,
      derive,
      exact: ['resetLow', 'resetHigh', 'resetSpread'],
      libraries: ['joint-limit'],
      normalDraws: true,
      timeLimit: limit,
      success: {
        threshold: inProportion(threshold, limit, registeredLimit),
        source: 'reward_threshold of the Gymnasium registration',
      },
      returnRange: [-Infinity, highest],
      parity: {
        // The reward is rounded to f32.
        singleStep: 3.3e-5 * Math.max(1, aliveReward / registeredReward),
        reason:
          'the same formulas in IEEE f32 err by 3.3e-6 on the recorded steps; ten times that leaves room for fused operations',
      },
      picture,
      stepCost: { cpu: 1000, wasm: 180, compile: 320 },
      dynamics,
    };
  },
);
