/** Listing folders and walking through them: bounded, in the natural order of the names, never in a circle of links. */
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';

const collator = new Intl.Collator('en', { numeric: true });

/** Compares names by their numbers, so that `run_2` comes before `run_10`. */
export const byNaturalOrder = (a: string, b: string): number => collator.compare(a, b);

/** The names in a folder, in natural order. A link to a file is a file. */
export interface FolderListing {
  readonly path: string;
  /** names of subfolders */
  readonly folders: readonly string[];
  /** names of regular files */
  readonly files: readonly string[];
  /** names of all entries */
  readonly all: readonly string[];
}

/** What a link leads to; null: nothing, or nothing that can be reached. */
function targetOf(link: string): Stats | null {
  try {
    return statSync(link);
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return null;
  }
}

/** Throws the error of the file system. `followLinks`: a link to a folder is a folder. */
export function listFolder(path: string, followLinks = false): FolderListing {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => byNaturalOrder(a.name, b.name));
  const kindOf = (entry: Dirent): 'folder' | 'file' | null => {
    if (!entry.isSymbolicLink()) return entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : null;
    const target = targetOf(join(path, entry.name));
    return target?.isFile() ? 'file' : target?.isDirectory() && followLinks ? 'folder' : null;
  };
  const kinds = entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  const named = (wanted: 'folder' | 'file') => kinds.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  return { path, folders: named('folder'), files: named('file'), all: entries.map(({ name }) => name) };
}

export interface WalkOptions {
  /** levels below a root that are entered; a root is level 0 */
  readonly maxDepth: number;
  /** whether links to folders are entered */
  readonly followLinks?: boolean;
  /** Called once per folder; returns the names of the subfolders to enter. */
  visit(listing: FolderListing, depth: number): readonly string[];
  /** Called for a folder that cannot be listed; may throw. */
  onUnreadable(path: string, error: Error, depth: number): void;
}

/** Walks through the folders at and below `roots`, depth first; each real folder once. */
export function walkFolders(roots: readonly string[], options: WalkOptions): void {
  const { maxDepth, followLinks, visit, onUnreadable } = options;
  const seen = new Set<string>();
  const enter = (path: string, depth: number): void => {
    let listing: FolderListing;
    try {
      const real = realpathSync(path);
      if (seen.has(real)) return;
      seen.add(real);
      listing = listFolder(path, followLinks);
    } catch (error) {
      onUnreadable(path, error as Error, depth);
      return;
    }
    const names = visit(listing, depth);
    if (depth < maxDepth) for (const name of names) enter(join(path, name), depth + 1);
  };
  for (const root of roots) enter(root, 0);
}
