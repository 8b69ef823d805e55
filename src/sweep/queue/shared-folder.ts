/** Whether the machines of a sweep see the same folder: a file in it holds what Redis knows. */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { errorCode, UsageError } from '../../base/errors.ts';
import type { SweepQueue } from './queue.ts';

const markerPath = (runsDir: string, name: string): string => join(runsDir, `.r2po-sweep-${name}`);

function readMarker(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}

/** Makes the file with all that is in it, unless there is one; true when it was made now. */
function makeMarker(path: string, token: string): boolean {
  const draft = `${path}.${token}`;
  writeFileSync(draft, `${token}\n`);
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

/** true when this is the folder that the queue's runs are in; false also where none is agreed on yet. */
export async function isSharedFolderOf(queue: SweepQueue, runsDir: string): Promise<boolean> {
  const agreed = await queue.redis.get(queue.key('place'));
  return agreed !== null && readMarker(markerPath(runsDir, queue.address.name)) === agreed;
}

/** Agrees on the folder of the queue's runs: whoever comes first decides. Throws a usage error when it is another one. */
export async function markSharedFolder(queue: SweepQueue, runsDir: string): Promise<void> {
  const path = markerPath(runsDir, queue.address.name);
  const key = queue.key('place');
  try {
    if ((await queue.redis.get(key)) === null) {
      mkdirSync(runsDir, { recursive: true });
      const made = makeMarker(path, randomBytes(12).toString('hex'));
      const token = readMarker(path) ?? '';
      await queue.redis.setnx(key, token);
      if (made && (await queue.redis.get(key)) !== token) rmSync(path, { force: true });
    }
    if (await isSharedFolderOf(queue, runsDir)) return;
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    const problem = `got "${runsDir}": ${(cause as Error).message}; choose another one`;
    throw new UsageError('--runs-dir', `expected a folder that can be written to, ${problem}`, cause);
  }
  throw new UsageError(
    '--runs-dir',
    `expected the folder that the runs of queue "${queue.address.name}" are in, got "${resolve(runsDir)}" on ` +
      `${hostname()}, where "${path}" does not say so; mount the shared folder, name it with --runs-dir, or let workers ` +
      'with a disk of their own copy their runs with --publish',
  );
}
