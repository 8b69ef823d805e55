/** What is selected, as the address has it: `?at=12&policy=revision&call=57&x=episodes`. */
import type { CallRow, Iteration, RunPage } from '../../api/run.ts';
import { bestIndex, type Candidate, callOf, keptOf } from './run-data.ts';

export interface Selection {
  /** index into the iterations; -1: the run has none */
  readonly index: number;
  readonly iteration: Iteration | null;
  readonly candidate: Candidate | null;
  readonly call: CallRow | null;
}

/** The whole number that a key has; null: none. */
export function numberOf(query: URLSearchParams, key: string): number | null {
  const text = query.get(key);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Index of the last iteration up to this one, as a run may lack some; -1: none. */
export function indexOfIteration(iterations: readonly Iteration[], iteration: number): number {
  let low = 0;
  let high = iterations.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (iterations[middle]!.iteration <= iteration) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Without a choice: the best iteration, the policy that it kept, and the call that led to that policy. */
export function selectionOf(
  { iterations }: RunPage,
  byIteration: ReadonlyMap<number, readonly CallRow[]>,
  query: URLSearchParams,
): Selection {
  const at = numberOf(query, 'at');
  const seq = numberOf(query, 'call');
  const best = bestIndex(iterations);
  const fallback = best >= 0 ? best : iterations.length - 1;
  const index = at === null ? fallback : Math.max(0, indexOfIteration(iterations, at));
  const iteration = iterations[index] ?? null;
  // Before the first iteration is done there are calls already.
  const calls = byIteration.get(iteration?.iteration ?? at ?? 1) ?? [];
  const chosenCall = calls.find((call) => call.seq === seq) ?? null;
  if (iteration === null) return { index: -1, iteration, candidate: null, call: chosenCall ?? calls[0] ?? null };
  const chosen = iteration.candidates.find(({ label }) => label === query.get('policy'));
  const candidate = chosen ?? keptOf(iteration) ?? iteration.candidates.at(-1) ?? null;
  const call = chosenCall ?? (candidate && callOf(iteration, calls, candidate.label)) ?? calls.at(-1) ?? null;
  return { index, iteration, candidate, call };
}
