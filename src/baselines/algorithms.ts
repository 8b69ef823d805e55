/** The algorithms of Stable-Baselines3 and its contrib package that can be trained here, and which actions they have. */
import { findById, UsageError } from '../base/errors.ts';
import type { Env } from '../envs/env.ts';

type ActionKind = Env['action']['kind'];

export interface Algorithm {
  readonly id: string;
  readonly title: string;
  /** kinds of action spaces that it has */
  readonly actions: readonly ActionKind[];
  /** whether its networks squash continuous actions into their range, unless its policy is told otherwise */
  readonly squashes: boolean;
  /** policy class by default */
  readonly policy: 'MlpPolicy' | 'LinearPolicy';
}

const numbered = ['discrete'] as const;
const continuous = ['box'] as const;
const both = ['discrete', 'box'] as const;

export const algorithms: readonly Algorithm[] = [
  { id: 'dqn', title: 'deep Q-network', actions: numbered, squashes: false, policy: 'MlpPolicy' },
  { id: 'a2c', title: 'advantage actor-critic', actions: both, squashes: false, policy: 'MlpPolicy' },
  { id: 'ppo', title: 'proximal policy optimisation', actions: both, squashes: false, policy: 'MlpPolicy' },
  {
    id: 'trpo',
    title: 'trust region policy optimisation (contrib)',
    actions: both,
    squashes: false,
    policy: 'MlpPolicy',
  },
  { id: 'ddpg', title: 'deep deterministic policy gradient', actions: continuous, squashes: true, policy: 'MlpPolicy' },
  { id: 'td3', title: 'twin delayed DDPG', actions: continuous, squashes: true, policy: 'MlpPolicy' },
  { id: 'sac', title: 'soft actor-critic', actions: continuous, squashes: true, policy: 'MlpPolicy' },
  {
    id: 'ars',
    title: 'augmented random search of a linear policy (contrib)',
    actions: both,
    squashes: false,
    policy: 'LinearPolicy',
  },
];

/** Throws a usage error with the nearest known id. */
export function findAlgorithm(id: string): Algorithm {
  return findById('baseline', 'algorithm', id, algorithms);
}

const actionWords: Readonly<Record<ActionKind, string>> = { discrete: 'numbered actions', box: 'a box of actions' };

/** Throws a usage error that names the algorithms that fit, where this one does not. */
export function requireFit({ id, actions }: Algorithm, env: Env): void {
  const { kind } = env.action;
  if (actions.includes(kind)) return;
  const fitting = algorithms.filter((one) => one.actions.includes(kind)).map((one) => one.id);
  throw new UsageError(
    'baseline',
    `expected an algorithm for ${actionWords[kind]}, which ${env.id} has, got ${id}, which is for ` +
      `${actions.map((one) => actionWords[one]).join(' and ')}; use one of ${fitting.join(', ')}`,
  );
}
