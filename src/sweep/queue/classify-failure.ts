/** Classifies a run's failure by what it means for the job and for the worker. */
import { DeviceError, errorCode, exitCodes, ModelError, R2poError } from '../../base/errors.ts';
import { FileFault } from '../../base/machine-fault.ts';
import { BusyError, LostLockError } from '../../runs/journal/lock.ts';

/**
 * `elsewhere`: another process has the run; check again later. `unfit`: not playable on this machine, but perhaps on
 * others. `sick`: this machine cannot continue any run, and this run is not the cause. `broken`: the same, and this run
 * may be the cause. `limited`: the endpoint asks for a longer pause. `final`: another attempt would fail the same way.
 * `retry`: the attempt failed.
 */
export type FailureKind = 'elsewhere' | 'unfit' | 'sick' | 'broken' | 'limited' | 'final' | 'retry';

/** Disk errors, which would also stop the next run. */
const diskTroubles = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO', 'ESTALE', 'EMFILE', 'ENFILE'];

/** The error and its causes. */
function* causesOf(error: unknown): Generator<unknown> {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) yield at;
}

/** A wait that an endpoint asks for and that exceeds the client's own limit, s; null: none. */
export function longWait(error: unknown): number | null {
  for (const cause of causesOf(error)) if (cause instanceof ModelError) return cause.retryAfterSeconds;
  return null;
}

export function classifyFailure(error: unknown): FailureKind {
  for (const cause of causesOf(error)) {
    if (cause instanceof BusyError || cause instanceof LostLockError) return 'elsewhere';
    // A file of this one run that is too large to be read is no trouble of the disk.
    const isDisk = !(cause instanceof FileFault) && diskTroubles.includes(errorCode(cause) ?? '');
    if (isDisk) return 'sick';
    if (cause instanceof DeviceError) return 'broken';
  }
  if (longWait(error) !== null) return 'limited';
  if (!(error instanceof R2poError)) return 'retry';
  if (error.exitCode === exitCodes.noAdapter) return 'unfit';
  // Only the user can raise a budget.
  return error.exitCode === exitCodes.usage || error.exitCode === exitCodes.budget ? 'final' : 'retry';
}

/** The failure without the advice meant for users of the `run` command. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof R2poError)) return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return error.cause instanceof R2poError && error.detail.startsWith(error.cause.detail)
    ? error.cause.message
    : error.message;
}
