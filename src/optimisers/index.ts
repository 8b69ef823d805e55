/** Every optimiser, one line each. */
import { findById } from '../base/errors.ts';
import { ars } from './ars.ts';
import { cem } from './cem.ts';
import { cmaEs, sepCmaEs } from './cma-es/cma-es.ts';
import { exact } from './exact/exact.ts';
import { hillClimbing } from './hill-climbing.ts';
import { openAiEs } from './openai-es.ts';
import type { Optimiser } from './optimiser.ts';
import { randomSearch } from './random-search.ts';
import type { SearchSpace } from './space.ts';

/** Every optimiser, in the order of `r2po list methods`. */
export const optimisers: readonly Optimiser[] = [
  randomSearch,
  hillClimbing,
  cem,
  ars,
  openAiEs,
  sepCmaEs,
  cmaEs,
] as readonly unknown[] as readonly Optimiser[];

/** Those and what computes instead of searching: runs of it are made by "r2po solve". */
export const everyOptimiser: readonly Optimiser[] = [...optimisers, exact as unknown as Optimiser];

/** The optimiser with this id that searches. Throws a usage error with the nearest known id. */
export function findOptimiser(id: string): Optimiser {
  return findById('optimisers', 'optimiser', id, optimisers, '; see "r2po list methods"');
}

/** What names what can be searched: an optimiser, or a method with one. */
export type Searcher = Pick<Optimiser, 'id' | 'searches'>;

/** Why an optimiser cannot search a space, with those of `known` that can; null: it can. */
export function cannotSearch(
  { id, searches }: Searcher,
  { kind }: SearchSpace,
  known: readonly Searcher[] = optimisers,
): string | null {
  if (searches.includes(kind)) return null;
  const others = known.filter((other) => other.searches.includes(kind)).map((other) => other.id);
  const [expected, got] =
    kind === 'choice' ? ['numeric parameters', 'a table of actions'] : ['a table of actions', 'numeric parameters'];
  return `expected a policy with ${expected} for ${id}, got ${got}; use one of ${others.join(', ')}`;
}
