/**
 * Imports a log of the Python reference as a run folder. Unreadable parts are omitted and listed by file. The result is
 * marked as imported: without requests and seeds it can be neither resumed nor replayed.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { listFolder } from '../../base/node/walk.ts';
import { configName } from '../../config/recorded.ts';
import { findMethod } from '../../methods/index.ts';
import { endCauses } from '../../rollout/job.ts';
import { runHash } from '../../runs/folder/identity.ts';
import { RunFiles } from '../../runs/folder/run-files.ts';
import type { LoggedTotals } from '../../runs/journal/events.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { type RunUnits, resolveUnits } from '../../runs/resolve-units.ts';
import { publishDraft, withDraftFolder } from '../common/draft-folder.ts';
import { copyFile, rolloutsFolder, warmupName, withCopy } from '../common/embedded-files.ts';
import { ImportLog, type SkippedFile } from '../common/import-log.ts';
import { writeImportedFiles } from '../common/imported-files.ts';
import { appendIteration, ImportedJournal } from '../common/imported-journal.ts';
import { cannotRead, readOverallLog, readRollouts } from './files.ts';
import type { FoundReferenceRun } from './find.ts';
import { type RunImport, readIteration, summaryOf } from './iteration.ts';
import {
  episodeFolder,
  type Layout,
  type LayoutId,
  logName,
  reportFolder,
  warmupFile,
  warmupFolder,
} from './layout.ts';
import { findPrintedPolicy } from './printed-policy.ts';
import { provenanceCopy, provenanceName, readProvenance } from './provenance.ts';
import { configFor, detectSubject, type ImportedRunSubject, type RequestedSubject } from './subject.ts';

const importFormat = 'r2po reference, commit 9449c38';

/** Facts missing in the log. */
const unknown = [
  'seeds of the episodes: those of the events count the rollouts',
  'end causes: taken from the lengths',
  'tokens: estimated from the texts',
  'times of the events: made from the logged seconds',
] as const;
/** Facts missing only in logs that this program did not write. */
const unknownElsewhere = ['seed of the run: its number', 'settings: those published for the method'] as const;

export interface ImportOptions extends RequestedSubject {
  readonly runsDir: string;
  /** model that answered, which the log does not name */
  readonly model: string;
  readonly argv: readonly string[];
  readonly now: number;
}

export interface ImportedRun {
  readonly source: string;
  /** the run folder; null when nothing was usable */
  readonly folder: string | null;
  /** true: the same log was imported before, so nothing was written */
  readonly already: boolean;
  readonly env: string | null;
  readonly method: string | null;
  readonly layout: LayoutId | null;
  readonly iterations: number;
  readonly files_read: number;
  readonly files_skipped: readonly SkippedFile[];
  /** lines that were left out of files that were read */
  readonly lines_skipped: readonly SkippedFile[];
  /** assumptions where the log is ambiguous */
  readonly notes: readonly string[];
}

/** Model name when neither the log nor the user names one. */
const unknownModel = 'unknown';

/** Backend name of imported runs, whose episodes the reference played. */
const importedBackend = 'python-reference';

async function importWarmups(
  { importLog, units, draft }: RunImport,
  journal: ImportedJournal,
  run: FoundReferenceRun,
): Promise<void> {
  const folder = join(run.folder, warmupFolder);
  if (!existsSync(folder)) return;
  let names: readonly string[];
  try {
    names = listFolder(folder).all;
  } catch (error) {
    importLog.skip(folder, { expected: 'a folder of warm-ups', found: cannotRead(error) });
    return;
  }
  for (const name of names) {
    const path = join(folder, name);
    const index = warmupFile.exec(name)?.[1];
    if (index === undefined) {
      importLog.skip(path, { expected: 'warmup_rollout_<i>.txt', found: 'another file' });
      continue;
    }
    importLog.begin(`${warmupFolder}/${name}`);
    const copy = join(draft, rolloutsFolder, warmupName(Number(index)));
    const { rollouts, problem } = await withCopy(copy, (tee) =>
      readRollouts(path, { digest: importLog.digest, ...tee }),
    );
    importLog.done(path, problem);
    if (problem) {
      rmSync(copy, { force: true });
      continue;
    }
    // A file of custom warm-ups may contain several rollouts; their mean is imported.
    const { mean, length, ends } = summaryOf(rollouts, units);
    const end = endCauses.find((cause) => ends[cause] > 0) ?? endCauses[0];
    const played = { return: mean, length: Math.round(length.mean), end };
    journal.append({
      type: 'warmup',
      index: Number(index),
      params: rollouts.params ?? [],
      seed: Number(index),
      ...played,
    });
  }
}

/** Episodes per evaluation, counted in the first complete file. */
async function countEpisodes(run: FoundReferenceRun, layout: Layout, episodes: readonly number[]): Promise<number> {
  for (const episode of episodes.slice(0, 5)) {
    for (const { rollouts } of layout.candidates) {
      const path = join(run.folder, `episode_${episode}`, rollouts);
      if (!existsSync(path)) continue;
      const { rollouts: read, problem } = await readRollouts(path, { digest: createHash('sha256') });
      if (problem === null) return read.returns.length;
    }
  }
  return 20;
}

