/** Imports a training from its monitor files, as means over windows of training episodes. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { counted, significant } from '../../base/plain-number.ts';
import type { Env } from '../../envs/env.ts';
import { type Summary, summarise } from '../../evaluation/summary.ts';
import { endCauses } from '../../rollout/job.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { ImportedJournal } from '../common/imported-journal.ts';
import { type EvaluationFigures, figuresOf, readEvaluations } from './evaluations.ts';
import type { FoundTraining } from './find.ts';
import { eachEpisode, MonitorFile, type TrainingEpisode } from './monitor.ts';
import { EpisodeChecks } from './plausible.ts';
import {
  appendMean,
  growingIdentity,
  type ImportTrainingOptions,
  maxIterations,
  optionsWords,
  subjectOf,
  type Training,
  type TrainingOutcome,
  type TrainingSubject,
  unknownFacts,
  zooSettings,
} from './training.ts';
import { readZooFiles } from './zoo-files.ts';

/** Opens the files; close them after use. */
export function openMonitors({ files }: FoundTraining): MonitorFile[] {
  return files.map((path) => new MonitorFile(path, (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) / 1000));
}

/** Reads the files up to their first episodes. Null when environment or algorithm is unknown, which is logged. */
export async function openMonitorTraining(
  found: FoundTraining,
  files: readonly MonitorFile[],
  options: ImportTrainingOptions,
  importLog: ImportLog,
): Promise<Training | null> {
  for (const file of files) await file.fill();
  const envs = files.flatMap(({ parser }) => parser.envId ?? []);
  const zoo = await readZooFiles(found.folder, importLog);
  const subject = subjectOf(found, { envs, algorithm: null, names: [], zoo }, options, importLog);
  if (!subject) return null;
  const { window } = options;
  const starts = files.flatMap(({ parser }) => parser.start ?? []);
  // Without a header the first episode gives the start time.
  const firsts = files.flatMap(({ next }) => next ?? []).sort((a, b) => a.time - b.time);
  const times = starts.length > 0 ? starts : firsts.map(({ time }) => time);
  const start = times.length === 0 ? 0 : Math.min(...times);
  const [first] = firsts;
  const evaluations = found.archive === null ? null : readArchive(found.archive, importLog);
  return {
    subject,
    start,
    episodes: window,
    rewards: `means of ${window} training episodes each, played by the policy while it learned and explored${optionsWords(subject)}`,
    evaluated: false,
    unknown: [
      ...unknownFacts(zoo, subject),
      'end causes: taken from the lengths',
      'if the training ended as it was meant to',
    ],
    settings: { monitors: files.length, ...zooSettings(zoo, subject) },
    identity: growingIdentity(subject, starts.length > 0 ? start : null, first && [first.return, first.length]),
    evaluations,
    read: async (journal) => {
      noteHoles(found, importLog);
      const short = (await countEpisodes(found)) % window;
      return readBlocks(found, files, new EpisodeBlocks(journal, subject, { window, short, start }), importLog);
    },
  };
}

function readArchive(path: string, importLog: ImportLog): EvaluationFigures | null {
  importLog.begin(basename(path));
  const read = readEvaluations(path, importLog.digest);
  if (!('evaluations' in read)) {
    importLog.skip(path, read);
    return null;
  }
  importLog.read += 1;
  const figures = figuresOf(read.evaluations);
  const { points, episodes_each, best_mean, last_mean } = figures;
  importLog.notes.push(
    `${basename(path)}: ${counted(points, 'evaluation')} of ${counted(episodes_each, 'episode')}, best mean ` +
      `${significant(best_mean, 6)}, last ${significant(last_mean, 6)}`,
  );
  return figures;
}

/** Numbers that are missing between 0 and the highest: an environment of the training whose episodes are lost. */
function noteHoles({ files }: FoundTraining, importLog: ImportLog): void {
  const numbers = files.flatMap((path) => /^(\d+)\.monitor\.csv$/.exec(basename(path))?.[1] ?? []).map(Number);
  if (numbers.length === 0) return;
  const last = Math.max(...numbers);
  const there = new Set(numbers);
  const missing = [];
  for (let n = 0; n < last && missing.length < 10; n++) if (!there.has(n)) missing.push(`${n}.monitor.csv`);
  const count = last + 1 - there.size;
  if (count === 0) return;
  const names = missing.join(', ') + (count > missing.length ? ', ...' : '');
  importLog.notes.push(`${counted(count, 'file')} of 0 ... ${last} missing, whose episodes are not counted: ${names}`);
}

/** How many episodes the files have, so that a window that is not full can be the first. */
async function countEpisodes(found: FoundTraining): Promise<number> {
  const files = openMonitors(found);
  let count = 0;
  try {
    await eachEpisode(files, () => {
      count += 1;
      return true;
    });
  } finally {
    for (const file of files) await file.close();
  }
  return count;
}

