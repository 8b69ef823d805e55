/** Sets the files of a run aside whose journal holds less than they say, so that the run can go on from the journal. */
import { constants, copyFileSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { jsonText } from '../../base/json.ts';
import { replaceFile, syncFolder } from '../../base/node/atomic-file.ts';
import { configName, manifestName } from '../../config/recorded.ts';
import { eventsName } from '../journal/journal.ts';
import { lockName } from '../journal/lock.ts';
import { requireRun } from './folder.ts';

const keptPrefix = 'before-repair-';
/** What the run goes on with; everything else is written again. */
const needed: readonly string[] = [configName, manifestName, eventsName];

/**
 * Keeps all files of a run in a folder inside it, and returns that folder. The caller has the lock. `time`: ms since 1970.
 * Throws the error of the file system.
 */
export function keepBeforeRepair(folder: string, time: number): string {
  const kept = join(folder, `${keptPrefix}${new Date(time).toISOString().replaceAll(':', '-')}`);
  const names = readdirSync(folder).filter((name) => !name.startsWith(keptPrefix) && !name.startsWith(lockName));
  mkdirSync(kept);
  for (const name of names.filter((one) => needed.includes(one))) {
    copyFileSync(join(folder, name), join(kept, name), constants.COPYFILE_EXCL);
  }
  for (const name of names.filter((one) => !needed.includes(one))) renameSync(join(folder, name), join(kept, name));
  syncFolder(kept);
  // Last: from here on the run can be resumed like any other one that was broken off.
  replaceFile(
    join(folder, manifestName),
    jsonText({ ...requireRun(folder), status: 'running', stopped: null }),
    'durable',
  );
  return kept;
}
