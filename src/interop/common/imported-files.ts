/** The files of an imported run beside its journal. */
import { type Manifest, newManifest } from '../../runs/folder/manifest.ts';
import type { RunFiles } from '../../runs/folder/run-files.ts';
import type { ImportedJournal } from './imported-journal.ts';

type ImportFacts = Pick<
  Manifest,
  'config_hash' | 'env' | 'method' | 'seed' | 'backend' | 'model' | 'model_kind' | 'iterations' | 'branch' | 'imported'
>;

/** Writes the manifest and the files that are derived from the journal. `now`: of the import, ms since 1970 */
export async function writeImportedFiles(
  files: RunFiles,
  journal: ImportedJournal,
  { argv, now }: { readonly argv: readonly string[]; readonly now: number },
  { imported, ...facts }: ImportFacts,
): Promise<void> {
  const { status } = journal.totals;
  const created = new Date(now).toISOString();
  await files.write(journal.totals, journal.end);
  await files.writeManifest(
    newManifest({ status, argv: [...argv], created, ...facts, adapter: null, stopped: null, imported }),
  );
}
