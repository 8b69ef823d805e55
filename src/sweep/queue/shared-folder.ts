/** Checks that all machines of a sweep see the same folder: a marker file in it contains a token stored in Redis. */
import { randomBytes } from 'node:crypto';
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { errorCode, UsageError } from '../../base/errors.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { draftName } from '../../base/node/atomic-file.ts';
import { makeFolder } from '../../base/node/make-folder.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import type { SweepQueue } from './queue.ts';

const markerPath = (runsDir: string, name: string): string => join(runsDir, `.r2po-sweep-${name}`);

function readMarker(path: string): string | null {
  try {
    return readRegularText(path).trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}

/** Creates the complete file unless it exists; true when created now. */
function makeMarker(path: string, token: string): boolean {
  const draft = draftName(path);
  writeFileSync(draft, `${token}\n`, { flag: 'wx' });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // a file system without hard links
    try {
      writeFileSync(path, `${token}\n`, { flag: 'wx' });
      return true;
    } catch (again) {
      if (errorCode(again) === 'EEXIST') return false;
      throw again;
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whether this is the folder of the queue's runs; false also before a folder is marked. */
export async function isSharedFolderOf(queue: SweepQueue, runsDir: string): Promise<boolean> {
  const agreed = await queue.redis.get(queue.key('place'));
  return agreed !== null && readMarker(markerPath(runsDir, queue.address.name)) === agreed;
}

/** Marks the folder of the queue's runs; the first caller decides. Throws a usage error for another folder. */
export async function markSharedFolder(queue: SweepQueue, runsDir: string): Promise<void> {
  const path = markerPath(runsDir, queue.address.name);
  const key = queue.key('place');
  try {
    if ((await queue.redis.get(key)) === null) {
      makeFolder(runsDir);
      const made = makeMarker(path, randomBytes(12).toString('hex'));
      const token = readMarker(path) ?? '';
      await queue.redis.setnx(key, token);
      if (made && (await queue.redis.get(key)) !== token) rmSync(path, { force: true });
    }
    if (await isSharedFolderOf(queue, runsDir)) return;
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    throw cannotUse('--runs-dir', 'a writable folder', runsDir, cause);
  }
  throw new UsageError(
    '--runs-dir',
    `expected the shared folder of queue "${queue.address.name}", got "${resolve(runsDir)}" on ` +
      `${hostname()}, where "${path}" is missing or differs; mount the shared folder, name it with --runs-dir, or let workers ` +
      'with local disks copy their runs with --publish',
  );
}
