/** The folder of `--out`. */
import { cannotUse } from '../base/machine-fault.ts';
import { makeFolder } from '../base/node/make-folder.ts';

/** Makes it, before hours of work whose results it is for. Throws a usage error where the path is none for a folder. */
export function requireOutFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (cause) {
    throw cannotUse('--out', 'a writable folder', path, cause);
  }
}
