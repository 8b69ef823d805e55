/** The trajectory file: one recorded episode as plain JSON, the format of `r2po eval --trajectory`. */
import type { EndCause, Trace, TraceStep } from '../rollout/job.ts';

export interface TrajectoryDocument {
  readonly env: string;
  readonly seed: number;
  readonly return: number;
  readonly length: number;
  readonly end: EndCause;
  readonly steps: readonly TraceStep[];
}

export function trajectoryDocument({ finalState: _, ...document }: Trace): TrajectoryDocument {
  return document;
}
