/** Finds trainings of Stable-Baselines3 below a folder. */
import { basename, join, resolve, sep } from 'node:path';
import { type FolderListing, listFolder, walkFolders } from '../../base/node/walk.ts';
import type { SkippedFile } from '../common/import-log.ts';
import { cannotRead } from '../reference/files.ts';
import { episodeFolder, logName, reportFolder } from '../reference/layout.ts';

/**
 * The account of a training: `monitor`: files of training episodes; `evaluations`: the log of evaluations that the
 * reference's baselines write; `archive`: NumPy's archive of SB3's evaluations; `progress` and `tensorboard`: the scalars
 * of SB3's logger, read only where nothing else is there.
 */
export type TrainingLayout = 'monitor' | 'evaluations' | 'archive' | 'progress' | 'tensorboard';

/** The layout whose episodes are those of evaluations alone. */
export const archiveLayout = 'archive' satisfies TrainingLayout;

export interface FoundTraining {
  readonly folder: string;
  readonly layout: TrainingLayout;
  /** files to read, sorted by name */
  readonly files: readonly string[];
  /** SB3's evaluations beside monitor files; null: none */
  readonly archive: string | null;
  /** the model that SB3 saved beside them; null: none */
  readonly model: string | null;
  /** last names of its absolute path, plus the file's name when a folder contains several trainings */
  readonly names: readonly string[];
}

const monitorFile = /^(?:(.+)[._-])?monitor\.csv$/;
const evaluations = /^eval/i;
/** Written for each training of the reference's baselines, and in the folder above for all of an algorithm. */
export const summaryName = 'summary.json';
/** NumPy archive of the evaluation callback. */
const archiveName = 'evaluations.npz';
/** SB3's evaluation callback saves it. */
const bestModelName = 'best_model.zip';
const progressName = 'progress.csv';
const tensorBoardFile = /^events\.out\.tfevents\./;
/** rl-zoo's folder of episodes that trained agents played. */
const replays = /^benchmark$/i;
/** Maximum depth, well beyond `logs/<environment>_sb3/<algorithm>/run_<n>`. */
const maxDepth = 8;

/** Trainings at or below `root`, sorted by name, and the skipped files that look like one. */
export function findTrainings(root: string): {
  readonly found: readonly FoundTraining[];
  readonly skipped: readonly SkippedFile[];
} {
  const found: FoundTraining[] = [];
  const skipped: SkippedFile[] = [];
  const visit = ({ path: folder, folders, files }: FolderListing): readonly string[] => {
    const names = resolve(folder).split(sep).filter(Boolean).slice(-3);
    const monitors = monitorsIn(folder, files, names, skipped);
    found.push(...withModel(monitors, folder, files));
    // A folder per iteration means the log of a search.
    const logged = files.includes(logName) && !folders.some((name) => episodeFolder.test(name));
    if (logged)
      found.push({ folder, layout: 'evaluations', files: [join(folder, logName)], archive: null, model: null, names });
    const logs = files.some((name) => name === logName || monitorFile.test(name));
    // With folders beside it, it summarises their trainings.
    if (files.includes(summaryName) && !logs && folders.length === 0) {
      const path = join(folder, summaryName);
      skipped.push({ path, expected: `the log that it summarises, ${logName}, beside it`, found: 'the summary alone' });
    }
    if (monitors.length === 0 && !logged && !evaluations.test(basename(folder))) {
      found.push(...withModel(otherAccount(folder, files, names), folder, files));
    } else if (files.includes(archiveName) && !monitors.some(({ archive }) => archive !== null)) {
      const several = 'evaluations of which the training is not clear';
      skipped.push({ path: join(folder, archiveName), expected: 'monitor files of one training', found: several });
    }
    return folders.filter((name) => {
      if (name === reportFolder || episodeFolder.test(name)) return false;
      if (replays.test(name)) {
        const replayed = 'a folder of replays by trained agents';
        skipped.push({ path: join(folder, name), expected: 'training episodes', found: replayed });
        return false;
      }
      if (!evaluations.test(name)) return true;
      if (holdsMonitors(join(folder, name))) {
        skipped.push({ path: join(folder, name), expected: 'training episodes', found: 'a folder of evaluations' });
      }
      return false;
    });
  };
  walkFolders([root], {
    maxDepth,
    visit,
    onUnreadable: (path, error) => skipped.push({ path, expected: 'a readable folder', found: cannotRead(error) }),
  });
  return { found, skipped };
}

/** The account of a training that has no monitor files: the first of these that is there. */
function otherAccount(folder: string, files: readonly string[], names: readonly string[]): FoundTraining[] {
  const [archive, model] = [null, null];
  if (files.includes(archiveName)) {
    return [{ folder, layout: archiveLayout, files: [join(folder, archiveName)], archive, model, names }];
  }
  if (files.includes(progressName)) {
    return [{ folder, layout: 'progress', files: [join(folder, progressName)], archive, model, names }];
  }
  const events = files.filter((name) => tensorBoardFile.test(name)).map((name) => join(folder, name));
  return events.length === 0 ? [] : [{ folder, layout: 'tensorboard', files: events, archive, model, names }];
}

function holdsMonitors(folder: string): boolean {
  try {
    return listFolder(folder).all.some((name) => monitorFile.test(name));
  } catch {
    return false;
  }
}

/** Numbered files are the environments of one training; any other name is a separate training. */
function monitorsIn(
  folder: string,
  files: readonly string[],
  names: readonly string[],
  skipped: SkippedFile[],
): FoundTraining[] {
  const single: FoundTraining[] = [];
  const numbered: string[] = [];
  for (const file of files) {
    const match = monitorFile.exec(file);
    if (!match) continue;
    const path = join(folder, file);
    const stem = match[1] ?? '';
    if (/^\d+$/.test(stem)) numbered.push(path);
    else if (evaluations.test(stem)) {
      skipped.push({ path, expected: 'training episodes', found: 'a file of evaluations' });
    } else {
      const own = stem === '' ? names : [...names, stem];
      single.push({ folder, layout: 'monitor', files: [path], archive: null, model: null, names: own });
    }
  }
  const archive = files.includes(archiveName) ? join(folder, archiveName) : null;
  const whole = single.some(({ files: [path] }) => basename(path!) === 'monitor.csv');
  if (whole && numbered.length > 0) {
    for (const path of numbered) {
      skipped.push({ path, expected: 'each episode once', found: 'a second file beside monitor.csv' });
    }
    return withArchive(single, archive);
  }
  const all =
    numbered.length === 0
      ? []
      : [{ folder, layout: 'monitor' as const, files: numbered, archive: null, model: null, names }];
  return withArchive([...all, ...single], archive);
}

/** Evaluations belong to the one training of their folder. */
function withArchive(trainings: readonly FoundTraining[], archive: string | null): FoundTraining[] {
  return trainings.length === 1 ? [{ ...trainings[0]!, archive }] : [...trainings];
}

/** The model of the one training of a folder: the best one, else the only one. */
function withModel(trainings: readonly FoundTraining[], folder: string, files: readonly string[]): FoundTraining[] {
  const models = files.filter((name) => /\.zip$/i.test(name));
  const name = models.find((model) => model === bestModelName) ?? (models.length === 1 ? models[0] : undefined);
  if (name === undefined || trainings.length !== 1) return [...trainings];
  return [{ ...trainings[0]!, model: join(folder, name) }];
}
