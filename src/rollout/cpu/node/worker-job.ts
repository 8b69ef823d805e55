/** What the main thread and the workers share about one job. */
import type { EnvOptions, Params } from '../../../envs/env.ts';
import type { PolicyOptions } from '../../../policies/policy.ts';
import type { EndCause, RolloutJob } from '../../job.ts';
import type { Outcomes } from '../loop.ts';

/** One job as a worker receives it. Environment (or its file) and policy travel by name: functions cannot be sent. */
export interface WorkerJob {
  readonly env: {
    readonly name: string;
    /** digest of the code that the main thread has loaded from the file; null: of this package */
    readonly code: string | null;
    readonly options: EnvOptions;
    readonly changed: Params;
  };
  readonly policy: { readonly kind: string; readonly options: PolicyOptions };
  readonly candidates: readonly Float64Array[];
  readonly episodes: number;
  readonly seed: RolloutJob['seed'];
  readonly limit: { readonly steps: number; readonly cause: EndCause };
  /** what the main thread has made for this job: see `ThreadedPlayOptions` */
  readonly prepared?: unknown;
  /** of `CountingOptions`: each worker answers with the totals of its episodes */
  readonly countSuccesses?: number | undefined;
  /** entries of the candidate-major outcomes in one slice */
  readonly sliceSize: number;
  readonly total: number;
  /** number of workers that take slices */
  readonly workers: number;
  /** on SharedArrayBuffers: every worker writes its slices */
  readonly outcomes: Outcomes;
  /** shared; see `NEXT_SLICE` and `CANCELLED` */
  readonly control: Int32Array;
}

/** `control` entry: number of the next slice that nobody has taken */
export const NEXT_SLICE = 0;
/** `control` entry: not 0 when no further slice should be taken */
export const CANCELLED = 1;
