/** Which runs have a living process. */
import { patience } from '../../runs/journal/heartbeat.ts';
import { viewLock } from '../../runs/journal/lock.ts';

interface Seen {
  readonly content: string;
  /** by this process's own clock, ms */
  readonly since: number;
}

/**
 * Reads locks again and again. The owner of a lock on another machine counts as gone when the lock has not changed for three
 * of its periods by the clock of this process: clocks of two machines are never compared.
 */
export class LockWatch {
  readonly #seen = new Map<string, Seen>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  isHeld(folder: string): boolean {
    const lock = viewLock(folder);
    if (lock === null || lock.living !== null) {
      this.#seen.delete(folder);
      return lock?.living === true;
    }
    const seen = this.#seen.get(folder);
    if (seen?.content !== lock.content) {
      this.#seen.set(folder, { content: lock.content, since: this.#now() });
      return true;
    }
    return this.#now() - seen.since < patience * lock.period;
  }
}
