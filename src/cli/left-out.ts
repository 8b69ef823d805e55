/** What a command could not read: it is listed, the rest is done, and the command fails at its end. */
import { R2poError } from '../base/errors.ts';
import { counted } from '../base/plain-number.ts';
import type { LeftOut } from '../runs/folder/find-runs.ts';
import { isOrderlyStop } from '../runs/journal/totals.ts';
import type { Io } from './io.ts';

/** Collects runs that cannot be used, so that the others are. */
export class Survivors {
  readonly leftOut: LeftOut[] = [];
  readonly #io: Io;
  #first: unknown = null;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Null when the work on a run failed by what is in its folder; other errors are thrown. */
  async attempt<T>(path: string, work: () => T | Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof R2poError) || isOrderlyStop(error.exitCode)) throw error;
      this.#first ??= error;
      this.leftOut.push({ path, reason: error.detail, broken: true });
      this.#io.warn(`left out: ${path}: ${error.detail}`);
      return null;
    }
  }

  /** A run that the command has no use for: no fault. */
  leave(path: string, reason: string): void {
    this.leftOut.push({ path, reason });
    this.#io.note(`left out: ${path}: ${reason}`);
  }

  /** Throws the first error when no run is left. */
  requireSome(count: number): void {
    if (count === 0 && this.#first !== null) throw this.#first;
  }
}

/** To be thrown after everything else was written; null when nothing is broken. */
export function brokenError(unit: string, leftOut: readonly LeftOut[]): R2poError | null {
  const broken = leftOut.filter((one) => one.broken);
  if (broken.length === 0) return null;
  const [first] = broken;
  const more = broken.length === 1 ? '' : `, and ${counted(broken.length - 1, 'other')} listed above`;
  return new R2poError(
    unit,
    `expected to read everything, got ${counted(broken.length, 'part')} left out: ${first!.path}: ${first!.reason}${more}; ` +
      'all others are done',
  );
}
