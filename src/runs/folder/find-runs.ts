/** Finds the run folders that a command was given. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { manifestName } from './manifest.ts';

/** What was looked at and is not used, and why. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

export interface FoundFolders {
  /** each once, in the order of their numbers and names */
  readonly folders: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Folders in folders are looked into so deep. */
const depth = 3;

/**
 * The run folders among these paths and in the folders among them. Throws a usage error of `unit` for a path that does not
 * exist; what is no folder, cannot be read or holds no run is left out with its reason.
 */
export function findRunFolders(paths: readonly string[], unit: string): FoundFolders {
  const folders: string[] = [];
  const leftOut: LeftOut[] = [];
  const seen = new Set<string>();

  const look = (path: string, levels: number): void => {
    const real = realpathSync(path);
    if (seen.has(real)) return;
    seen.add(real);
    let inside: string[];
    try {
      if (statSync(join(path, manifestName), { throwIfNoEntry: false })) return void folders.push(path);
      inside = levels === 0 ? [] : subfolders(path);
    } catch (cause) {
      return void leftOut.push({ path, reason: `cannot be read: ${(cause as Error).message}` });
    }
    if (inside.length === 0) return void leftOut.push({ path, reason: 'is no run folder and holds none' });
    for (const folder of inside) look(folder, levels - 1);
  };

  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new UsageError(unit, `expected a run folder or one that holds runs, found no "${path}"`);
    if (found.isDirectory()) look(path, depth);
    else leftOut.push({ path, reason: 'is no folder' });
  }
  return { folders, leftOut };
}

function subfolders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => join(path, name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
