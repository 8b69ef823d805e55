/** Folders that a command writes its results to. */
import { accessSync, constants } from 'node:fs';
import { cannotUse } from '../machine-fault.ts';
import { clearDeadDrafts } from './atomic-file.ts';
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
