/** Finds the reference's runs below a folder. */
import { basename, dirname, resolve } from 'node:path';
import { walkFolders } from '../../base/node/walk.ts';
import { episodeFolder, logName, reportFolder } from './layout.ts';

/** Maximum depth, well beyond `logs/<experiment>/run_<n>`. */
const maxDepth = 8;

export interface FoundReferenceRun {
  /** path starting with the path that the user gave */
  readonly folder: string;
  /** `<experiment>/run_<n>`: last two names of its absolute path */
  readonly source: string;
}

/** Runs at or below `root`, sorted by name. `onUnreadable` receives folders that cannot be listed. */
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
