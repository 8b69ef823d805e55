/** The folder whose runs are shown: which paths below it are runs, and that none leads out of it. */
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { errorCode, errorDetail, UsageError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { configName, manifestName } from '../../config/recorded.ts';
import { findRunFolders, notSearched } from '../../runs/folder/find-runs.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { lockName } from '../../runs/journal/lock.ts';

/** A folder that is a run, or should be one. */
export interface FoundFolder {
  /** path below the root, its parts joined by `/` */
  readonly id: string;
  readonly folder: string;
  /** why it cannot be read, in words; null: nothing is known to be wrong */
  readonly problem: string | null;
}

export interface FoundInRoot {
  readonly folders: readonly FoundFolder[];
  /** what is wrong with the root itself; null: nothing */
  readonly problem: string | null;
  /** folders that are too deep, which were not searched */
  readonly deeper: number;
}

/** The files that rows and pages are made from. */
export const readFiles = [manifestName, 'summary.json', 'metrics.csv', configName, eventsName, lockName] as const;
export type ReadFile = (typeof readFiles)[number];

/** Whether `path` is `root` or lies below it; both are real paths. */
function isInside(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside === '' || !(inside === '..' || inside.startsWith(`..${sep}`) || resolve(inside) === inside);
}

/** Why a path cannot be read, in words. Throws what is no error of the file system. */
function unreadable(path: string, error: unknown): string {
  if (errorCode(error) === null) throw error;
  return `cannot read "${path}": ${faultWords(error)}`;
}

export class RunRoot {
  /** as the user named it, or the folder that holds the one run that was named */
  readonly path: string;
  /** the only run that is shown; null: all */
  readonly #only: string | null;

  /** Throws a usage error for a path that is no folder. */
  constructor(given: string) {
    const found = statSync(given, { throwIfNoEntry: false });
    if (!found?.isDirectory()) {
      const got = found ? 'a file' : 'no such folder';
      const remedy = 'start a run first ("r2po run cartpole/r2po"), or name the folder of your runs';
      throw new UsageError('view', `expected a folder of runs at "${given}", got ${got}; ${remedy}`);
    }
    const isRun = statSync(join(given, manifestName), { throwIfNoEntry: false })?.isFile() === true;
    const path = ['.', '..'].includes(basename(given)) ? resolve(given) : given;
    this.path = isRun ? dirname(path) : given;
    this.#only = isRun ? basename(path) : null;
  }

  /** The run folders that are there now. */
  find(): FoundInRoot {
    const start = this.#only === null ? this.path : join(this.path, this.#only);
    try {
      const { folders, leftOut } = findRunFolders([start], 'view');
      const deeper = leftOut.reduce((sum, { deeper: count = 0 }) => sum + count, 0);
      const damaged = leftOut.filter(({ broken }) => broken === true);
      const problem = damaged.find(({ path }) => path === start && this.#only === null)?.reason ?? null;
      return {
        folders: [
          ...folders.map((folder) => ({ id: this.#idOf(folder), folder, problem: null })),
          ...damaged
            .filter(({ path }) => path !== start || this.#only !== null)
            .map(({ path, reason }) => ({ id: this.#idOf(path), folder: path, problem: reason })),
        ],
        // Where runs are shown, the command has said so.
        problem: problem ?? (folders.length === 0 && deeper > 0 ? `"${start}" ${notSearched(deeper)}` : null),
        deeper,
      };
    } catch (error) {
      const problem = error instanceof UsageError ? errorDetail(error) : unreadable(start, error);
      return { folders: [], problem, deeper: 0 };
    }
  }

  #idOf(folder: string): string {
    return relative(this.path, folder).split(sep).join('/');
  }

  /** Why the folder or a file in it must not be read: a link that leads out of the root; null: nothing of the kind. */
  linkProblem(folder: string, name?: ReadFile): string | null {
    const path = name === undefined ? folder : join(folder, name);
    try {
      if (isInside(realpathSync(this.path), realpathSync(path))) return null;
      return `"${path}" is a link to a place outside of "${this.path}"; copy the run into that folder to see it`;
    } catch (error) {
      return unreadable(path, error);
    }
  }

  /** The files of a run folder that are there, without following links, and why one of them must not or cannot be read. */
  filesOf(folder: string): { readonly stats: ReadonlyMap<ReadFile, Stats>; readonly problem: string | null } {
    const stats = new Map<ReadFile, Stats>();
    let problem: string | null = null;
    for (const name of readFiles) {
      const path = join(folder, name);
      try {
        const found = lstatSync(path, { throwIfNoEntry: false });
        if (!found) continue;
        stats.set(name, found);
        if (found.isSymbolicLink()) problem ??= this.linkProblem(folder, name);
      } catch (error) {
        problem ??= unreadable(path, error);
      }
    }
    return { stats, problem };
  }
}
