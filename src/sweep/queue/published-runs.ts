/** Where a worker with a disk of its own keeps its runs for others. */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sleep } from '../../base/async.ts';
import { claimFolder, draftSuffix, replaceFileAsync, syncFolder } from '../../base/node/atomic-file.ts';
import { requireRun } from '../../runs/folder/folder.ts';
import { type Manifest, manifestName, readManifest } from '../../runs/folder/manifest.ts';
import { heartbeatMs } from '../../runs/journal/heartbeat.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { BusyError, lockFolder, lockName, watchLock } from '../../runs/journal/lock.ts';

/** Runs by the names of their folders. A store on another service than a file system has these three as well. */
export interface RunStore {
  /** What is kept of a run; null: nothing. */
  manifest(name: string): Promise<Manifest | null>;
  /** Brings what is kept of a run into `folder` if that is more than what is there. */
  fetch(name: string, folder: string): Promise<void>;
  /** Keeps a copy of the folder. A finished run that is kept already stays: whoever is first is right. */
  publish(name: string, folder: string): Promise<void>;
}

/** The files of a run but for drafts and the lock, the manifest last: whoever reads `finished` finds the others. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.endsWith(draftSuffix) && !name.startsWith(lockName))
    .filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile())
    .sort((a, b) => Number(a === manifestName) - Number(b === manifestName));
}

async function copyFiles(from: string, to: string): Promise<void> {
  for (const name of filesOf(from)) {
    const target = join(to, name);
    mkdirSync(dirname(target), { recursive: true });
    await replaceFileAsync(target, await readFile(join(from, name)), 'durable');
  }
}

/** Copies a folder that is not there yet in one step; false when it is there. */
async function copyNew(from: string, to: string): Promise<boolean> {
  if (existsSync(to)) return false;
  const draft = join(dirname(to), `.${randomBytes(8).toString('hex')}${draftSuffix}`);
  mkdirSync(draft, { recursive: true });
  try {
    await copyFiles(from, draft);
    const claimed = claimFolder(draft, to);
    if (claimed) syncFolder(dirname(to));
    return claimed;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Copies into a folder that is there, while nobody else has it; `isWanted` is asked again by then. */
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

/** A folder that all machines see, which may be slow: it is written to when a run ends or is given back. */
export function directoryStore(root: string): RunStore {
  const folderOf = (name: string): string => join(root, name);
  return {
    manifest: async (name) => readManifest(folderOf(name)),
    async fetch(name, folder) {
      const kept = folderOf(name);
      if (readManifest(kept) === null || (await copyNew(kept, folder))) return;
      try {
        await copyOver(kept, folder, () => journalSize(kept) > journalSize(folder));
      } catch (error) {
        // Another worker of this machine has it, and is told so when it begins.
        if (!(error instanceof BusyError)) throw error;
      }
    },
    async publish(name, folder) {
      const target = folderOf(name);
      mkdirSync(root, { recursive: true });
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
