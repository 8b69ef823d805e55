/**
 * One process per run folder: `run.lock` names its owner. The lock of a process that is gone is taken over, so that a
 * killed run can be resumed without cleaning up.
 *
 * On one machine the system says whether a process is gone. For another machine there is only the file: its owner
 * changes a number in it every few seconds, and a process that wants the folder watches the file for a few of these
 * periods by its own clock. Clocks of two machines are never compared. A process that was asleep meanwhile finds
 * another owner in the lock and stops.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { sleep } from '../../base/async.ts';
import { errorCode, R2poError, UsageError } from '../../base/errors.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { draftName } from '../../base/node/atomic-file.ts';
import { hasEnded, type ProcessIdentity, placeHere, thisProcess } from '../../base/node/process-identity.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import { heartbeatMs, patience } from './heartbeat.ts';

export const lockName = 'run.lock';

/** One line with an owner. */
const maxLockBytes = 2 ** 16;

interface Owner extends ProcessIdentity {
  readonly host: string;
  /** where the pid is valid: the boot of the machine and the pid namespace; null: unknown */
  readonly place: string | null;
  /** of this one lock */
  readonly token: string | null;
  /** ms between two beats; null: it does not beat */
  readonly period: number | null;
}

/** Another living process has the run folder. */
export class BusyError extends UsageError {}

/** The folder was taken over by another process; nothing may be written to it any more. */
export class LostLockError extends R2poError {}

export interface FolderLock {
  /** Throws a `LostLockError` when another process has the folder by now. */
  check(): void;
  /** Gives the folder back; leaves the lock of another process alone. */
  release(): void;
}

export interface LockOptions {
  /** the content of a lock whose owner is certainly gone, see `watchLock` */
  readonly stale?: string | null;
  /** ms between two signs of life */
  readonly period?: number;
}

/** Tokens of the locks of this process: a folder has several paths. */
const held = new Set<string | null>();

function parseOwner(text: string): Owner | null {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null;
    if (typeof owner?.pid !== 'number' || typeof owner.host !== 'string') return null;
    const { pid, host, birth, place, token, period } = owner;
    const name = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    return {
      pid,
      host,
      birth: name(birth),
      place: name(place),
      token: name(token),
      period: typeof period === 'number' && period > 0 ? period : null,
    };
  } catch {
    return null;
  }
}

/** true where a pid of the lock is one of this system */
function isHere({ host, place }: Owner): boolean {
  const here = placeHere();
  return host === hostname() && (place === null || here === null || place === here);
}

function isGone(owner: Owner): boolean {
  if (!isHere(owner)) return false;
  return owner.pid === process.pid ? !held.has(owner.token) : hasEnded(owner);
}

function read(path: string): string | null {
  try {
    return readRegularText(path, maxLockBytes);
  } catch (error) {
    // A link that leads nowhere is in the way of a lock, like any other unreadable one.
    if (errorCode(error) === 'ENOENT') return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? '' : null;
    throw cannotUse('run folder', 'a lock file', path, error, 'move it away');
  }
}

/** The lock's text; of the same length for every beat, so that it can be written over in place. */
function lockText(owner: Owner, beat: number): string {
  return JSON.stringify({ ...owner, beat: String(beat).padStart(10, '0') });
}

