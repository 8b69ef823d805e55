/** Which process something belongs to, and whether that process has ended: its number may be that of another one by now. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from '../errors.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** distinguishes two processes with the same pid; null where the system does not give it */
  readonly birth: string | null;
}

/** What Linux says of a process, in the fields of its stat line from the third on. */
function statOf(pid: number): { readonly state: string; readonly birth: string | null } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the second field is the program's name in parentheses and may itself hold spaces and parentheses
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // the 22nd field: start time in clock ticks since boot
    return { state: fields[0]!, birth: fields[19] ?? null };
  } catch {
    return null;
  }
}

/** Ended, but its exit code was not read yet; in some containers it never is. */
const endedStates: readonly string[] = ['Z', 'X'];

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}

let own: ProcessIdentity | undefined;

export function thisProcess(): ProcessIdentity {
  own ??= { pid: process.pid, birth: statOf(process.pid)?.birth ?? null };
  return own;
}

/** Whether a process with a pid of this system has ended; false where that cannot be known. */
export function hasEnded({ pid, birth }: ProcessIdentity): boolean {
  if (!exists(pid)) return true;
  const found = statOf(pid);
  if (found === null) return false;
  const another = birth !== null && found.birth !== null && birth !== found.birth;
  return another || endedStates.includes(found.state);
}

let knownPlace: string | null | undefined;

/** Where pids are those of this process: the boot of the machine and the pid namespace; null: unknown. Two machines or containers may have the same name. */
export function placeHere(): string | null {
  if (knownPlace === undefined) {
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      knownPlace = `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
    } catch {
      knownPlace = null;
    }
  }
  return knownPlace;
}

let knownMark: string | undefined;

/** This process as a part of a file name: pid, birth, and a digest of the machine and the place. */
export function processMark(): string {
  if (knownMark === undefined) {
    const { pid, birth } = thisProcess();
    knownMark = `${pid}-${birth ?? ''}-${placeDigest()}`;
  }
  return knownMark;
}

const processMarkPattern = /(\d{1,10})-(\d{0,20})-([0-9a-f]{8})/;

function placeDigest(): string {
  return createHash('sha256').update(`${hostname()} ${placeHere()}`).digest('hex').slice(0, 8);
}

/** Whether the process of a mark has ended; null: it is one of another machine, or the text is no mark. */
export function markHasEnded(mark: string): boolean | null {
  const [whole, pid, birth, place] = processMarkPattern.exec(mark) ?? [];
  if (whole !== mark || place !== placeDigest()) return null;
  return hasEnded({ pid: Number(pid), birth: birth === '' ? null : birth! });
}
