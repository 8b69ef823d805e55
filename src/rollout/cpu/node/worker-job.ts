/** What the main thread and the workers share about one job, and how a job is cut into slices. */
import type { EnvOptions } from '../../../envs/env.ts';
import type { PolicyOptions } from '../../../policies/policy.ts';
import type { EndCause, RolloutJob } from '../../job.ts';
import type { Outcomes } from '../loop.ts';

/** One job as a worker receives it. Environment (or its file) and policy travel by name: functions cannot be sent. */
export interface WorkerJob {
  readonly env: { readonly name: string; readonly options: EnvOptions };
  readonly policy: { readonly kind: string; readonly options: PolicyOptions };
  readonly candidates: readonly Float64Array[];
  readonly episodes: number;
  readonly seed: RolloutJob['seed'];
  readonly limit: { readonly steps: number; readonly cause: EndCause };
  /** entries of the candidate-major outcomes in one slice */
  readonly sliceSize: number;
  readonly total: number;
  /** on SharedArrayBuffers: every worker writes its slices */
  readonly outcomes: Outcomes;
  /** shared; see `NEXT_SLICE` and `CANCELLED` */
  readonly control: Int32Array;
}

/** `control` entry: number of the next slice that nobody has taken */
export const NEXT_SLICE = 0;
/** `control` entry: not 0 when no further slice should be taken */
export const CANCELLED = 1;

/** Steps of one slice, about 5 ms: long enough to hide its cost, short enough to stop and to balance quickly. */
const SLICE_STEPS = 200_000;

/** Outcome entries per slice, so that each of `threads` gets a few slices and none is much longer than the others. */
export function sliceSize(total: number, maxSteps: number, threads: number): number {
  const byTime = Math.floor(SLICE_STEPS / maxSteps);
  const byShare = threads === 1 ? total : Math.ceil(total / (threads * 4));
  return Math.max(1, Math.min(byTime, byShare));
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
