/** Methods that ask no model: an optimiser proposes, and the best candidate of each generation is kept. */
import type { Optimiser } from '../optimisers/optimiser.ts';
import type { Method, MethodFacts } from './method.ts';

export interface OptimiserMethod extends MethodFacts {
  /** names the driver of its runs */
  readonly kind: 'optimiser';
  readonly optimiser: Optimiser;
}

export function optimiserMethod(optimiser: Optimiser): OptimiserMethod {
  const { id, title, about } = optimiser;
  return {
    kind: 'optimiser',
    id,
    title,
    about,
    candidates: ['proposal'],
    keep: 'best',
    representative: 'median',
    optimiser,
  };
}

/** The optimiser of a method; null: it has none. */
export function optimiserOf(method: Method | OptimiserMethod): Optimiser | null {
  return method.kind === 'optimiser' ? method.optimiser : (method.optimiser?.unit ?? null);
}