/** Creates the lock with its whole content at once, and leaves it open; null when there is one already. */
function create(path: string, owner: Owner): number | null {
  const draft = draftName(path);
  const text = lockText(owner, 0);
  const fd = openSync(draft, 'wx');
  try {
    writeFileSync(fd, text);
    linkSync(draft, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    if (errorCode(error) === 'EEXIST') return null;
    // a file system without hard links
    try {
      const direct = openSync(path, 'wx');
      writeFileSync(direct, text);
      return direct;
    } catch (again) {
      if (errorCode(again) === 'EEXIST') return null;
      throw again;
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a stale lock away; false when another process took it over in the meantime. */
function removeStale(path: string, content: string): boolean {
  const aside = draftName(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true;
    throw error;
  }
  const same = read(aside) === content;
  if (!same) {
    try {
      linkSync(aside, path);
    } catch (error) {
      // The owner of the folder may have cleared it away.
      if (errorCode(error) !== 'EEXIST' && errorCode(error) !== 'ENOENT') throw error;
    }
  }
  rmSync(aside, { force: true });
  return same;
}

/** A lock that this process has. */
class OwnLock implements FolderLock {
  readonly #path: string;
  readonly #owner: Owner;
  readonly #fd: number;
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  #writing = false;
  #released = false;

  constructor(path: string, owner: Owner, fd: number, period: number) {
    this.#path = path;
    this.#owner = owner;
    this.#fd = fd;
    this.#timer = setInterval(() => this.#beat(), period).unref();
  }

  /** Writes to the created file even after a rename, so that the lock of a new owner stays whole. */
  #beat(): void {
    if (this.#writing) return;
    this.#writing = true;
    this.#beats += 1;
    // A failed beat is ignored: this process notices a lost lock when it writes to the journal.
    write(this.#fd, lockText(this.#owner, this.#beats), 0, () => {
      this.#writing = false;
      if (this.#released) closeSync(this.#fd);
    });
  }

  #isOwn(): boolean {
    const content = read(this.#path);
    return content !== null && parseOwner(content)?.token === this.#owner.token;
  }

  check(): void {
    if (this.#isOwn()) return;
    const folder = dirname(this.#path);
    if (!existsSync(folder)) {
      throw new LostLockError(
        'run folder',
        `expected the folder "${folder}" of this run, got none: it was deleted or moved meanwhile, and nothing more is written`,
      );
    }
    throw new LostLockError(
      'run folder',
      `expected to have "${this.#path}" still, got another owner or none: this process gave no sign of life for ` +
        'too long; the run continues there, and nothing more is written here',
    );
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    clearInterval(this.#timer);
    held.delete(this.#owner.token);
    if (this.#isOwn()) rmSync(this.#path, { force: true });
    if (!this.#writing) closeSync(this.#fd);
  }
}

/**
 * Takes the lock of a run folder. Throws a `BusyError` while another living process has it, and for one of another machine
 * that may be living.
 */
export function lockFolder(folder: string, { stale = null, period = heartbeatMs() }: LockOptions = {}): FolderLock {
  const path = join(folder, lockName);
  const token = randomBytes(8).toString('hex');
  const me: Owner = { ...thisProcess(), host: hostname(), place: placeHere(), token, period };
  // Each turn either creates the lock, finds a living owner, or removes a stale one.
  for (let turn = 0; turn < 10; turn++) {
    const fd = create(path, me);
    if (fd !== null) {
      held.add(token);
      return new OwnLock(path, me, fd, period);
    }
    const content = read(path);
    if (content === null) continue;
    const owner = parseOwner(content);
    const gone = content === stale || (owner !== null && isGone(owner));
    if (gone && removeStale(path, content)) continue;
    const who = owner ? `process ${owner.pid} on ${owner.host}` : 'an unreadable lock';
    throw new BusyError(
      'run folder',
      `expected "${folder}" to be free, got ${who}; wait for it to end, or delete "${path}" if that process is gone`,
    );
  }
  throw new BusyError(
    'run folder',
    `expected "${folder}" to be free, got many processes that compete for it; try again`,
  );
}

/** What `run.lock` says, without waiting. */
export interface LockView {
  /** null: its owner is on another machine, or the lock cannot be read; whether it lives shows in whether the content changes */
  readonly living: boolean | null;
  readonly content: string;
  /** ms between two signs of life of the owner */
  readonly period: number;
}

/** Null: nobody has the folder. */
export function viewLock(folder: string): LockView | null {
  const path = join(folder, lockName);
  const content = read(path);
  if (content === null) return null;
  const owner = parseOwner(content);
  const living = owner !== null && isHere(owner) ? !isGone(owner) : null;
  return { living, content, period: owner?.period ?? heartbeatMs() };
}

/** Whether the end of the process that has a folder will be seen: it is on this machine, or gives signs of life. */
export function canAwait(folder: string): boolean {
  const content = read(join(folder, lockName));
  if (content === null) return true;
  const owner = parseOwner(content);
  return owner !== null && (isHere(owner) || owner.period !== null);
}

/** The process that has a folder, as its lock says; null: none, or a lock that cannot be read. `gone`: it has certainly ended. */
export function ownerOf(
  folder: string,
): { readonly pid: number; readonly host: string; readonly gone: boolean } | null {
  const path = join(folder, lockName);
  const owner = parseOwner(read(path) ?? '');
  return owner && { pid: owner.pid, host: owner.host, gone: isGone(owner) };
}

/**
 * Watches a lock whose owner cannot be checked, because it is on another machine or the lock is unreadable: until it
 * changes, or for three periods. Returns its content if it did not change, for `lockFolder`; null when there is no such
 * lock, or its owner lives.
 */
export async function watchLock(
  folder: string,
  {
    signal,
    onNotice,
  }: { readonly signal?: AbortSignal | undefined; readonly onNotice?: ((text: string) => void) | undefined } = {},
): Promise<string | null> {
  const path = join(folder, lockName);
  const content = read(path);
  if (content === null) return null;
  const owner = parseOwner(content);
  if (owner && (isHere(owner) || owner.period === null)) return null;
  const period = owner?.period ?? heartbeatMs();
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'an unreadable lock';
  onNotice?.(`"${folder}" is locked by ${who}; waiting up to ${(patience * period) / 1000} s for a sign of life`);
  const begun = performance.now();
  while (performance.now() - begun < patience * period) {
    await sleep(period / 5000, signal);
    if (read(path) !== content) return null;
  }
  return content;
}
