/** The folder of an imported run: made beside the others under another name, and in its place in one step. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { R2poError, UsageError } from '../../base/errors.ts';
import { claimFolder } from '../../base/node/atomic-file.ts';
import { cannotRead } from '../reference/files.ts';

/** An empty folder. `source`: what it is for. Throws a usage error when it cannot be made. */
export function openDraftFolder(runsDir: string, source: string): string {
  const draft = join(runsDir, `.import-${source.replaceAll(/[^A-Za-z0-9]+/g, '-')}.${process.pid}.tmp`);
  try {
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
  } catch (cause) {
    throw new UsageError(
      '--runs-dir',
      `expected a folder that can be written to, got "${runsDir}": ${cannotRead(cause)}`,
      cause,
    );
  }
  return draft;
}

/** Gives the draft its name, which says what is in it: where the name is taken, it was imported before. */
export function publishDraft(draft: string, folder: string): { readonly folder: string; readonly already: boolean } {
  try {
    return { folder, already: !claimFolder(draft, folder) };
  } catch (cause) {
    throw new R2poError('import', `cannot make "${folder}": ${cannotRead(cause)}`, { cause });
  }
}
