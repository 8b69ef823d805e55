/** Imports a training of which only means are there: SB3's archive of evaluations, or the scalars of its logger. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { counted } from '../../base/plain-number.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { ImportedJournal } from '../common/imported-journal.ts';
import { type Evaluation, figuresOf, readEvaluations } from './evaluations.ts';
import type { FoundTraining } from './find.ts';
import { appendPlayed, summaryOf } from './monitor-training.ts';
import { EpisodeChecks } from './plausible.ts';
import { isEvaluated, readProgress, readTensorBoard, rewardTag, type Scalars } from './scalars.ts';
import {
  appendMean,
  growingIdentity,
  type ImportTrainingOptions,
  optionsWords,
  subjectOf,
  type Training,
  type TrainingSubject,
  unknownFacts,
  zooSettings,
} from './training.ts';
import { readZooFiles } from './zoo-files.ts';

const changed = (path: string): number => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) / 1000;

type Settings = Pick<Training, 'unknown' | 'settings'>;

/** What the files beside the account say. Null when environment or algorithm is unknown, which is logged. */
async function openSubject(
  found: FoundTraining,
  options: ImportTrainingOptions,
  importLog: ImportLog,
): Promise<(Settings & { readonly subject: TrainingSubject }) | null> {
  const zoo = await readZooFiles(found.folder, importLog);
  const subject = subjectOf(found, { envs: [], algorithm: null, names: [], zoo }, options, importLog);
  return subject && { subject, unknown: unknownFacts(zoo, subject), settings: zooSettings(zoo, subject) };
}

/** Null when the archive is not readable, or its environment or algorithm is unknown, which is logged. */
export async function openArchiveTraining(
  found: FoundTraining,
  options: ImportTrainingOptions,
  importLog: ImportLog,
): Promise<Training | null> {
  const path = found.files[0]!;
  const known = await openSubject(found, options, importLog);
  if (!known) return null;
  importLog.begin(basename(path));
  const read = readEvaluations(path, importLog.digest);
  if (!('evaluations' in read)) {
    importLog.skip(path, read);
    return null;
  }
  importLog.read += 1;
  const { evaluations } = read;
  const { subject } = known;
  const figures = figuresOf(evaluations);
  return {
    ...known,
    start: changed(path),
    episodes: figures.episodes_each,
    rewards: `means of ${figures.episodes_each} evaluation episodes each, played by SB3${optionsWords(subject)}`,
    evaluated: true,
    unknown: [...known.unknown, 'training episodes and times: evaluations alone are in the archive'],
    identity: archiveIdentity(found, subject, evaluations[0]!),
    evaluations: figures,
    read: async (journal) => readPoints(evaluations, journal, subject),
  };
}

/** An archive has no times, and different trainings often have the same first returns: the folder tells them apart. */
function archiveIdentity({ folder }: FoundTraining, { env, method, seed }: TrainingSubject, first: Evaluation): string {
  return JSON.stringify([env.id, method, seed, resolve(folder), first]);
}

function readPoints(evaluations: readonly Evaluation[], journal: ImportedJournal, subject: TrainingSubject) {
  const { env, envOptions } = subject;
  const checks = new EpisodeChecks(env, Object.keys(envOptions ?? {}).length > 0);
  for (const [i, { returns, lengths, timestep }] of evaluations.entries()) {
    const episodes = returns.map((value, k) => ({ return: value, length: lengths[k]! }));
    for (const episode of episodes) checks.add(episode);
    const summary = summaryOf(episodes, env);
    appendPlayed(journal, i + 1, summary, episodes);
    const why = `the mean of ${counted(returns.length, 'evaluation episode')} after ${counted(timestep, 'training step')}`;
    appendMean(journal, i + 1, summary.mean, why);
  }
  return { iterations: evaluations.length, stopped: null, flags: checks.flags, played: checks.figures };
}

/** Null when the file has no rewards, or its environment or algorithm is unknown, which is logged. */
export async function openScalarTraining(
  found: FoundTraining,
  options: ImportTrainingOptions,
  importLog: ImportLog,
): Promise<Training | null> {
  const { files } = found;
  const path = files[0]!;
  const inEvents = found.layout === 'tensorboard';
  const read = inEvents ? readTensorBoard(files, importLog) : await readProgress(path, importLog);
  const damaged = importLog.skipped.length;
  if (!('scalars' in read)) {
    if (damaged < files.length) importLog.skip(path, read);
    return null;
  }
  const known = await openSubject(found, options, importLog);
  if (!known) return null;
  importLog.read += files.length - damaged;
  const { scalars } = read;
  const { subject } = known;
  const evaluated = isEvaluated(scalars);
  const names = files.map((file) => basename(file)).join(', ');
  importLog.notes.push(
    `only ${scalars.tag} of ${names} is there; a training that has monitor files elsewhere is counted twice`,
  );
  return {
    ...known,
    start: scalars.start ?? changed(path),
    episodes: null,
    rewards: `${evaluated ? 'means of evaluations' : 'moving means of training episodes'} (${scalars.tag})${optionsWords(subject)}`,
    evaluated,
    unknown: [...known.unknown, `episodes: the scalar ${evaluated ? scalars.tag : rewardTag} alone is in the file`],
    identity: growingIdentity(subject, scalars.start, scalars.points[0]),
    evaluations: null,
    read: async (journal) => readScalars(scalars, journal),
  };
}

function readScalars({ points, tag }: Scalars, journal: ImportedJournal) {
  for (const [i, { value, timestep, seconds }] of points.entries()) {
    journal.at(seconds);
    const logged = { cpu_s: seconds, api_s: 0, episodes: 0, steps: timestep, reward: value };
    appendMean(journal, i + 1, value, `${tag} after ${counted(timestep, 'training step')}`, logged);
  }
  return { iterations: points.length, stopped: null, flags: [], played: null };
}
