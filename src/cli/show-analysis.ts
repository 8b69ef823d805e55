/** Prints an analysis of runs. */
import { writeFileSync } from 'node:fs';
import { UsageError } from '../base/errors.ts';
import { cannotWriteFile } from '../base/machine-fault.ts';
import { counted } from '../base/plain-number.ts';
import type { AnalysedRun, Analysis } from '../report/analyses/analysis.ts';
import { analysisKinds } from '../report/analyses/index.ts';
import { pairsOf } from '../report/analyses/record.ts';
import { findAnalysedRuns, requireOneOrigin } from '../report/analyses/runs.ts';
import type { Sharing } from '../report/analyses/usable-runs.ts';
import { csvTable, type Table } from '../report/tables/table.ts';
import type { LeftOut } from '../runs/folder/find-runs.ts';
import type { Io } from './io.ts';

/** Prints the tables unless `--json` is set, and returns the document and what was left out. */
export async function showAnalysis(
  analysis: Analysis,
  paths: readonly string[],
  options: { readonly allowMixed?: boolean; readonly csv?: string; readonly json?: boolean },
  io: Io,
): Promise<{ readonly document: Readonly<Record<string, unknown>>; readonly leftOut: readonly LeftOut[] }> {
  if (options.csv !== undefined && !analysis.hasRows) {
    const known = analysisKinds.filter((one) => one.reads === 'moves' || one.hasRows).map(({ id }) => id);
    throw new UsageError(
      '--csv',
      `expected an analysis with rows (${known.join(', ')}), got "${analysis.id}"; leave it out`,
    );
  }
  const { runs, leftOut } = await findAnalysedRuns(paths, analysis);
  if (!options.allowMixed) requireOneOrigin(runs);
  for (const { path, reason } of leftOut) io.note(`left out "${path}": ${reason}`);
  for (const { folder, changed } of runs) if (changed !== null) io.warn(`${folder}: ${changed}`);
  noteShared(runs, io);
  const unfinished = runs.filter(({ status }) => status !== 'finished');
  for (const { folder, iterations } of unfinished) {
    io.note(`unfinished "${folder}": uses its ${iterations.length} completed iterations`);
  }
  const { document, tables, rows } = analysis.analyse(runs);
  if (options.csv !== undefined && rows) {
    writeRows(options.csv, rows);
    io.note(`saved ${counted(rows.rows.length, 'row')} in ${options.csv}`);
  }
  const counts = countsOf(runs, leftOut);
  const all = { analysis: analysis.id, counts, runs: runs.map(describeRun), left_out: leftOut, ...document };
  if (options.json) return { document: all, leftOut };
  for (const table of tables) io.print(`${io.titledTable(table)}\n`);
  io.print(footer(runs));
  return { document: all, leftOut };
}

/** Says which iterations of branches are counted with another run. */
export function noteShared(runs: readonly Sharing<{ readonly folder: string }>[], io: Io): void {
  for (const { folder, shared } of runs) {
    if (shared === null) continue;
    const { count, of } = shared;
    const first = count === 1 ? 'iteration' : `${count} iterations`;
    io.note(`branch "${folder}": its first ${first} ${count === 1 ? 'is' : 'are'} counted once, with "${of}"`);
  }
}

function writeRows(path: string, rows: Table): void {
  try {
    writeFileSync(path, csvTable(rows));
  } catch (cause) {
    throw cannotWriteFile('--csv', path, cause, 'name a file in a folder that exists');
  }
}

function countsOf(runs: readonly AnalysedRun[], leftOut: readonly LeftOut[]) {
  return {
    runs: runs.length,
    unfinished: runs.filter(({ status }) => status !== 'finished').length,
    left_out: leftOut.length,
    offline_model: runs.filter(({ origin }) => origin === 'offline').length,
    language_model: runs.filter(({ origin }) => origin === 'language-model').length,
    iterations: runs.reduce((sum, { iterations }) => sum + iterations.length, 0),
    pairs: runs.reduce((sum, { iterations }) => sum + pairsOf(iterations).length, 0),
  };
}

function describeRun(run: Sharing<AnalysedRun>) {
  const { folder, env, method, seed, model, origin, status, threshold, iterations, shared } = run;
  return {
    run: folder,
    env: env.id,
    method: method.id,
    seed,
    model,
    origin,
    status,
    threshold,
    iterations: iterations.length,
    shared_iterations: shared?.count ?? 0,
    pairs: pairsOf(iterations).length,
  };
}

/** The number of runs, iterations and models; the optimiser must not pass for a language model. */
function footer(runs: readonly AnalysedRun[]): string {
  const counts = countsOf(runs, []);
  const models = [...new Set(runs.filter(({ origin }) => origin === 'language-model').map(({ model }) => model))];
  return [
    `${counted(counts.runs, 'run')} (${counts.unfinished} unfinished), ${counted(counts.iterations, 'iteration')}, ` +
      counted(counts.pairs, 'pair'),
    ...(models.length > 0 ? [`language models: ${models.join(', ')} (${counted(counts.language_model, 'run')})`] : []),
    ...(counts.offline_model > 0
      ? [`offline model: ${counted(counts.offline_model, 'run')}; a numeric optimiser, not a language model`]
      : []),
  ].join('\n');
}
