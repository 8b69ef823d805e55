/** The common result type of the finders of pairs, lists, lines, tables and objects. */
import type { Slot } from './numbers.ts';

/**
 * Why numbers are no answer, whatever stands around them:
 * - `old`: quoted from the history, or measured
 * - `rejected`: said to be wrong, or an example
 * - `other`: another quantity than parameters, such as changes or bounds
 * - `unclear`: under a name that may be anything
 * - `computed`: an operand; the parameters are to be computed from them
 * - `asked`: part of a question
 */
export type Unfit = 'old' | 'rejected' | 'other' | 'unclear' | 'computed' | 'asked';

/** A group of numbers that may be the answer. */
export interface Draft {
  /** `pairs` name their indices; the others stand in order; a `tuple` in round brackets means less than a `list` */
  readonly kind: 'pairs' | 'list' | 'tuple' | 'line';
  /** in the order of the text; an index may stand in pairs twice */
  readonly slots: readonly Slot[];
  /** number of elements, including those without a slot */
  readonly length: number;
  readonly start: number;
  /** end position, exclusive */
  readonly end: number;
  /** label from a key or a column; null: only the surrounding text describes it */
  readonly label?: string | null;
  /** what is known already where the draft was found; left out: nothing */
  readonly unfit?: Unfit | null;
}

/**
 * Maximum groups of numbers of one kind in a reply, far more than answers need; it bounds the work for huge replies.
 */
export const maxDrafts = 1000;

/** True when every index from 0 to count - 1 is named, whatever its value. */
export function namesAll(draft: Pick<Draft, 'kind' | 'slots' | 'length'>, count: number): boolean {
  if (draft.kind !== 'pairs') return draft.length === count;
  if (draft.slots.length < count) return false;
  const named = new Set<number>();
  for (const { index } of draft.slots) if (index < count) named.add(index);
  return named.size === count;
}

/** Maximum pairs in a reply beyond those that `count` parameters need. */
export const maxPairs = 10_000;
