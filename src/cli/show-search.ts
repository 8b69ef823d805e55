/** `r2po analyze search`: how searches move, with rejected candidates played again. */
import { counted } from '../base/plain-number.ts';
import { offline } from '../llm/offline/index.ts';
import { groupSearches, type MeasuredRun, measured } from '../report/analyses/search.ts';
import { findSearchedRuns } from '../report/analyses/search-analysis.ts';
import { replayRejected } from '../report/analyses/search-noise.ts';
import { searchDocument, searchRows, searchTables } from '../report/analyses/search-tables.ts';
import { csvTable } from '../report/tables/table.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import type { LeftOut } from '../runs/folder/find-runs.ts';
import { withBackend } from './backend.ts';
import { listenForInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { checkPicture, writePicture, writeResult } from './picture-file.ts';
import { noteShared } from './show-analysis.ts';

export interface SearchOptions {
  readonly csv?: string;
  readonly picture?: string;
  readonly replay?: number;
  readonly pairs?: number;
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly json?: boolean;
}

export const defaultReplay = { episodes: 200, pairs: 20 };

/** Prints the tables unless `--json` is set, and returns the document and what was left out. */
export async function showSearch(
  paths: readonly string[],
  options: SearchOptions,
  io: Io,
): Promise<{ readonly document: Readonly<Record<string, unknown>>; readonly leftOut: readonly LeftOut[] }> {
  checkPicture(options.picture);
  const { runs: found, leftOut } = await findSearchedRuns(paths);
  for (const { path, reason } of leftOut) io.note(`left out "${path}": ${reason}`);
  for (const { folder, changed } of found) if (changed !== null) io.warn(`${folder}: ${changed}`);
  noteShared(found, io);
  const episodes = options.replay ?? defaultReplay.episodes;
  const runs = await replayed(found.map(measured), episodes, options, io);
  const groups = groupSearches(runs);
  if (options.csv !== undefined) writeResult('--csv', options.csv, csvTable(searchRows(runs)), io);
  if (options.picture !== undefined) {
    const { searchSpec } = await import('../report/curves/search-chart.ts');
    await writePicture(options.picture, searchSpec(groups), io);
  }
  const document = {
    analysis: 'search',
    replay: episodes === 0 ? null : { episodes, pairs: options.pairs ?? defaultReplay.pairs },
    ...searchDocument(groups),
    left_out: leftOut,
  };
  if (!options.json) {
    for (const table of searchTables(groups)) io.print(`${io.titledTable(table)}\n`);
    const byOffline = runs.filter(({ run }) => run.model === offline.id).length;
    io.print(counted(runs.length, 'run'));
    if (byOffline > 0)
      io.print(`offline model: ${counted(byOffline, 'run')}; a numeric optimiser, not a language model`);
  }
  return { document, leftOut };
}

/** The runs with their rejected candidates on fresh seeds. */
async function replayed(
  runs: readonly Omit<MeasuredRun, 'replayed'>[],
  episodes: number,
  { pairs = defaultReplay.pairs, backend: choice = 'auto', adapter }: SearchOptions,
  io: Io,
): Promise<MeasuredRun[]> {
  if (episodes === 0) return runs.map((one) => ({ ...one, replayed: null }));
  const interruption = listenForInterrupts(io, 'the analysis', 'without a result');
  const { signal } = interruption;
  try {
    return await withBackend(choice, adapter, io, async (backend) => {
      const done: MeasuredRun[] = [];
      for (const { run, iterations, way } of runs) {
        io.status(`playing rejected candidates again: run ${done.length + 1} of ${runs.length}`);
        const request = { backend, episodes, pairs, signal };
        done.push({ run, iterations, way, replayed: await replayRejected(run, iterations, request) });
      }
      return done;
    });
  } finally {
    io.status(null);
    interruption.dispose();
  }
}
