/** Imports a training from its monitor files, as means over windows of training episodes. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { counted } from '../../base/plain-number.ts';
import type { Env } from '../../envs/env.ts';
import { type Summary, summarise } from '../../evaluation/summary.ts';
import { endCauses } from '../../rollout/job.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { ImportedJournal } from '../common/imported-journal.ts';
import type { FoundTraining } from './find.ts';
import { eachEpisode, MonitorFile, type TrainingEpisode } from './monitor.ts';
import {
  appendMean,
  type ImportTrainingOptions,
  maxIterations,
  subjectOf,
  type Training,
  type TrainingOutcome,
  unknownOfAll,
} from './training.ts';

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
  const ids = [...new Set(files.flatMap(({ parser }) => parser.envId ?? []))];
  if (ids.length > 1 && options.env === null) {
    importLog.skip(found.folder, { expected: 'monitors of one environment, or --env', found: ids.join(', ') });
    return null;
  }
  const subject = subjectOf(found, { env: ids[0] ?? null, algorithm: null, names: [] }, options, importLog);
  if (!subject) return null;
  const { window } = options;
  const starts = files.flatMap(({ parser }) => parser.start ?? []);
  // Without a header the first episode gives the start time.
  const times = starts.length > 0 ? starts : files.flatMap(({ next }) => next?.time ?? []);
  const start = times.length === 0 ? 0 : Math.min(...times);
  return {
    subject,
    start,
    episodes: window,
    rewards: `means of ${window} training episodes each, played by the policy while it learned and explored`,
    evaluated: false,
    unknown: [...unknownOfAll, 'end causes: taken from the lengths', 'if the training ended as it was meant to'],
    settings: { monitors: files.length },
    read: (journal) => readBlocks(found, files, new EpisodeBlocks(journal, subject.env, window, start), importLog),
  };
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
    return { iterations: 0, stopped: null };
  }
  const left = blocks.finish();
  if (left > 0)
    importLog.notes.push(`omitted the last ${counted(left, 'episode')}, fewer than the window of ${window}`);
  for (const file of files) {
    const { path, problems, parser } = file;
    for (const problem of problems) importLog.skip(path, problem);
    if (problems.length === 0) importLog.read += 1;
    if (parser.resumed > 0) importLog.notes.push(`${basename(path)} holds ${parser.resumed + 1} sessions`);
    importLog.begin(basename(path));
    importLog.digest.update(file.digestSoFar);
  }
  const broken = files.some(({ parser }) => parser.breaksOff);
  return { iterations: blocks.count, stopped: broken ? 'a monitor file ends within a line' : null };
}

/** Makes an iteration of each window of episodes. */
class EpisodeBlocks {
  count = 0;
  overflow = false;
  readonly window: number;
  private readonly journal: ImportedJournal;
  private readonly env: Env;
  private readonly start: number;
  private episodes: TrainingEpisode[] = [];

  /** `start`: time origin of the journal, s since 1970 */
  constructor(journal: ImportedJournal, env: Env, window: number, start: number) {
    this.journal = journal;
    this.env = env;
    this.window = window;
    this.start = start;
  }

  /** False when there are too many iterations. */
  add(episode: TrainingEpisode): boolean {
    this.episodes.push(episode);
    if (this.episodes.length === this.window) this.close();
    return !this.overflow;
  }

  /** Returns the number of episodes left over. A training shorter than a window becomes one iteration. */
  finish(): number {
    if (this.count === 0 && this.episodes.length > 0) this.close();
    return this.episodes.length;
  }

  private close(): void {
    if (this.count === maxIterations) {
      this.overflow = true;
      return;
    }
    const { journal, episodes } = this;
    this.episodes = [];
    this.count += 1;
    const iteration = this.count;
    const summary = summaryOf(episodes, this.env);
    const returns = episodes.map((episode) => episode.return);
    const lengths = episodes.map((episode) => episode.length);
    const rollouts = { returns, lengths };
    const [candidate, params] = ['proposal' as const, [] as number[]];
    journal.at(episodes[episodes.length - 1]!.time - this.start);
    journal.append({
      ...{ type: 'evaluated', iteration, candidate, params, adjustments: [], seed: 0 },
      ...{ summary, paired: null, rollouts },
    });
    appendMean(journal, iteration, summary.mean, `the mean of ${episodes.length} training episodes`);
  }
}

function summaryOf(episodes: readonly TrainingEpisode[], env: Env): Summary {
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
