/** What a failure of a run means for its job and for the worker. */
import { DeviceError, errorCode, exitCodes, ModelError, R2poError } from '../../base/errors.ts';
import { BusyError, LostLockError } from '../../runs/journal/lock.ts';

/**
 * `elsewhere`: another process has the run; look again later. `unfit`: not on this machine, others may. `sick`: this
 * machine cannot go on with any run, which is no fault of this one. `broken`: nor can it, and this run may be why.
 * `limited`: the endpoint asks for a longer pause. `final`: another attempt would end the same way. `retry`: an attempt
 * that failed.
 */
export type FailureKind = 'elsewhere' | 'unfit' | 'sick' | 'broken' | 'limited' | 'final' | 'retry';

/** What the disk of this machine refuses, it will refuse the next run too. */
const diskTroubles = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'ESTALE', 'EMFILE', 'ENFILE'];

/** The error and what it was made from. */
export function* causesOf(error: unknown): Generator<unknown> {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) yield at;
}

/** s that an endpoint asks to wait, longer than the client waits by itself; null when none asks. */
export function longWait(error: unknown): number | null {
  for (const cause of causesOf(error)) if (cause instanceof ModelError) return cause.retryAfterSeconds;
  return null;
}

export function classifyFailure(error: unknown): FailureKind {
  for (const cause of causesOf(error)) {
    if (cause instanceof BusyError || cause instanceof LostLockError) return 'elsewhere';
    if (diskTroubles.includes(errorCode(cause) ?? '')) return 'sick';
    if (cause instanceof DeviceError) return 'broken';
  }
  if (longWait(error) !== null) return 'limited';
  if (!(error instanceof R2poError)) return 'retry';
  if (error.exitCode === exitCodes.noAdapter) return 'unfit';
  // A budget is raised by whoever set it.
  return error.exitCode === exitCodes.usage || error.exitCode === exitCodes.budget ? 'final' : 'retry';
}

/** The failure itself, without the advice for somebody who had typed the run. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof R2poError)) return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return error.cause instanceof R2poError && error.detail.startsWith(error.cause.detail)
    ? error.cause.message
    : error.message;
}