/** Imports one run. Throws a usage error when the runs' folder cannot be written, or for an unknown environment. */
export async function importRun(run: FoundReferenceRun, options: ImportOptions): Promise<ImportedRun> {
  const importLog = new ImportLog();
  const none = { folder: null, already: false, iterations: 0 };
  const result = (
    part: Pick<ImportedRun, 'folder' | 'already' | 'iterations'>,
    subject: ImportedRunSubject | null,
  ): ImportedRun => ({
    source: run.folder,
    ...part,
    env: subject?.env.id ?? null,
    method: subject?.method.id ?? null,
    layout: subject?.layout.id ?? null,
    files_read: importLog.read,
    files_skipped: importLog.skipped,
    lines_skipped: importLog.skippedLines,
    notes: importLog.notes,
  });
  const subject = detectSubject(run, options, importLog);
  if (!subject) return result(none, null);
  findMethod(subject.method.id);

  const entries = listFolder(run.folder);
  const episodes = entries.folders.flatMap((name) => episodeFolder.exec(name)?.[1] ?? []).map(Number);
  for (const name of entries.all) {
    const known = [logName, warmupFolder, reportFolder, provenanceName].includes(name) || episodeFolder.test(name);
    if (!known) importLog.skip(join(run.folder, name), { expected: 'a file of a run', found: 'another' });
  }
  importLog.digest.update(run.source);
  const logPath = join(run.folder, logName);
  let rows: ReadonlyMap<number, LoggedTotals> = new Map();
  if (existsSync(logPath)) {
    importLog.begin(logName);
    const log = await readOverallLog(logPath, importLog.digest);
    rows = log.rows;
    for (const problem of log.problems) importLog.skip(logPath, problem);
    if (log.problems.length === 0) importLog.read += 1;
  } else importLog.skip(logPath, { expected: 'the overall log', found: 'no such file' });

  const iterations = [...new Set([...rows.keys(), ...episodes.map((k) => k + 1)])].sort((a, b) => a - b);
  if (iterations.length === 0) {
    importLog.skip(run.folder, { expected: 'iterations', found: 'none' });
    return result(none, subject);
  }
  const warmupPath = join(run.folder, warmupFolder);
  const warmups = existsSync(warmupPath) && statSync(warmupPath).isDirectory() ? listFolder(warmupPath).all.length : 0;
  const counts = {
    iterations: Math.min(iterations.length, 1_000_000),
    warmups: Math.min(warmups, 10_000),
    episodes: await countEpisodes(run, subject.layout, episodes),
  };
  const provenance = await readProvenance(run.folder, subject, counts, importLog);
  if (provenance && ![unknownModel, provenance.model].includes(options.model)) {
    importLog.notes.push(`${provenanceName} says that ${provenance.model} answered; ignoring "${options.model}"`);
  }
  const { model, model_kind } = provenance ?? { model: options.model, model_kind: 'model' as const };
  const { config, yaml } = provenance
    ? { config: provenance.config, yaml: stringify(provenance.config) }
    : await configFor(subject, run, model, counts, await findPrintedPolicy(run.folder, episodes));
  const units = resolveUnits(config);

  return withDraftFolder(options.runsDir, run.source, async (draft) => {
    mkdirSync(join(draft, rolloutsFolder));
    const last = [...rows.values()].at(-1);
    const total = last ? Math.min(Math.max(0, last.cpu_s + last.api_s), 1e9) : 0;
    // Copies keep the modification time; without a log that of the folder is used.
    const written = statSync(existsSync(logPath) ? logPath : run.folder).mtimeMs;
    const start = Math.max(0, Math.floor(written - total * 1000));
    const journal = new ImportedJournal(join(draft, eventsName), start, provenance?.reply_model ?? unknownModel);
    const origin = { format: importFormat, layout: subject.layout.id, source: run.source };
    const { branch, iterations: changed } = provenance ?? {};
    const facts = { config_hash: runHash(config, branch), backend: importedBackend, model, model_kind };
    let imported = 0;
    let broken = false;
    try {
      journal.begin({ ...origin, unknown: [...unknown, ...(provenance ? [] : unknownElsewhere)] }, facts);
      const runImport = { importLog, subject, units, draft, texts: provenance?.texts ?? {} };
      await importWarmups(runImport, journal, run);
      let apiBefore = 0;
      for (const iteration of iterations) {
        const logged = rows.get(iteration);
        const folder = join(run.folder, `episode_${iteration - 1}`);
        const read = await readIteration(runImport, { folder, iteration }, logged);
        if (read) {
          const seconds = logged ? Math.max(0, logged.api_s - apiBefore) : 0;
          appendIteration(journal, iteration, read, logged, seconds);
          imported += 1;
        } else broken = iteration === iterations.at(-1);
        if (logged) apiBefore = logged.api_s;
      }
      const reason = broken
        ? 'the log ends within an iteration'
        : provenance && provenance.status !== 'finished'
          ? 'the run had not ended when it was exported'
          : null;
      journal.finish(reason);
    } finally {
      journal.close();
    }
    if (imported === 0) return result(none, subject);
    replaceFile(join(draft, configName), yaml, 'durable');
    if (provenance) await copyFile(join(run.folder, provenanceName), join(draft, rolloutsFolder, provenanceCopy));
    const files = new RunFiles(draft, config, units.policy);
    const digest = importLog.digest.digest('hex');
    const identity = { env: units.env.id, method: units.method.id, seed: config.seed };
    const length = changed === undefined ? {} : { iterations: changed };
    const origins = { ...length, ...(branch && { branch }), imported: { ...origin, digest } };
    await writeImportedFiles(files, journal, options, { ...facts, ...identity, ...origins });
    const folder = join(options.runsDir, folderName(units, run, digest));
    return result({ ...publishDraft(draft, folder), iterations: imported }, subject);
  });
}

/** `cartpole-r2po-imported-run-1-1a2b3c4d`: the same log always gets the same name. */
function folderName({ env, method }: RunUnits, { source }: FoundReferenceRun, digest: string): string {
  const run = (source.split('/').at(-1) ?? '').replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 60);
  return `${env.folder}-${method.id}-imported-${run}-${digest.slice(0, 8)}`;
}
