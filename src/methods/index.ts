/** Every method, one line each. */
import { UsageError, unknownName } from '../base/errors.ts';
import { actorSecondPass } from './actor-second-pass.ts';
import { alwaysCritic } from './always-critic.ts';
import { criticOnly } from './critic-only.ts';
import type { Method } from './method.ts';
import { props } from './props.ts';
import { propsPlus } from './props-plus.ts';
import { pureSearch } from './pure-search.ts';
import { r2po } from './r2po.ts';
import { reptraj } from './reptraj.ts';
import { tauC } from './tau-c.ts';
import { threeTraj } from './three-traj.ts';

export const methods: readonly Method[] = [
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

/** The method with this id. Throws a usage error with the nearest known id. */
export function findMethod(id: string): Method {
  const method = methods.find((m) => m.id === id);
  if (!method) {
    const known = methods.map((m) => m.id);
    throw new UsageError('methods', `${unknownName('method', id, known)}; see "r2po list methods"`);
  }
  return method;
}
