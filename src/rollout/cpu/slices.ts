/** How a job is cut into slices, and where their outcomes go. */
import type { Outcomes } from './loop.ts';

/** Steps of one slice, about 5 ms: long enough to hide its cost, short enough to stop and to balance quickly. */
const SLICE_STEPS = 200_000;

/** Outcome entries per slice, so that each of `threads` gets a few slices and none is much longer than the others. */
export function sliceSize(total: number, maxSteps: number, threads: number): number {
  const byTime = Math.floor(SLICE_STEPS / maxSteps);
  const byShare = threads === 1 ? total : Math.ceil(total / (threads * 4));
  return Math.max(1, Math.min(byTime, byShare));
}

/** The entries `from ... to - 1`, in the same memory. */
export function partOf({ returns, lengths, ends }: Outcomes, from: number, to: number): Outcomes {
  return { returns: returns.subarray(from, to), lengths: lengths.subarray(from, to), ends: ends.subarray(from, to) };
}

/** Zeroed outcomes for `total` episodes; `shared` ones can be written by several threads. */
export function allocateOutcomes(total: number, shared: boolean): Outcomes {
  const bytes = (n: number) => (shared ? new SharedArrayBuffer(n) : new ArrayBuffer(n));
  return {
    returns: new Float64Array(bytes(8 * total)),
    lengths: new Uint32Array(bytes(4 * total)),
    ends: new Uint8Array(bytes(total)),
  };
}
