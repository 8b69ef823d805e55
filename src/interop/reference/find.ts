/** Finding the runs of the reference below a folder. */
import { type Dirent, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { episodeFolder, logName, reportFolder } from './layout.ts';

/** Deeper than `logs/<experiment>/run_<n>` with room to spare. */
const deepest = 8;

export interface FoundRun {
  /** as the user's path reaches it */
  readonly folder: string;
  /** `<experiment>/run_<n>`: last two names of its absolute path */
  readonly source: string;
}

const numeric = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

export function listFolder(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => numeric(a.name, b.name));
}

/** Runs at or below `root`, in the order of their names. `unreadable` hears of folders that cannot be listed. */
export function findRuns(root: string, unreadable: (folder: string, error: unknown) => void): FoundRun[] {
  const found: FoundRun[] = [];
  const visit = (folder: string, depth: number) => {
    let entries: Dirent[];
    try {
      entries = listFolder(folder);
    } catch (error) {
      unreadable(folder, error);
      return;
    }
    const isRun = entries.some(
      (entry) => entry.name === logName || (entry.isDirectory() && episodeFolder.test(entry.name)),
    );
    if (isRun) {
      const path = resolve(folder);
      found.push({ folder, source: `${basename(dirname(path))}/${basename(path)}` });
      return;
    }
    if (depth === deepest) return;
    for (const entry of entries) {
      // Links are not followed: they may lead in a circle.
      if (entry.isDirectory() && entry.name !== reportFolder) visit(join(folder, entry.name), depth + 1);
    }
  };
  visit(root, 0);
  return found;
}
