/** Every method, one line each. */
import { findById } from '../base/errors.ts';
import { everyOptimiser, optimisers } from '../optimisers/index.ts';
import { actorSecondPass } from './actor-second-pass.ts';
import { alwaysCritic } from './always-critic.ts';
import { centaur } from './centaur.ts';
import { criticOnly } from './critic-only.ts';
import { esCritic } from './es-critic.ts';
import type { Method } from './method.ts';
import { type OptimiserMethod, optimiserMethod } from './optimiser-method.ts';
import { props } from './props.ts';
import { propsPlus } from './props-plus.ts';
import { pureSearch } from './pure-search.ts';
import { r2po } from './r2po.ts';
import { reptraj } from './reptraj.ts';
import { tauC } from './tau-c.ts';
import { threeTraj } from './three-traj.ts';
import { tuned } from './tuned.ts';

/** Methods of language models alone. */
export const llmMethods: readonly Method[] = [
  r2po,
  props,
  propsPlus,
  reptraj,
  threeTraj,
  pureSearch,
  actorSecondPass,
  criticOnly,
  alwaysCritic,
  tauC,
];

/** Methods of language models with an optimiser beside them. */
export const hybridMethods: readonly Method[] = [centaur, tuned, esCritic];

/** All methods that ask models. */
const askingMethods: readonly Method[] = [...llmMethods, ...hybridMethods];

export type AnyMethod = Method | OptimiserMethod;
export type MethodKind = AnyMethod['kind'];

/** Those that a command may name. */
export const methods: readonly AnyMethod[] = [...askingMethods, ...optimisers.map(optimiserMethod)];
/** Those that a configuration may name. */
const everyMethod: readonly AnyMethod[] = [...askingMethods, ...everyOptimiser.map(optimiserMethod)];

/** The method with this id, which asks models. Throws a usage error with the nearest known id. */
export function findLlmMethod(id: string): Method {
  return findById('methods', 'method', id, askingMethods, '; see "r2po list methods"');
}

/** The method with this id. Throws a usage error with the nearest known id. */
export function findMethod(id: string): AnyMethod {
  return findById('methods', 'method', id, everyMethod, '; see "r2po list methods"');
}
