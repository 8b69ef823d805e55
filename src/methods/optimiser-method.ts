/** Methods that ask no model: an optimiser proposes, and the best candidate of each generation is kept. */
import type { Optimiser } from '../optimisers/optimiser.ts';
import type { MethodFacts } from './method.ts';

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
