/**
 * Writing files that others read meanwhile: they see the old content or the new one, never half of it. Others may write into
 * the folder too: a draft has a name that nobody can guess and is opened only if there is nothing of that name, so that a link
 * in its place cannot redirect what is written.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { appendFile, type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, R2poError, UsageError } from '../errors.ts';
import { cannotUse, cannotWriteFile, faultRemedy, faultWords } from '../machine-fault.ts';
import { makeFolder } from './make-folder.ts';
import { markHasEnded, processMark } from './process-identity.ts';

/** `rebuildable` files need not survive a power cut: waiting for the disk takes longer than a search step. */
export type Durability = 'durable' | 'rebuildable';

/** The end of a draft's name, by which a reader of a folder knows what to skip. */
export const draftSuffix = '.tmp';

/** A name for a draft of a file or folder: it says which process writes it, so that others know when it is left behind. */
export function draftName(path: string): string {
  // A name may have 255 bytes.
  const start = Buffer.byteLength(basename(path)) <= 200 ? path : join(dirname(path), '.draft');
  return `${start}.${processMark()}.${randomBytes(6).toString('hex')}${draftSuffix}`;
}

/** Whether the writer of a draft has ended; null: no draft, or one of another machine or of an earlier version. */
function writerHasEnded(name: string): boolean | null {
  const [, mark, random, suffix] = /\.([\d-]+[0-9a-f]{8})\.([0-9a-f]{12})(\.\w+)$/.exec(name) ?? [];
  return mark === undefined || random === undefined || suffix !== draftSuffix ? null : markHasEnded(mark);
}

function cannotWrite(path: string, cause: unknown): R2poError {
  return new R2poError('file', `cannot write "${path}": ${faultWords(cause)}${faultRemedy(cause)}`, { cause });
}

