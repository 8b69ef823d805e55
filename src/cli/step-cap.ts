/** The option `--max-steps` beside the step limit of an environment. */
import { UsageError } from '../base/errors.ts';
import type { Env } from '../envs/env.ts';
import { stepLimitKey } from '../envs/options.ts';

/** Refuses a cap above the step limit, which would have no effect. */
export function checkStepCap({ id, timeLimit }: Env, maxSteps: number | undefined): void {
  if (maxSteps === undefined || timeLimit === null || maxSteps <= timeLimit) return;
  throw new UsageError(
    '--max-steps',
    `expected at most ${timeLimit}, the step limit of ${id}, got ${maxSteps}; for longer episodes, give ` +
      `--env-option ${stepLimitKey}=${maxSteps} instead`,
  );
}
