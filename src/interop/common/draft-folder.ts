/** The draft folder of an imported run: written under a temporary name and renamed in one step. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { R2poError } from '../../base/errors.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { claimFolder, clearDeadDraftsOnce, draftName } from '../../base/node/atomic-file.ts';
import { makeFolder } from '../../base/node/make-folder.ts';
import { cannotRead } from '../reference/files.ts';

/** Runs `write` with an empty draft folder for `source`, which goes afterwards. Throws a usage error when none can be made. */
export async function withDraftFolder<T>(
  runsDir: string,
  source: string,
  write: (draft: string) => Promise<T>,
): Promise<T> {
  const name = source.replaceAll(/[^A-Za-z0-9]+/g, '-');
  const draft = draftName(join(runsDir, `.import-${name}`));
  try {
    makeFolder(runsDir);
    clearDeadDraftsOnce(runsDir);
    mkdirSync(draft);
  } catch (cause) {
    throw cannotUse('--runs-dir', 'a writable folder', runsDir, cause);
  }
  try {
    return await write(draft);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Renames the draft to its final name, which identifies its contents: an existing name means an earlier import. */
export function publishDraft(draft: string, folder: string): { readonly folder: string; readonly already: boolean } {
  try {
    return { folder, already: !claimFolder(draft, folder) };
  } catch (cause) {
    throw new R2poError('import', `cannot make "${folder}": ${cannotRead(cause)}`, { cause });
  }
}
