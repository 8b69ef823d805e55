/** A file that grows while a command runs, and has its name only when it is whole. */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { R2poError, UsageError } from '../base/errors.ts';

export class WholeFile {
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
  static async create(unit: string, path: string): Promise<WholeFile> {
    try {
      const target = targetOf(path);
      const draft = target.replaced ? `${target.path}.${process.pid}.tmp` : target.path;
      return new WholeFile(unit, target.path, draft, await open(draft, 'w'));
    } catch (cause) {
      const { message } = cause as Error;
      throw new UsageError(unit, `cannot write "${path}": ${message}; name a file in a folder that exists`, cause);
    }
  }

  /** Returns when the system has taken the text, so that no more than one lies in memory. */
  async write(text: string): Promise<void> {
    try {
      await this.#file.writeFile(text);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** Gives it its name. */
  async finish(): Promise<void> {
    try {
      await this.#file.close();
      if (this.#draft !== this.#path) await rename(this.#draft, this.#path);
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** Leaves nothing of it; what had the name before stays. */
  async discard(): Promise<void> {
    await this.#file.close();
    if (this.#draft !== this.#path) await rm(this.#draft, { force: true });
  }

  #failed(cause: unknown): R2poError {
    const { code, message } = cause as NodeJS.ErrnoException;
    const remedy =
      code === 'ENOSPC' || code === 'EDQUOT' ? 'free some space, or name a file on another disk' : 'try again';
    return new R2poError(this.#unit, `cannot write "${this.#path}": ${message}; ${remedy}; nothing of it was kept`, {
      cause,
    });
  }
}

/** A link is followed, and what is no file, a pipe or `/dev/stdout`, cannot be replaced. */
function targetOf(path: string): { readonly path: string; readonly replaced: boolean } {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return { path, replaced: true };
  // Where a pipe's link leads to has no name, and where a broken link leads to is made by opening the link.
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? { path: realpathSync(path), replaced: true } : { path, replaced: false };
}
