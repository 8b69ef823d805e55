/**
 * Imports a Stable-Baselines3 training as a run folder, for reports that compare it with searches. It has rewards but
 * no policies or prompts, and is marked so. Unreadable parts are omitted and listed by file.
 */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { UsageError } from '../../base/errors.ts';
import { jsonText } from '../../base/json.ts';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { configName } from '../../config/recorded.ts';
import type { Env } from '../../envs/env.ts';
import type { PolicyDocument } from '../../policies/policy-file.ts';
import { RunFiles } from '../../runs/folder/run-files.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { publishDraft, withDraftFolder } from '../common/draft-folder.ts';
import { ImportLog } from '../common/import-log.ts';
import { writeImportedFiles } from '../common/imported-files.ts';
import { ImportedJournal } from '../common/imported-journal.ts';
import type { ImportedRun } from '../reference/import.ts';
import { openEvaluationTraining } from './evaluation-training.ts';
import type { EvaluationFigures } from './evaluations.ts';
import type { FoundTraining, TrainingLayout } from './find.ts';
import { readModel } from './model.ts';
import { openMonitors, openMonitorTraining } from './monitor-training.ts';
import type { EpisodeFigures } from './plausible.ts';
import { openArchiveTraining, openScalarTraining } from './scalar-training.ts';
import type { Flag, ImportTrainingOptions, Training } from './training.ts';

const importFormat = 'Stable-Baselines3';
/** Backend and model names of imported trainings, whose episodes were played elsewhere without a model. */
const backend = 'stable-baselines3';
const model = 'none';

export interface ImportedTraining extends Omit<ImportedRun, 'layout'> {
  readonly layout: TrainingLayout;
  readonly seed: number | null;
  /** of all episodes in the files; null: they are not there */
  readonly played: EpisodeFigures | null;
  /** SB3's own evaluations; null: none */
  readonly evaluations: EvaluationFigures | null;
}

type WrittenRun = Pick<ImportedTraining, 'folder' | 'already' | 'iterations' | 'played'>;
const nothing: WrittenRun = { folder: null, already: false, iterations: 0, played: null };

/** Imports one training. Throws a usage error when the runs' folder cannot be written, or for a bad name of an algorithm. */
export async function importTraining(found: FoundTraining, options: ImportTrainingOptions): Promise<ImportedTraining> {
  const importLog = new ImportLog();
  const monitors = found.layout === 'monitor' ? openMonitors(found) : null;
  try {
    const training = monitors
      ? await openMonitorTraining(found, monitors, options, importLog)
      : await openers[found.layout as keyof typeof openers](found, options, importLog);
    // The baselines of the reference have the options by default.
    const stated = found.layout === 'evaluations' || training?.subject.envOptions != null;
    if (training && !stated && training.subject.env.withOptions) {
      importLog.notes.push(
        `options of ${training.subject.env.id} unknown, taken for those by default: there is no args.yml`,
      );
    }
    const written = training ? await writeTraining(found, training, options, importLog) : nothing;
    return {
      source: found.files.length === 1 ? found.files[0]! : found.folder,
      ...written,
      env: training?.subject.env.id ?? null,
      method: training?.subject.method ?? null,
      seed: training?.subject.seed ?? null,
      evaluations: training?.evaluations ?? null,
      layout: found.layout,
      files_read: importLog.read,
      files_skipped: importLog.skipped,
      lines_skipped: importLog.skippedLines,
      notes: importLog.notes,
    };
  } finally {
    for (const file of monitors ?? []) await file.close();
  }
}

type Opener = (found: FoundTraining, options: ImportTrainingOptions, importLog: ImportLog) => Promise<Training | null>;

const openers: Readonly<Record<Exclude<TrainingLayout, 'monitor'>, Opener>> = {
  evaluations: openEvaluationTraining,
  archive: openArchiveTraining,
  progress: openScalarTraining,
  tensorboard: openScalarTraining,
};

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
    let flags: readonly Flag[] = [];
    let played: EpisodeFigures | null = null;
    // There is no configuration: the hash covers the files' contents, which are known at the end.
    const config_hash = `imported ${source}`;
    try {
      const unknown = [...training.unknown];
      journal.begin({ ...origin, unknown }, { config_hash, backend, model, model_kind: 'none' });
      const outcome = await training.read(journal);
      ({ iterations, flags, played } = outcome);
      journal.finish(outcome.stopped);
    } finally {
      journal.close();
    }
    if (iterations === 0) return nothing;
    const digest = importLog.digest.digest('hex');
    for (const { detail } of flags)
      importLog.notes.push(`${detail}; kept apart from trainings of ${env.id} as it is here`);
    const evaluation = { ...(episodes !== null && { episodes }) };
    // The counts differ between runs of one kind, which reports keep together.
    const flagged = flags.length > 0 && { flagged: flags.map(({ kind }) => kind) };
    // How many means there are follows from the window; the reference's baselines have a planned number of evaluations.
    const planned = found.layout === 'evaluations' && { iterations };
    const known = { env: env.id, method, seed, ...planned, evaluation, sb3: { ...training.settings, ...flagged } };
    replaceFile(join(draft, configName), `${note}${stringify(known)}`, 'durable');
    const files = new RunFiles(draft, { ...facts, prices: {}, evaluation: { backend: 'auto' } }, null);
    const policy = found.model === null ? null : savedPolicy(found.model, env, importLog);
    if (policy) replaceFile(join(draft, 'best.json'), jsonText(policy), 'durable');
    await writeImportedFiles(files, journal, options, {
      ...{ config_hash: digest, ...facts, backend, model_kind: 'none' },
      imported: {
        ...{ ...origin, digest },
        training: {
          ...{ rewards: training.rewards, evaluated: training.evaluated },
          ...(training.identity !== null && { identity: sha256(training.identity) }),
          ...(training.evaluations && { evaluations: { ...training.evaluations } }),
          ...(flags.length > 0 && { flags: flags.map(({ detail }) => detail) }),
        },
      },
    });
    // The options are part of the name, because the same files may be imported with different options.
    const decided = sha256(JSON.stringify([digest, env.id, method, seed, episodes]));
    const parts = [env.folder, method, 'imported', found.names.at(-1) ?? '', decided.slice(0, 8)];
    const name = parts.map((part) => part.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 60)).join('-');
    return { ...publishDraft(draft, join(options.runsDir, name)), iterations, played };
  });
}

/** Null for a model that no policy kind of ours can be, which is logged. */
function savedPolicy(path: string, env: Env, importLog: ImportLog): PolicyDocument | null {
  try {
    const { document, notes } = readModel(path, env);
    importLog.read += 1;
    importLog.notes.push(`${basename(path)} is a policy of kind ${document.kind}`, ...notes);
    return document;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    importLog.skip(path, { expected: 'a model that a policy of ours can be', found: error.detail });
    return null;
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const note = '# What is known of a training with Stable-Baselines3 that was imported; no configuration of a search.\n';
