/** The store in which a worker with a local disk publishes its runs for others. */

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sleep } from '../../base/async.ts';
import { errorCode } from '../../base/errors.ts';
import {
  claimFolder,
  clearDeadDraftsOnce,
  draftName,
  draftSuffix,
  makeOwnFolder,
  replaceFileAsync,
  syncFolder,
} from '../../base/node/atomic-file.ts';
import { makeFolder } from '../../base/node/make-folder.ts';
import { manifestName } from '../../config/recorded.ts';
import { requireRun } from '../../runs/folder/folder.ts';
import { type Manifest, readManifest } from '../../runs/folder/manifest.ts';
import { isFinished, requireWholeJournal } from '../../runs/folder/missing.ts';
import { heartbeatMs } from '../../runs/journal/heartbeat.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { BusyError, lockFolder, lockName, watchLock } from '../../runs/journal/lock.ts';

/** Runs by folder name. A store on a service other than a file system implements the same three methods. */
export interface RunStore {
  /**
   * Manifest of a stored run; null: not stored. Throws a usage error for a finished one whose journal holds less than its
   * other files say.
   */
  manifest(name: string): Promise<Manifest | null>;
  /** Copies a stored run into `folder` if the stored one is longer. */
  fetch(name: string, folder: string): Promise<void>;
  /** Stores a copy of the folder. A finished run already stored stays: the first one counts. */
  publish(name: string, folder: string): Promise<void>;
}

/** The regular files at and below a folder. A link may lead to a file that does not belong to the run. */
function regularFiles(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const name = join(below, entry.name);
    if (entry.isDirectory()) return regularFiles(folder, name);
    return entry.isFile() ? [name] : [];
  });
}

/** What says how far a run is. The manifest is last, so that `finished` means that all files are there. */
const stating: readonly string[] = ['metrics.csv', 'summary.json', manifestName];

/** The files of a run except drafts and the lock: the journal first, those that state how far it is last. */
function filesOf(folder: string): string[] {
  const place = (name: string) => (name === eventsName ? -2 : stating.indexOf(name));
  return regularFiles(folder)
    .filter((name) => !name.endsWith(draftSuffix) && !name.startsWith(lockName))
    .sort((a, b) => place(a) - place(b));
}

/**
 * Copies a run that may go on meanwhile. What states how far it is was read before its journal and is written after it, so
 * that the journal of the copy holds at every moment all that is stated.
 */
async function copyFiles(from: string, to: string): Promise<void> {
  const names = filesOf(from);
  const content = (name: string) => readFile(join(from, name));
  const stated = new Map<string, Buffer>();
  for (const name of names.filter((one) => stating.includes(one))) stated.set(name, await content(name));
  for (const name of names) {
    const target = join(to, name);
    if (dirname(name) !== '.') makeOwnFolder(dirname(target));
    const bytes = stated.get(name) ?? (await content(name).catch(unlessGone));
    // A run deletes trajectories that it does not keep.
    if (bytes !== null) await replaceFileAsync(target, bytes, 'durable');
  }
}

function unlessGone(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}

/** Copies to a new folder in one step; false when it exists. */
async function copyNew(from: string, to: string): Promise<boolean> {
  if (existsSync(to)) return false;
  const parent = dirname(to);
  clearDeadDraftsOnce(parent);
  const draft = draftName(join(parent, '.copy'));
  makeFolder(draft);
  try {
    await copyFiles(from, draft);
    const claimed = claimFolder(draft, to);
    if (claimed) syncFolder(parent);
    return claimed;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Copies into an existing folder under its lock, if `isWanted` still holds then. */
async function copyOver(from: string, to: string, isWanted: () => boolean): Promise<void> {
  const lock = lockFolder(to, { stale: await watchLock(to) });
  try {
    if (!isWanted()) return;
    await copyFiles(from, to);
    syncFolder(to);
  } finally {
    lock.release();
  }
}

const journalSize = (folder: string): number =>
  statSync(join(folder, eventsName), { throwIfNoEntry: false })?.size ?? 0;

/** A store in a folder shared by all machines, which may be slow and is therefore written to rarely. */
export function directoryStore(root: string): RunStore {
  const folderOf = (name: string): string => join(root, name);
  return {
    async manifest(name) {
      const folder = folderOf(name);
      const manifest = readManifest(folder);
      if (manifest?.status === 'finished' && !isFinished({ folder, manifest })) requireWholeJournal(folder);
      return manifest;
    },
    async fetch(name, folder) {
      const kept = folderOf(name);
      if (readManifest(kept) === null || (await copyNew(kept, folder))) return;
      try {
        await copyOver(kept, folder, () => journalSize(kept) > journalSize(folder));
      } catch (error) {
        // Another worker of this machine has the run; the caller learns this when it starts the run.
        if (!(error instanceof BusyError)) throw error;
      }
    },
    async publish(name, folder) {
      const target = folderOf(name);
      makeFolder(root);
      const own = requireRun(folder);
      const isWanted = (): boolean =>
        readManifest(target)?.status !== 'finished' &&
        (own.status === 'finished' || journalSize(folder) > journalSize(target));
      for (let attempt = 1; !(await copyNew(folder, target)) && isWanted(); attempt++) {
        try {
          await copyOver(folder, target, isWanted);
          return;
        } catch (error) {
          if (!(error instanceof BusyError) || attempt === 5) throw error;
          await sleep(heartbeatMs() / 1000);
        }
      }
    },
  };
}