/** Writes beside the target, then renames over it. Throws an `R2poError` that names the path. */
export function replaceFile(path: string, content: string | Uint8Array, durability: Durability): void {
  try {
    closeSync(reopenReplaced(path, content, durability));
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** As `replaceFile`, without blocking the others that share the process while the disk works. */
export async function replaceFileAsync(
  path: string,
  content: string | Uint8Array,
  durability: Durability,
): Promise<void> {
  const draft = draftName(path);
  try {
    await writeFile(draft, content, { flag: 'wx', flush: durability === 'durable' });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cannotWrite(path, cause);
  }
}

/** Not through a link. */
const appendFlags = constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0);

/** Adds to the end of a file, in one write for what is small. Throws an `R2poError` that names the path. */
export async function appendText(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await appendFile(path, content, { flag: appendFlags });
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/**
 * Replaces the file and returns the new one, open for reading and writing: a process that has the old file open cannot
 * write into the new one. `content`: also a function that writes it. Throws the error of the file system.
 */
export function reopenReplaced(
  path: string,
  content: string | Uint8Array | ((fd: number) => void),
  durability: Durability,
): number {
  const draft = draftName(path);
  const fd = openSync(draft, 'wx+');
  try {
    if (typeof content === 'function') content(fd);
    else writeFileSync(fd, content);
    if (durability === 'durable') fsyncSync(fd);
    renameSync(draft, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Calls `write` with the path of a draft, which gets the name `path` once it is whole and is removed if `write` throws. */
export async function writeDraft(path: string, write: (draft: string) => Promise<void>): Promise<void> {
  clearDeadDrafts(dirname(path), `${basename(path)}.`);
  const draft = draftName(path);
  try {
    await write(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Removes what killed writers left in a folder, which only the caller writes to; another living process may ask for its lock. */
export function clearDrafts(folder: string): void {
  const own = `.${processMark()}.`;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!name.endsWith(draftSuffix) || (writerHasEnded(name) === false && !name.includes(own))) continue;
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false) rmSync(path, { force: true });
  }
}

/**
 * Removes what writers of this machine that have ended left in a folder: drafts of files and folders. `start`: of their names.
 * A folder that cannot be listed, and what cannot be removed, is left.
 */
export function clearDeadDrafts(folder: string, start = ''): void {
  try {
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(start) || writerHasEnded(name) !== true) continue;
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  } catch (error) {
    if (errorCode(error) === null) throw error;
  }
}

/** Folders that this process has looked through. */
const cleared = new Set<string>();

/** The same once in a process: a folder of runs has many names, and many runs are made in it. */
export function clearDeadDraftsOnce(folder: string): void {
  const path = resolve(folder);
  if (cleared.has(path)) return;
  cleared.add(path);
  clearDeadDrafts(path);
}

/**
 * Makes the folder unless it exists. Throws an `R2poError` for a link to a folder, which would lead what is written there
 * to another place.
 */
export function makeOwnFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new R2poError('file', `expected a folder at "${path}", got a link; remove it`);
  }
  try {
    makeFolder(path);
  } catch (cause) {
    throw cannotUse('file', 'a folder', path, cause);
  }
}

/** Gives a finished folder its name in one step. Returns false when the name is taken, also by a faster process. */
export function claimFolder(draft: string, folder: string): boolean {
  if (existsSync(folder)) return false;
  try {
    renameSync(draft, folder);
    return true;
  } catch (error) {
    const taken = ['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR'].includes(errorCode(error) ?? '');
    if (taken && existsSync(folder)) return false;
    throw error;
  }
}

/** Makes the names in a folder durable. Systems that cannot open a folder (Windows) do so by themselves. */
export function syncFolder(folder: string): void {
  let fd: number;
  try {
    fd = openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EPERM' && code !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

/** Whether a path names what this process prints to. */
export function isStdout(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  try {
    const { dev, ino } = fstatSync(1);
    return found.dev === dev && found.ino === ino;
  } catch {
    // Nobody reads it.
    return false;
  }
}

/** Throws a `UsageError` of `unit` for the name that stands for stdin where a file is read: here it would be a file's own. */
export function refuseDash(unit: string, path: string): void {
  if (path !== '-') return;
  throw new UsageError(
    unit,
    'expected the name of a file, got "-"; give /dev/stdout to print it, or ./- for this name',
  );
}

/** An output file that grows while a command runs, and gets its name once it is whole. */
export class OutputFile {
  readonly #unit: string;
  readonly #path: string;
  readonly #draft: string;
  readonly #file: FileHandle;

  private constructor(unit: string, path: string, draft: string, file: FileHandle) {
    this.#unit = unit;
    this.#path = path;
    this.#draft = draft;
    this.#file = file;
  }

  /** Throws a `UsageError` when it cannot be made. `unit` starts the messages. */
  static async create(unit: string, path: string): Promise<OutputFile> {
    refuseDash(unit, path);
    try {
      const target = targetOf(path);
      if (target.replaced) clearDeadDrafts(dirname(target.path), `${basename(target.path)}.`);
      const draft = target.replaced ? draftName(target.path) : target.path;
      return new OutputFile(unit, target.path, draft, await open(draft, target.replaced ? 'wx' : 'a'));
    } catch (cause) {
      throw cannotWriteFile(unit, path, cause, 'name a file in a folder that exists');
    }
  }

  /** Returns when the system has taken the text, so that no more than one text is in memory. */
  async write(text: string): Promise<void> {
    try {
      await this.#file.writeFile(text);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** Gives the file its name. */
  async finish(): Promise<void> {
    try {
      await this.#file.close();
      if (this.#draft !== this.#path) await rename(this.#draft, this.#path);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** Removes the draft; an earlier file of that name stays. */
  async discard(): Promise<void> {
    await this.#file.close();
    if (this.#draft !== this.#path) await rm(this.#draft, { force: true });
  }

  #failed(cause: unknown): R2poError {
    const remedy = faultRemedy(cause, 'try again');
    const message = `cannot write "${this.#path}": ${faultWords(cause)}${remedy}; nothing of it was kept`;
    return new R2poError(this.#unit, message, { cause });
  }
}

/** Follows a link. A pipe cannot be replaced, and the file that stdout is redirected to must not be. */
function targetOf(path: string): { readonly path: string; readonly replaced: boolean } {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return { path, replaced: true };
  // The target of a pipe's link has no name, and opening a broken link makes its target.
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() && !isStdout(path) ? { path: realpathSync(path), replaced: true } : { path, replaced: false };
}
