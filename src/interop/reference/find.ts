/** Finding the runs of the reference below a folder. */
import { basename, dirname, resolve } from 'node:path';
import { walkFolders } from '../../base/node/walk.ts';
import { episodeFolder, logName, reportFolder } from './layout.ts';

/** Deeper than `logs/<experiment>/run_<n>` with room to spare. */
const maxDepth = 8;

export interface FoundReferenceRun {
  /** as the user's path reaches it */
  readonly folder: string;
  /** `<experiment>/run_<n>`: last two names of its absolute path */
  readonly source: string;
}

/** Runs at or below `root`, in the order of their names. `onUnreadable` gets the folders that cannot be listed. */
export function findReferenceRuns(
  root: string,
  onUnreadable: (folder: string, error: unknown) => void,
): FoundReferenceRun[] {
  const found: FoundReferenceRun[] = [];
  walkFolders([root], {
    maxDepth,
    visit({ path: folder, folders, all }) {
      if (all.includes(logName) || folders.some((name) => episodeFolder.test(name))) {
        const path = resolve(folder);
        found.push({ folder, source: `${basename(dirname(path))}/${basename(path)}` });
        return [];
      }
      return folders.filter((name) => name !== reportFolder);
    },
    onUnreadable,
  });
  return found;
}
