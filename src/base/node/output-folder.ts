/** Folders and files that a command writes its results to. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../errors.ts';
import { cannotUse, cannotWriteFile, FileFault } from '../machine-fault.ts';
import { clearDeadDrafts, isStdout, refuseDash } from './atomic-file.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Makes the folder of an option, `unit`, before the work whose results it is for, and removes what killed writers left
 * there. Throws a usage error where it cannot be written to.
 */
export function prepareOutputFolder(unit: string, path: string): void {
  try {
    makeFolder(path);
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw cannotUse(unit, 'a writable folder', path, cause);
  }
  clearDeadDrafts(path);
}

/**
 * To be called for the file of an option, `unit`, before the work whose result it is for. Throws a usage error where it
 * cannot be written.
 */
export function checkOutputFile(unit: string, path: string): void {
  refuseDash(unit, path);
  try {
    const exists = existsSync(path);
    if (exists && statSync(path).isDirectory()) throw new FileFault('ENOTREG', 'it is a folder');
    accessSync(exists ? path : dirname(path), constants.W_OK);
    // It would be replaced, and with it what is printed there before and after.
    if (exists && isStdout(path) && statSync(path).isFile()) {
      throw new FileFault('ENOTREG', 'it is the file that stdout is redirected to');
    }
  } catch (cause) {
    throw cannotWriteFile(unit, path, cause, 'name a file in a folder that exists');
  }
}

/** Throws a usage error where `--json` prints its document into the output file of an option, `unit`. */
export function refuseStdoutBesideJson(unit: string, path: string, json: boolean | undefined): void {
  if (!json || !isStdout(path)) return;
  throw new UsageError(unit, `expected another file than stdout, where --json writes its document, got "${path}"`);
}
