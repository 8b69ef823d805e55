/** `analyze search`: finds runs of every kind of method. */
import { errorDetail, UsageError } from '../../base/errors.ts';
import { refuseTraining } from '../../runs/folder/folder.ts';
import { runIdentity } from '../../runs/folder/manifest.ts';
import { type FoundRuns, findRuns, RunCollection } from '../../runs/folder/read-run.ts';
import { type SearchedRun, searchedRun } from './moves.ts';

/** An analysis of what searches played; the others read pairs of candidates. */
export interface SearchAnalysis {
  readonly id: string;
  readonly title: string;
  readonly reads: 'moves';
}

export const searchAnalysis: SearchAnalysis = {
  id: 'search',
  title: 'how searches move: steps, drift, repeats, acceptance, and better candidates that were rejected',
  reads: 'moves',
};

/** The runs in these folders. Throws a usage error for a path that does not exist, and if no run is left. */
export async function findSearchedRuns(paths: readonly string[]): Promise<FoundRuns<SearchedRun>> {
  const found = findRuns(paths, 'analyze');
  const collection = new RunCollection<SearchedRun>(found.leftOut, 'the configuration and the seed');
  for (const stored of found.runs) {
    const { folder, manifest } = stored;
    try {
      refuseTraining(folder, manifest, 'analyze');
    } catch (error) {
      collection.leave(folder, errorDetail(error));
      continue;
    }
    try {
      const run = await searchedRun(stored);
      if (run.moves.length === 0) collection.leave(folder, 'has no completed iteration');
      else collection.add(run, runIdentity(manifest), run.moves.length);
    } catch (error) {
      collection.leaveBroken(folder, error);
    }
  }
  const { runs, leftOut } = collection;
  if (runs.length === 0) {
    const reasons = leftOut.map(({ path, reason }) => `"${path}": ${reason}`).join('; ');
    throw new UsageError('analyze', `expected runs that "${searchAnalysis.id}" can use, got none: ${reasons}`);
  }
  return { runs, leftOut };
}
