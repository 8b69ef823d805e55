/** Every method, one line each. */
import { UsageError, unknownName } from '../base/errors.ts';
import type { Method } from './method.ts';
import { r2po } from './r2po.ts';

export const methods: readonly Method[] = [r2po];

/** The method with this id. Throws a usage error with the nearest known id. */
export function findMethod(id: string): Method {
  const method = methods.find((m) => m.id === id);
  if (!method) {
    const known = methods.map((m) => m.id);
    throw new UsageError('methods', `${unknownName('method', id, known)}; see "r2po list methods"`);
  }
  return method;
}