async function readBlocks(
  { folder }: FoundTraining,
  files: readonly MonitorFile[],
  blocks: EpisodeBlocks,
  importLog: ImportLog,
): Promise<TrainingOutcome> {
  await eachEpisode(files, (episode) => blocks.add(episode));
  const { window } = blocks;
  if (blocks.overflow) {
    const expected = `at most ${maxIterations} blocks of ${window} episodes; make larger ones with --window`;
    importLog.skip(folder, { expected, found: 'more of them' });
    return { iterations: 0, stopped: null, flags: [], played: null };
  }
  blocks.finish();
  if (blocks.first !== null && blocks.first < window) {
    importLog.notes.push(`the first mean is that of ${counted(blocks.first, 'episode')}, the others of ${window}`);
  }
  for (const file of files) {
    const { path, problems, damaged, parser } = file;
    for (const problem of problems) importLog.skipLine(path, problem);
    if (damaged) importLog.skip(path, damaged);
    else if (parser.hasEpisodes || problems.length === 0) importLog.read += 1;
    if (parser.resumed > 0) importLog.notes.push(`${basename(path)} holds ${parser.resumed + 1} sessions`);
    importLog.begin(basename(path));
    importLog.digest.update(file.digestSoFar);
  }
  const broken = files.some(({ parser }) => parser.breaksOff);
  return {
    iterations: blocks.count,
    stopped: broken ? 'a monitor file ends within a line' : null,
    flags: blocks.checks.flags,
    played: blocks.checks.figures,
  };
}

/** Makes an iteration of each window of episodes. */
class EpisodeBlocks {
  count = 0;
  overflow = false;
  /** episodes of the first window; null: none yet */
  first: number | null = null;
  readonly window: number;
  readonly checks: EpisodeChecks;
  private readonly journal: ImportedJournal;
  private readonly env: Env;
  private readonly start: number;
  private size: number;
  private episodes: TrainingEpisode[] = [];

  /** `short`: episodes of the first window, 0 for a whole one; `start`: time origin of the journal, s since 1970 */
  constructor(
    journal: ImportedJournal,
    { env, envOptions }: TrainingSubject,
    { window, short, start }: { readonly window: number; readonly short: number; readonly start: number },
  ) {
    this.journal = journal;
    this.env = env;
    this.window = window;
    this.size = short === 0 ? window : short;
    this.start = start;
    this.checks = new EpisodeChecks(env, Object.keys(envOptions ?? {}).length > 0);
  }

  /** False when there are too many iterations. */
  add(episode: TrainingEpisode): boolean {
    this.checks.add(episode);
    this.episodes.push(episode);
    if (this.episodes.length === this.size) this.close();
    return !this.overflow;
  }

  /** The files have grown since they were counted: the newest episodes are not dropped either. */
  finish(): void {
    if (this.episodes.length > 0) this.close();
  }

  private close(): void {
    if (this.count === maxIterations) {
      this.overflow = true;
      return;
    }
    const { journal, episodes } = this;
    this.episodes = [];
    this.first ??= episodes.length;
    this.size = this.window;
    this.count += 1;
    const iteration = this.count;
    const summary = summaryOf(episodes, this.env);
    journal.at(episodes[episodes.length - 1]!.time - this.start);
    appendPlayed(journal, iteration, summary, episodes);
    appendMean(journal, iteration, summary.mean, `the mean of ${episodes.length} training episodes`);
  }
}

/** `episodes`: in their order */
export function summaryOf(episodes: readonly Omit<TrainingEpisode, 'time'>[], env: Env): Summary {
  const limit = env.timeLimit ?? Number.POSITIVE_INFINITY;
  const lengths = Uint32Array.from(episodes, ({ length }) => length);
  const ends = Uint8Array.from(lengths, (n) => endCauses.indexOf(n >= limit ? 'truncated' : 'terminated'));
  return summarise(
    Float64Array.from(episodes, (episode) => episode.return),
    lengths,
    ends,
    { firstSeed: 0, successThreshold: env.success.threshold },
  );
}

/** Appends the outcomes of episodes, of which the policy is not known. */
export function appendPlayed(
  journal: ImportedJournal,
  iteration: number,
  summary: Summary,
  episodes: readonly Omit<TrainingEpisode, 'time'>[],
): void {
  const returns = episodes.map((episode) => episode.return);
  const lengths = episodes.map(({ length }) => length);
  journal.append({
    ...{ type: 'evaluated', iteration, candidate: 'proposal', params: [], adjustments: [], seed: 0 },
    ...{ summary, paired: null, rollouts: { returns, lengths } },
  });
}
