/** Finds the run folders that a command was given. */
import { statSync } from 'node:fs';
import { UsageError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { walkFolders } from '../../base/node/walk.ts';
import { counted } from '../../base/plain-number.ts';
import { manifestName } from '../../config/recorded.ts';
import { eventsName } from '../journal/journal.ts';

/** A path that is not used, and the reason. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
  /** true: it should have been read, and could not be */
  readonly broken?: boolean;
  /** folders in it that were not searched, as they are too deep */
  readonly deeper?: number;
}

export interface FoundFolders {
  /** each once, in the order of their numbers and names */
  readonly folders: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Levels below a given folder that are searched: a page that shows it does so again and again. */
export const maxDepth = 3;

/** Why something may be missing: folders below the last level that is searched. */
export const notSearched = (count: number): string =>
  `holds ${counted(count, 'folder')} that ${count === 1 ? 'was' : 'were'} not searched, more than ${maxDepth} levels below what ` +
  `was named; name ${count === 1 ? 'it' : 'them'} to search there`;

/**
 * The run folders among these paths and in the folders below them. Throws a usage error of `unit` for a path that does not
 * exist. Files, unreadable folders and folders without a run are left out with a reason.
 */
export function findRunFolders(paths: readonly string[], unit: string): FoundFolders {
  const folders: string[] = [];
  const leftOut: LeftOut[] = [];
  const roots = paths.filter((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new UsageError(unit, `expected a run folder or a folder of runs, found no "${path}"`);
    if (!found.isDirectory()) leftOut.push({ path, reason: 'is not a folder' });
    return found.isDirectory();
  });
  walkFolders(roots, {
    maxDepth,
    visit({ path, files, folders: inside }, depth) {
      if (files.includes(manifestName)) {
        folders.push(path);
        return [];
      }
      if (files.includes(eventsName)) {
        leftOut.push({ path, reason: `is a run that has lost its ${manifestName}`, broken: true });
        return [];
      }
      const shown = inside.filter((name) => !name.startsWith('.'));
      if (shown.length === 0) leftOut.push({ path, reason: 'neither is nor contains a run folder' });
      else if (depth === maxDepth) {
        leftOut.push({ path, reason: notSearched(shown.length), deeper: shown.length });
      }
      return shown;
    },
    onUnreadable: (path, error) => leftOut.push({ path, reason: `cannot be read: ${faultWords(error)}`, broken: true }),
  });
  return { folders, leftOut };
}
