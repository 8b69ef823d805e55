/** The trajectory file: one recorded episode as plain JSON, the format of `r2po eval --trajectory`. */
import type { Trace } from '../rollout/job.ts';

export function trajectoryDocument({ finalState: _, ...document }: Trace): Omit<Trace, 'finalState'> {
  return document;
}
