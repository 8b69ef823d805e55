/** Finding trainings of Stable-Baselines3 below a folder. */
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
  /** to read, in the order of their names */
  readonly files: readonly string[];
  /** last names of its absolute path, and the file's own where a folder holds several trainings */
  readonly names: readonly string[];
}

const monitorFile = /^(?:(.+)[._-])?monitor\.csv$/;
const evaluations = /^eval/i;
/** Of a training with the reference's baselines, and of all trainings of an algorithm above them. */
export const summaryName = 'summary.json';
/** Of NumPy, by the callback that evaluates. */
const archiveName = 'evaluations.npz';
/** Deeper than `logs/<environment>_sb3/<algorithm>/run_<n>` with room to spare. */
const maxDepth = 8;

/** Trainings at or below `root`, in the order of their names, and what looks like one and is passed over. */
export function findTrainings(root: string): {
  readonly found: readonly FoundTraining[];
  readonly skipped: readonly SkippedFile[];
} {
  const found: FoundTraining[] = [];
  const skipped: SkippedFile[] = [];
  const visit = ({ path: folder, folders, files }: FolderListing): readonly string[] => {
    const names = resolve(folder).split(sep).filter(Boolean).slice(-3);
    found.push(...monitorsIn(folder, files, names, skipped));
    // With a folder per iteration it is the log of a search.
    if (files.includes(logName) && !folders.some((name) => episodeFolder.test(name))) {
      found.push({ folder, layout: 'evaluations', files: [join(folder, logName)], names });
    }
    const logs = files.some((name) => name === logName || monitorFile.test(name));
    // With folders beside it, it sums up the trainings in them.
    if (files.includes(summaryName) && !logs && folders.length === 0) {
      const path = join(folder, summaryName);
      skipped.push({ path, expected: `the log that it sums up, ${logName}, beside it`, found: 'the summary alone' });
    }
    if (files.includes(archiveName)) {
      const path = join(folder, archiveName);
      skipped.push({ path, expected: 'monitor files', found: 'an archive of evaluations, which is not read' });
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

/** Numbered files are the environments of one training, any other name is a training of its own. */
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
  const whole = single.some(({ files: [path] }) => basename(path) === 'monitor.csv');
  if (whole && numbered.length > 0) {
    for (const path of numbered) {
      skipped.push({ path, expected: 'one account of each episode', found: 'a second one beside monitor.csv' });
    }
    return single;
  }
  return numbered.length === 0 ? single : [{ folder, layout: 'monitor', files: numbered, names }, ...single];
}
