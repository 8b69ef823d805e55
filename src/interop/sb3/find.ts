/** Finds trainings of Stable-Baselines3 below a folder. */
import { basename, join, resolve, sep } from 'node:path';
import { type FolderListing, listFolder, walkFolders } from '../../base/node/walk.ts';
import type { SkippedFile } from '../common/import-log.ts';
import { cannotRead } from '../reference/files.ts';
import { episodeFolder, logName, reportFolder } from '../reference/layout.ts';

/** `monitor`: files of training episodes; `evaluations`: the log of evaluations that the reference's baselines write. */
export type TrainingLayout = 'monitor' | 'evaluations';

export interface FoundTraining {
  readonly folder: string;
  readonly layout: TrainingLayout;
  /** files to read, sorted by name */
  readonly files: readonly string[];
  /** last names of its absolute path, plus the file's name when a folder contains several trainings */
  readonly names: readonly string[];
}

const monitorFile = /^(?:(.+)[._-])?monitor\.csv$/;
const evaluations = /^eval/i;
/** Written for each training of the reference's baselines, and in the folder above for all of an algorithm. */
export const summaryName = 'summary.json';
/** NumPy archive of the evaluation callback. */
const archiveName = 'evaluations.npz';
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
    found.push(...monitorsIn(folder, files, names, skipped));
    // A folder per iteration means the log of a search.
    if (files.includes(logName) && !folders.some((name) => episodeFolder.test(name))) {
      found.push({ folder, layout: 'evaluations', files: [join(folder, logName)], names });
    }
    const logs = files.some((name) => name === logName || monitorFile.test(name));
    // With folders beside it, it summarises their trainings.
    if (files.includes(summaryName) && !logs && folders.length === 0) {
      const path = join(folder, summaryName);
      skipped.push({ path, expected: `the log that it summarises, ${logName}, beside it`, found: 'the summary alone' });
    }
    if (files.includes(archiveName)) {
      const path = join(folder, archiveName);
      skipped.push({ path, expected: 'monitor files', found: 'an archive of evaluations, which is not supported' });
    }
    return folders.filter((name) => {
      if (name === reportFolder || episodeFolder.test(name)) return false;
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
    } else single.push({ folder, layout: 'monitor', files: [path], names: stem === '' ? names : [...names, stem] });
  }
  const whole = single.some(({ files: [path] }) => basename(path!) === 'monitor.csv');
  if (whole && numbered.length > 0) {
    for (const path of numbered) {
      skipped.push({ path, expected: 'each episode once', found: 'a second file beside monitor.csv' });
    }
    return single;
  }
  return numbered.length === 0 ? single : [{ folder, layout: 'monitor', files: numbered, names }, ...single];
}
