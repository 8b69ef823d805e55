/** Every method, one line each, and those that were registered at run time. */
import { findById, UsageError } from '../base/errors.ts';
import { isModulePath } from '../base/module-path.ts';
import { everyOptimiser, optimisers } from '../optimisers/index.ts';
import { actorSecondPass } from './actor-second-pass.ts';
import { alwaysCritic } from './always-critic.ts';
import { centaur } from './centaur.ts';
import { checkMethod } from './check-method.ts';
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

/** Methods of the user, by what names them: the path of their module, or their id where a program has made them. */
const registered = new Map<string, Method>();
/** The module that a method of the user was loaded from. */
const modules = new WeakMap<Method, string>();

/** Whether a program has made a method of this id known. */
export const isRegisteredMethod = (name: string): boolean => registered.has(name);

function refuseOurs({ id }: Method, where: string): void {
  if (!everyMethod.some((method) => method.id === id)) return;
  throw new UsageError('methods', `expected an id of its own ${where}, got "${id}", which is ours; choose another`);
}

/**
 * Makes `findMethod` know a method by its id, for this process. Throws a usage error for what is no method, for an id of
 * ours, and for one that another method was registered with.
 */
export function registerMethod(method: Method): Method {
  checkMethod(method);
  if (method.kind !== 'llm-search') {
    throw new UsageError('methods', `expected what defineMethod gives as ${method.id}, got another object; call it`);
  }
  refuseOurs(method, 'for the method');
  const known = registered.get(method.id);
  if (known !== undefined && known !== method) {
    throw new UsageError(
      'methods',
      `expected an id of its own for the method, got "${method.id}" twice; choose another`,
    );
  }
  registered.set(method.id, method);
  return method;
}

/** Makes `findMethod` know a method by the file that it comes from, `module`, and by `name`, a path to that file. */
export function registerMethodModule(method: Method, { name, module }: { name: string; module: string }): Method {
  refuseOurs(method, `in "${module}"`);
  modules.set(method, module);
  for (const path of [name, module]) registered.set(path, method);
  return method;
}

/** The method of the user that a configuration names; null: it names one of ours, or none that is known. */
export function findRegistered(name: string): Method | null {
  return registered.get(name) ?? null;
}

/** The absolute path of the module that a method of the user comes from; null: it comes from none. */
export function moduleOfMethod(method: AnyMethod): string | null {
  return method.kind === 'llm-search' ? (modules.get(method) ?? null) : null;
}

/** What a configuration calls a method: its id, or the path of its module. */
export function methodName(method: AnyMethod): string {
  return moduleOfMethod(method) ?? method.id;
}

/** The id of a method that a configuration names; names of trainings and of earlier versions stay as they are. */
export function methodId(name: string): string {
  return registered.get(name)?.id ?? name;
}

function find<T extends AnyMethod>(name: string, entries: readonly T[]): T | Method {
  const own = registered.get(name);
  if (own !== undefined) return own;
  if (isModulePath(name)) throw new UsageError('methods', `expected the loaded method "${name}"; load it before`);
  return findById('methods', 'method', name, entries, '; see "r2po list methods"');
}

/** The method of this name, which asks models. Throws a usage error with the nearest known id. */
export function findLlmMethod(id: string): Method {
  return find(id, askingMethods);
}

/** The method of this name: an id, or the path of a loaded module. Throws a usage error with the nearest known id. */
export function findMethod(id: string): AnyMethod {
  return find(id, everyMethod);
}
