/**
 * Where the process of a run listens: a Unix socket in a folder that only its user can enter, or a named pipe on Windows.
 * Its name is a hash of the run folder's real path, so that its length does not depend on that path.
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { errorCode } from '../../base/errors.ts';

/** Characters of the hash, of which two runs of a user do not have the same ones. */
const hashLength = 32;
/** A socket's path has fewer bytes than this on every system; Linux has room for 107, macOS for 103. */
const maxPathBytes = 100;
const folderName = 'r2po';
const pipePrefix = '\\\\.\\pipe\\';
const isWindows = process.platform === 'win32';

/** Environment variables that decide where sockets are. */
export interface PlaceVariables {
  readonly XDG_RUNTIME_DIR?: string | undefined;
}

function userId(): number {
  return process.getuid?.() ?? -1;
}

/** The real path of a folder, also of one that was moved away meanwhile. */
function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (errorCode(error) === null) throw error;
    const path = resolve(folder);
    try {
      return join(realpathSync(dirname(path)), basename(path));
    } catch (second) {
      if (errorCode(second) === null) throw second;
      return path;
    }
  }
}

/** Name of the socket of a run. */
export function socketName(folder: string): string {
  return `${createHash('sha256').update(realPath(folder)).digest('hex').slice(0, hashLength)}.sock`;
}

const socketPattern = /^[0-9a-f]{32}\.sock$/;
/** A name for a socket that is being made or cleared away; a process that is killed meanwhile leaves it. */
export function draftSocket(folder: string): string {
  return join(folder, `.${randomBytes(8).toString('hex')}.sock`);
}
const draftPattern = /^\.[0-9a-f]{16}\.sock$/;

/** Whether a path is a folder that this user alone can change. */
function isOwnBase(path: string | undefined): path is string {
  if (path === undefined || !isAbsolute(path)) return false;
  try {
    const { uid, mode } = statSync(path);
    return uid === userId() && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** Why a folder is not used; null: it is a folder of this user that nobody else can enter. A link is not followed. */
function refusalOf(folder: string): string | null {
  const found = lstatSync(folder);
  if (found.isSymbolicLink()) return 'it is a link';
  if (!found.isDirectory()) return 'it is no folder';
  if (found.uid !== userId()) return 'it belongs to another user';
  return (found.mode & 0o077) === 0 ? null : 'other users can enter it';
}

/**
 * The folders for sockets, the preferred one first: in the runtime folder of the user, else in the folder for temporary
 * files. A run and who steers it may see different variables, so that the second one is looked into as well.
 */
function candidateFolders({ XDG_RUNTIME_DIR }: PlaceVariables): string[] {
  const own = `${folderName}-${userId()}`;
  const folders = [
    ...(isOwnBase(XDG_RUNTIME_DIR) ? [join(XDG_RUNTIME_DIR, folderName)] : []),
    join(tmpdir(), own),
    join('/tmp', own),
  ];
  const room = maxPathBytes - '/.sock'.length - hashLength;
  return [...new Set(folders)].filter((folder) => Buffer.byteLength(folder) <= room);
}

/** The folders with sockets that this user can trust. */
export function socketFolders(variables: PlaceVariables = process.env): string[] {
  if (isWindows) return [];
  return candidateFolders(variables).filter((folder) => {
    try {
      return refusalOf(folder) === null;
    } catch {
      return false;
    }
  });
}

/** The folder where a socket can be made, or why there is none. */
export function makeSocketFolder(
  variables: PlaceVariables = process.env,
): { readonly folder: string } | { readonly problem: string } {
  const problems: string[] = [];
  for (const folder of candidateFolders(variables)) {
    try {
      mkdirSync(folder, { mode: 0o700 });
      // The mask of the process may have taken rights from the owner.
      chmodSync(folder, 0o700);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') {
        problems.push(`"${folder}": ${errorCode(error) ?? String(error)}`);
        continue;
      }
    }
    const refusal = refusalOf(folder);
    if (refusal === null) return { folder };
    problems.push(`"${folder}": ${refusal}`);
  }
  return { problem: problems.length === 0 ? 'the paths of the folders for sockets are too long' : problems.join('; ') };
}

/** Name of the pipe of a run on Windows, where folders do not keep users apart. */
export function pipePath(name: string): string {
  return `${pipePrefix}r2po-${userInfo().username}-${name}`;
}

/** Where a run can be asked: one path for each folder. */
export function socketPaths(folder: string, variables: PlaceVariables = process.env): string[] {
  const name = socketName(folder);
  return isWindows ? [pipePath(name)] : socketFolders(variables).map((one) => join(one, name));
}

/** Every socket of this user, also those of processes that were killed. */
export function everySocket(variables: PlaceVariables = process.env): string[] {
  if (isWindows) {
    const own = `r2po-${userInfo().username}-`;
    return readdirSync(pipePrefix)
      .filter((name) => name.startsWith(own) && socketPattern.test(name.slice(own.length)))
      .map((name) => `${pipePrefix}${name}`);
  }
  return socketFolders(variables).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => socketPattern.test(name) || draftPattern.test(name))
      .map((name) => join(folder, name)),
  );
}
