import { trueOrFalse } from '../../base/option-rules.ts';
import { unbounded, within } from '../env.ts';
import { envWithOptions, inProportion, option, stepLimitRule, withValues } from '../options.ts';
import { constants, derive } from './constants.ts';
import { dynamics } from './dynamics.ts';
import { picture } from './picture.ts';

const state = [
  { name: 'x', meaning: 'cart position', unit: 'm', ...within(4.8) },
  { name: 'x_dot', meaning: 'cart velocity', unit: 'm/s', ...unbounded },
  { name: 'theta', meaning: 'pole angle, 0 upright, positive towards +x', unit: 'rad', ...within(0.41887903) },
  { name: 'theta_dot', meaning: 'pole angular velocity', unit: 'rad/s', ...unbounded },
] as const;

const registeredLimit = 500;

const rules = {
  max_episode_steps: stepLimitRule(registeredLimit),
  sutton_barto_reward: option(trueOrFalse(false), 'whether a step gives 0 and a fall -1, instead of 1 for every step'),
};

export const cartpole = envWithOptions(
  'CartPole-v1',
  rules,
  ({ max_episode_steps: limit, sutton_barto_reward: suttonBarto }) => {
    const success = suttonBarto
      ? { threshold: 0, source: 'the pole stood until the step limit' }
      : {
          threshold: inProportion(475, limit, registeredLimit),
          source: 'reward_threshold of the Gymnasium registration',
        };
    return {
      folder: 'cartpole',
      groundTruth: 'Gymnasium CartPole-v1 (1.0 to 1.4)',
      state,
      observation: { kind: 'vector', rows: state },
      action: { kind: 'discrete', meanings: ['push the cart to the left (-x)', 'push the cart to the right (+x)'] },
      constants: suttonBarto ? withValues(constants, { stepReward: 0, fallReward: -1 }) : withValues(constants, {}),
      derive,
      exact: ['resetLow', 'resetHigh'],
      timeLimit: limit,
      success,
      returnRange: suttonBarto ? [-1, 0] : [1, limit],
      parity: {
        singleStep: 1.2e-6,
        reason:
          'the same formulas in IEEE f32 err by 1.2e-7 on the recorded steps; ten times that leaves room for fused operations',
      },
      picture,
      stepCost: { cpu: 32, wasm: 3.1, compile: 170 },
      dynamics,
    };
  },
);
