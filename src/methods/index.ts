/** Every method, one line each. */
import { findById } from '../base/errors.ts';
import { everyOptimiser, optimisers } from '../optimisers/index.ts';
import { actorSecondPass } from './actor-second-pass.ts';
import { alwaysCritic } from './always-critic.ts';
import { criticOnly } from './critic-only.ts';
import type { Method } from './method.ts';
import { type OptimiserMethod, optimiserMethod } from './optimiser-method.ts';
import { props } from './props.ts';
import { propsPlus } from './props-plus.ts';
import { pureSearch } from './pure-search.ts';
import { r2po } from './r2po.ts';
import { reptraj } from './reptraj.ts';
import { tauC } from './tau-c.ts';
import { threeTraj } from './three-traj.ts';

/** Methods of language models. */
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

export type AnyMethod = Method | OptimiserMethod;
export type MethodKind = AnyMethod['kind'];

/** Those that a command may name. */
export const methods: readonly AnyMethod[] = [...llmMethods, ...optimisers.map(optimiserMethod)];
/** Those that a configuration may name. */
const everyMethod: readonly AnyMethod[] = [...llmMethods, ...everyOptimiser.map(optimiserMethod)];

/** The method of language models with this id. Throws a usage error with the nearest known id. */
export function findLlmMethod(id: string): Method {
  return findById('methods', 'method', id, llmMethods, '; see "r2po list methods"');
}

/** The method with this id. Throws a usage error with the nearest known id. */
export function findMethod(id: string): AnyMethod {
  return findById('methods', 'method', id, everyMethod, '; see "r2po list methods"');
}
