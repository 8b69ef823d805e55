/**
 * Imports a Stable-Baselines3 training as a run folder, for reports that compare it with searches. It has rewards but
 * no policies or prompts, and is marked so. Unreadable parts are omitted and listed by file.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { configName } from '../../config/recorded.ts';
import { RunFiles } from '../../runs/folder/run-files.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { publishDraft, withDraftFolder } from '../common/draft-folder.ts';
import { ImportLog } from '../common/import-log.ts';
import { writeImportedFiles } from '../common/imported-files.ts';
import { ImportedJournal } from '../common/imported-journal.ts';
import type { ImportedRun } from '../reference/import.ts';
import { openEvaluationTraining } from './evaluation-training.ts';
import type { FoundTraining, TrainingLayout } from './find.ts';
import { openMonitors, openMonitorTraining } from './monitor-training.ts';
import type { ImportTrainingOptions, Training } from './training.ts';

export const importFormat = 'Stable-Baselines3';
/** Backend and model names of imported trainings, whose episodes were played elsewhere without a model. */
const backend = 'stable-baselines3';
const model = 'none';

export type ImportedTraining = Omit<ImportedRun, 'layout'> & { readonly layout: TrainingLayout };

type WrittenRun = Pick<ImportedRun, 'folder' | 'already' | 'iterations'>;
const nothing: WrittenRun = { folder: null, already: false, iterations: 0 };

/** Imports one training. Throws a usage error when the runs' folder cannot be written, or for a bad name of an algorithm. */
export async function importTraining(found: FoundTraining, options: ImportTrainingOptions): Promise<ImportedTraining> {
  const importLog = new ImportLog();
  const monitors = found.layout === 'monitor' ? openMonitors(found) : null;
  try {
    const training = monitors
      ? await openMonitorTraining(found, monitors, options, importLog)
      : await openEvaluationTraining(found, options, importLog);
    const written = training ? await writeTraining(found, training, options, importLog) : nothing;
    return {
      source: found.files.length === 1 ? found.files[0]! : found.folder,
      ...written,
      env: training?.subject.env.id ?? null,
      method: training?.subject.method ?? null,
      layout: found.layout,
      files_read: importLog.read,
      files_skipped: importLog.skipped,
      notes: importLog.notes,
    };
  } finally {
    for (const file of monitors ?? []) await file.close();
  }
}

async function writeTraining(
  found: FoundTraining,
  training: Training,
  options: ImportTrainingOptions,
  importLog: ImportLog,
): Promise<WrittenRun> {
  const { subject, start, episodes } = training;
  const { env, method, seed } = subject;
  const source = found.names.join('/');
  const origin = { format: importFormat, layout: found.layout, source };
  const facts = { env: env.id, method, model, seed };
  return withDraftFolder(options.runsDir, source, async (draft) => {
    const journal = new ImportedJournal(join(draft, eventsName), Math.max(0, Math.floor(start * 1000)), model);
    let iterations = 0;
    // There is no configuration: the hash covers the files' contents, which are known at the end.
    const config_hash = `imported ${source}`;
    try {
      const unknown = [...training.unknown];
      journal.begin({ ...origin, unknown }, { config_hash, backend, model, model_kind: 'none' });
      const outcome = await training.read(journal);
      iterations = outcome.iterations;
      journal.finish(outcome.stopped);
    } finally {
      journal.close();
    }
    if (iterations === 0) return nothing;
    const digest = importLog.digest.digest('hex');
    const evaluation = { ...(episodes !== null && { episodes }) };
    const known = { env: env.id, method, seed, iterations, evaluation, sb3: training.settings };
    replaceFile(join(draft, configName), `${note}${stringify(known)}`, 'durable');
    const files = new RunFiles(draft, { ...facts, prices: {}, evaluation: { backend: 'auto' } }, null);
    await writeImportedFiles(files, journal, options, {
      ...{ config_hash: digest, ...facts, backend, model_kind: 'none' },
      imported: { ...origin, digest, training: { rewards: training.rewards, evaluated: training.evaluated } },
    });
    // The options are part of the name, because the same files may be imported with different options.
    const decided = createHash('sha256').update(JSON.stringify([digest, env.id, method, seed, episodes]));
    const parts = [env.folder, method, 'imported', found.names.at(-1) ?? '', decided.digest('hex').slice(0, 8)];
    const name = parts.map((part) => part.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 60)).join('-');
    return { ...publishDraft(draft, join(options.runsDir, name)), iterations };
  });
}

const note = '# What is known of a training with Stable-Baselines3 that was imported; no configuration of a search.\n';
