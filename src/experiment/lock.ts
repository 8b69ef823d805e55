/**
 * One process per run folder: `run.lock` names its owner. The lock of a process that is gone is taken over, so that a
 * killed run can be resumed without cleaning up.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../base/errors.ts';
import { errorCode } from './files.ts';

export const lockName = 'run.lock';

interface Owner {
  readonly pid: number;
  /** what tells two processes apart that got the same pid, null where the system does not say */
  readonly birth: string | null;
  readonly host: string;
}

/** Another living process has the run folder. */
export class BusyError extends UsageError {}

const held = new Set<string>();

/** Start time of a process in clock ticks since boot (Linux), from the 22nd field of its stat line. */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the second field is the program's name in parentheses and may itself hold spaces and parentheses
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}

function parseOwner(text: string): Owner | null {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null;
    if (typeof owner?.pid !== 'number' || typeof owner.host !== 'string') return null;
    return { pid: owner.pid, birth: typeof owner.birth === 'string' ? owner.birth : null, host: owner.host };
  } catch {
    return null;
  }
}

function isGone(owner: Owner, path: string): boolean {
  if (owner.host !== hostname()) return false;
  if (owner.pid === process.pid) return !held.has(path);
  if (!exists(owner.pid)) return true;
  const birth = birthOf(owner.pid);
  return owner.birth !== null && birth !== null && owner.birth !== birth;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Creates the lock with its whole content at once; false when there is one already. */
function create(path: string): boolean {
  const owner: Owner = { pid: process.pid, birth: birthOf(process.pid), host: hostname() };
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(owner));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // a file system without hard links
    try {
      writeFileSync(path, JSON.stringify(owner), { flag: 'wx' });
      return true;
    } catch (again) {
      if (errorCode(again) === 'EEXIST') return false;
      throw again;
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a stale lock away; false when somebody else has taken it over in the meantime. */
function removeStale(path: string, content: string): boolean {
  const aside = `${path}.stale.${process.pid}`;
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
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
  return same;
}

/**
 * Takes the lock of a run folder and returns the function that gives it back.
 * Throws a usage error while another living process holds it.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, lockName);
  // Each turn either creates the lock, finds a living owner, or removes a stale one.
  for (let turn = 0; turn < 10; turn++) {
    if (create(path)) {
      held.add(path);
      return () => {
        if (held.delete(path)) rmSync(path, { force: true });
      };
    }
    const content = read(path);
    if (content === null) continue;
    const owner = parseOwner(content);
    if (owner && isGone(owner, path) && removeStale(path, content)) continue;
    const who = owner ? `process ${owner.pid} on ${owner.host}` : 'an unreadable lock';
    throw new BusyError(
      'run folder',
      `expected "${folder}" to be free, got ${who}; wait for it to end, or delete "${path}" if that process is gone`,
    );
  }
  throw new BusyError('run folder', `expected "${folder}" to be free, got many processes that want it; try again`);
}
