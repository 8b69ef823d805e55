/** Faults of the machine (a full disk, a missing folder, a device in place of a file) in words, with what to do about them. */
import { errorCode, R2poError, UsageError } from './errors.ts';

interface Fault {
  readonly words: string;
  /** what the user can do, where the words do not say it */
  readonly remedy?: string;
  /** true where another path would do: the path is wrong, and the machine is well */
  readonly path?: boolean;
}

const otherPlace = 'choose another path';

/** By the codes of Node and of the system. The only place that puts them into words. */
const faults: Readonly<Record<string, Fault>> = {
  ENOENT: { words: 'no such file or folder', path: true },
  ENOTDIR: { words: 'a part of the path is no folder', path: true },
  EISDIR: { words: 'it is a folder', path: true },
  EEXIST: { words: 'something else has this name', remedy: 'move it away', path: true },
  ENOTEMPTY: { words: 'the folder is not empty', path: true },
  EACCES: { words: 'permission denied', path: true },
  EPERM: { words: 'permission denied', path: true },
  EROFS: { words: 'the file system is read-only', remedy: otherPlace, path: true },
  ENAMETOOLONG: { words: 'the name is too long', path: true },
  ELOOP: { words: 'its links lead in a circle', path: true },
  ENXIO: { words: 'nothing is behind this device', path: true },
  ENODEV: { words: 'there is no such device', path: true },
  EINVAL: { words: 'the file system refuses it', path: true },
  ENOTREG: { words: 'it is no regular file', path: true },
  ERR_INVALID_ARG_VALUE: { words: 'not a file name', path: true },
  ENOSPC: {
    words: 'no space or no inodes left on the disk',
    remedy: 'free some space, or name a file on another disk',
  },
  EDQUOT: { words: 'the disk quota is used up', remedy: 'free some space, or name a file on another disk' },
  EFBIG: { words: 'the file is too large', remedy: 'raise the limit of the system, or use a smaller file' },
  ERR_FS_FILE_TOO_LARGE: { words: 'the file is too large', remedy: 'use a smaller file' },
  ERR_STRING_TOO_LONG: { words: 'the file is too large for one text', remedy: 'use a smaller file' },
  EMFILE: { words: 'too many open files', remedy: 'raise "ulimit -n"' },
  ENFILE: { words: 'too many open files on this machine', remedy: 'close other programs' },
  ENOMEM: { words: 'no memory left', remedy: 'close other programs' },
  EIO: { words: 'the disk does not answer as it should', remedy: 'check the disk' },
  ESTALE: { words: 'the network drive lost the file', remedy: 'mount it again' },
  EBUSY: { words: 'another program uses it', remedy: 'close that program' },
  ETXTBSY: { words: 'another program uses it', remedy: 'close that program' },
  EAGAIN: { words: 'it is not ready', remedy: 'try again' },
  EPIPE: { words: 'its reader has ended' },
  EXDEV: { words: 'it is on another disk', remedy: otherPlace },
  ENOTSUP: { words: 'the file system cannot do that', remedy: otherPlace },
};

/** Thrown for what a path names: a pipe, a device, a file that is too large. */
export class FileFault extends Error {
  readonly code: 'ENOTREG' | 'EFBIG';

  constructor(code: 'ENOTREG' | 'EFBIG', message: string) {
    super(message);
    this.code = code;
  }
}

const faultOf = (error: unknown): Fault | undefined => faults[errorCode(error) ?? ''];

/** What is wrong: the code of the system and its words; the error's own words where they are ours or the code is unknown. */
export function faultWords(error: unknown): string {
  const fault = faultOf(error);
  if (fault === undefined || error instanceof FileFault) return error instanceof Error ? error.message : String(error);
  return `${errorCode(error)}: ${fault.words}`;
}

/** The same for a file that cannot be read, without the code. */
export function readingWords(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'file not found';
  return error instanceof FileFault ? error.message : (faultOf(error)?.words ?? faultWords(error));
}

/** `; free some space` and other advice, empty where there is none; `otherwise` where the machine is not at fault. */
export function faultRemedy(error: unknown, otherwise = ''): string {
  const remedy = faultOf(error)?.remedy ?? otherwise;
  return remedy === '' ? '' : `; ${remedy}`;
}

/**
 * The error for a path of the user that cannot be written to. A wrong path is wrong usage; a full disk is a failure.
 * `expected`: "a folder that can be written to"; `otherwise`: what to do where the fault's own advice is missing.
 */
export function cannotUse(
  unit: string,
  expected: string,
  path: string,
  cause: unknown,
  otherwise = otherPlace,
): R2poError {
  const fault = systemError(cause);
  const text = `expected ${expected}, got "${path}": ${faultWords(fault)}${faultRemedy(fault, otherwise)}`;
  return pathError(unit, text, fault);
}

/** The same for one file: `cannot write "path": words; remedy` */
export function cannotWriteFile(unit: string, path: string, cause: unknown, otherwise = otherPlace): R2poError {
  const fault = systemError(cause);
  return pathError(unit, `cannot write "${path}": ${faultWords(fault)}${faultRemedy(fault, otherwise)}`, fault);
}

/** What the system said, where an error of this program already has words for it. */
function systemError(error: unknown): unknown {
  return error instanceof R2poError && errorCode(error.cause) !== null ? error.cause : error;
}

function pathError(unit: string, text: string, cause: unknown): R2poError {
  const fault = faultOf(cause);
  if (errorCode(cause) === null) throw cause;
  const isPath = fault === undefined || fault.path === true;
  return isPath ? new UsageError(unit, text, cause) : new R2poError(unit, text, { cause });
}

/** An error of the system that nothing has put into words yet, as one that a user can act on; null for any other error. */
export function machineFault(error: unknown): R2poError | null {
  if (!(error instanceof Error) || error instanceof R2poError) return null;
  const code = errorCode(error);
  const known = faultOf(error) !== undefined && code !== 'ERR_INVALID_ARG_VALUE';
  if (!known && !('syscall' in error && 'errno' in error)) return null;
  const { syscall, path } = error as { readonly syscall?: string; readonly path?: string };
  const what = `${syscall ?? 'use a file'}${path === undefined ? '' : ` "${path}"`}`;
  return new R2poError('machine', `the system cannot ${what}: ${faultWords(error)}${faultRemedy(error)}`, {
    cause: error,
  });
}
