/** Files of a run folder. A reader sees the old content or the new one, never half of it. */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { R2poError } from '../../base/errors.ts';

/** Files that come back by themselves need not survive a power cut: waiting for the disk takes longer than a search step. */
export type Durability = 'durable' | 'rebuildable';

const draftOf = (path: string): string => `${path}.tmp`;

function cannotWrite(path: string, cause: unknown): R2poError {
  return new R2poError('run folder', `cannot write "${path}": ${(cause as Error).message}`, { cause });
}

/** Writes beside the target, then renames over it. */
export function replaceFile(path: string, content: string | Uint8Array, durability: Durability): void {
  const draft = draftOf(path);
  try {
    const fd = openSync(draft, 'w');
    try {
      writeFileSync(fd, content);
      if (durability === 'durable') fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** The same for what is written while a run goes on: others that share the process do not wait for the disk. */
export async function replaceFileAsync(
  path: string,
  content: string | Uint8Array,
  durability: Durability,
): Promise<void> {
  const draft = draftOf(path);
  try {
    const file = await open(draft, 'w');
    try {
      await file.writeFile(content);
      if (durability === 'durable') await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** JSON with a stable, readable layout and a newline at the end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Makes the names in a folder durable. Systems that cannot open a folder (Windows) keep them durable by themselves. */
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
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

/** The `code` of a file system error, null for any other. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
