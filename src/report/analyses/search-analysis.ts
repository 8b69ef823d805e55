/** `analyze search`: finds runs of every kind of method. */
import type { FoundRuns } from '../../runs/folder/read-run.ts';
import { type SearchedRun, searchedRun } from './moves.ts';
import { type Sharing, usableRuns } from './usable-runs.ts';

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
export function findSearchedRuns(paths: readonly string[]): Promise<FoundRuns<Sharing<SearchedRun>>> {
  return usableRuns(searchAnalysis.id, paths, async (stored) => {
    const { events } = stored.events();
    return { run: await searchedRun(stored, events), events };
  });
}
