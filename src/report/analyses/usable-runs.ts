/** The runs that an analysis can use, and why the others cannot be. */
import { errorDetail, UsageError } from '../../base/errors.ts';
import { refuseTraining } from '../../runs/folder/folder.ts';
import { runIdentity } from '../../runs/folder/manifest.ts';
import { type FoundRuns, findRuns, RunCollection, type StoredRun } from '../../runs/folder/read-run.ts';

/** A run as an analysis reads it, or why it cannot use the run. */
export type Reading<Run extends { readonly folder: string }> =
  | { readonly run: Run; readonly iterations: number }
  | string;

/**
 * The runs in these folders. Non-runs, damaged runs, duplicates, trainings and runs that `read` refuses are left out with a
 * reason. `analysis`: its name in errors. Throws a usage error for a path that does not exist, and if no run is left.
 */
export async function usableRuns<Run extends { readonly folder: string }>(
  analysis: string,
  paths: readonly string[],
  read: (stored: StoredRun) => Promise<Reading<Run>>,
): Promise<FoundRuns<Run>> {
  const found = findRuns(paths, 'analyze');
  const collection = new RunCollection<Run>(found.leftOut, 'the configuration and the seed');
  for (const stored of found.runs) {
    const { folder, manifest } = stored;
    try {
      refuseTraining(folder, manifest, 'analyze');
    } catch (error) {
      collection.leave(folder, errorDetail(error));
      continue;
    }
    try {
      const reading = await read(stored);
      if (typeof reading === 'string') collection.leave(folder, reading);
      else if (reading.iterations === 0) collection.leave(folder, 'has no completed iteration');
      else collection.add(reading.run, runIdentity(manifest), reading.iterations);
    } catch (error) {
      collection.leaveBroken(folder, error);
    }
  }
  const { runs, leftOut } = collection;
  if (runs.length === 0) {
    const reasons = leftOut.map(({ path, reason }) => `"${path}": ${reason}`).join('; ');
    throw new UsageError('analyze', `expected runs that "${analysis}" can use, got none: ${reasons}`);
  }
  return { runs, leftOut };
}
