/** The runs that an analysis can use, and why the others cannot be. */
import { errorDetail, UsageError } from '../../base/errors.ts';
import { IterationOwners, iterationNames, type SharedIterations } from '../../runs/branch/shared-iterations.ts';
import { refuseTraining } from '../../runs/folder/folder.ts';
import { runIdentity } from '../../runs/folder/manifest.ts';
import { type FoundRuns, findRuns, RunCollection, type StoredRun } from '../../runs/folder/read-run.ts';
import type { RunEvent } from '../../runs/journal/events.ts';

/** A run as an analysis reads it, or why it cannot use the run. */
export type Reading<Run extends { readonly folder: string }> =
  | { readonly run: Run; readonly events: readonly RunEvent[] }
  | string;

/** A run of several, and its first iterations that are counted with another one; null: none are. */
export type Sharing<Run> = Run & { readonly shared: SharedIterations | null };

interface UsableRun<Run> {
  readonly folder: string;
  readonly run: Run;
  readonly names: readonly string[];
  readonly isBranch: boolean;
}

/**
 * The runs in these folders. Non-runs, damaged runs, duplicates, trainings and runs that `read` refuses are left out with a
 * reason. Runs come before branches, which share iterations with them. `analysis`: its name in errors. Throws a usage error for a path that does not exist, and if no run is left.
 */
export async function usableRuns<Run extends { readonly folder: string }>(
  analysis: string,
  paths: readonly string[],
  read: (stored: StoredRun) => Promise<Reading<Run>>,
): Promise<FoundRuns<Sharing<Run>>> {
  const given = findRuns(paths, 'analyze');
  const collection = new RunCollection<UsableRun<Run>>(given.leftOut, 'the configuration and the seed');
  for (const stored of given.runs) {
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
      else {
        const names = iterationNames(reading.events);
        const usable = { folder, run: reading.run, names, isBranch: manifest.branch !== undefined };
        if (names.length === 0) collection.leave(folder, 'has no completed iteration');
        else collection.add(usable, runIdentity(manifest), names.length);
      }
    } catch (error) {
      collection.leaveBroken(folder, error);
    }
  }
  const owners = new IterationOwners();
  const found = collection.runs;
  const runs: Sharing<Run>[] = [];
  for (const { folder, run, names } of [
    ...found.filter((one) => !one.isBranch),
    ...found.filter((one) => one.isBranch),
  ]) {
    const shared = owners.add(folder, names);
    if (shared?.count === names.length) collection.leave(folder, `has no iteration that "${shared.of}" has not`);
    else runs.push({ ...run, shared });
  }
  const { leftOut } = collection;
  if (runs.length === 0) {
    const reasons = leftOut.map(({ path, reason }) => `"${path}": ${reason}`).join('; ');
    throw new UsageError('analyze', `expected runs that "${analysis}" can use, got none: ${reasons}`);
  }
  return { runs, leftOut };
}
