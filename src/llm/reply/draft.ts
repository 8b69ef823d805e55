/** What the finders of pairs, lists, lines, tables and objects hand on. */
import type { Slot } from './numbers.ts';

/** A group of numbers that may be the answer. */
export interface Draft {
  /** `pairs` name their indices; the others stand in order; a `tuple` in round brackets means less than a `list` */
  readonly kind: 'pairs' | 'list' | 'tuple' | 'line';
  /** in the order of the text; an index may stand in pairs twice */
  readonly slots: readonly Slot[];
  /** number of elements, also of those without a slot */
  readonly length: number;
  readonly start: number;
  /** position behind it */
  readonly end: number;
  /** what a key or a column says about it; null: only the text around it tells */
  readonly label?: string | null;
  /** it was quoted with a measured value beside it */
  readonly measured?: boolean;
  /** the reason that stands in the same object */
  readonly reason?: string | null;
}

/** Groups of numbers of one kind in a reply; no answer needs a fraction of it, and a reply of megabytes ends here. */
export const maxDrafts = 2000;

/** True when every index from 0 to count - 1 is named, whatever its value. */
export function namesAll(draft: Pick<Draft, 'kind' | 'slots' | 'length'>, count: number): boolean {
  if (draft.kind !== 'pairs') return draft.length === count;
  if (draft.slots.length < count) return false;
  const named = new Set<number>();
  for (const { index } of draft.slots) if (index < count) named.add(index);
  return named.size === count;
}

/** Pairs in a reply, beside those that `count` parameters need; more of them are no answer either. */
export const maxPairs = 10_000;
