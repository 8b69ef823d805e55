/** `r2po eval --policies`: many policies on common seeds, in order. */

import { UsageError } from '../base/errors.ts';
import { OutputFile } from '../base/node/atomic-file.ts';
import { counted } from '../base/plain-number.ts';
import type { Env } from '../envs/env.ts';
import { rankPolicies } from '../evaluation/ranking.ts';
import {
  notRanked,
  type RankingReport,
  rankingDocument,
  rankingRows,
  rankingTable,
  recheckTable,
} from '../report/tables/ranking.ts';
import { csvTable } from '../report/tables/table.ts';
import type { Backend } from '../rollout/backend.ts';
import type { PolicySet } from '../runs/folder/policy-set.ts';
import type { Io } from './io.ts';
import { brokenError } from './left-out.ts';
import { progressOf } from './progress.ts';

export interface RankOptions {
  readonly episodes: number;
  readonly seed: number;
  /** number of lines to show; default: 20 */
  readonly top?: number;
  /** fresh episodes for the top policies; default: `episodes`; 0: no re-check */
  readonly recheck?: number;
  readonly csv?: string;
  readonly json?: boolean;
}

/** Number of policies in the table. */
const shownPolicies = 20;
/** Number of top policies that are re-checked. */
const recheckedPolicies = 10;
/** Maximum number of lines on stderr; the JSON document is complete. */
const maxReasons = 10;

export interface RankUnits {
  readonly backend: Backend;
  readonly set: PolicySet;
  readonly maxSteps: number | null;
  readonly signal: AbortSignal;
}

export async function rankAndReport({ set, ...units }: RankUnits, options: RankOptions, io: Io): Promise<void> {
  const { backend } = units;
  const { env } = set;
  const { episodes, seed } = options;
  for (const { policy } of set.groups) {
    const unsupported = backend.supports(env, policy);
    if (unsupported !== null) throw new UsageError('--backend', unsupported);
  }
  const count = set.groups.reduce((sum, { members }) => sum + members.length, 0);
  const fresh = options.recheck ?? episodes;
  const file = options.csv === undefined ? null : await OutputFile.create('--csv', options.csv);
  try {
    const ranking = await rankPolicies({
      ...units,
      env,
      populations: set.groups.map(({ policy, members }) => ({ policy, candidates: members.map((m) => m.params) })),
      ...{ episodes, seed },
      recheck: fresh > 0 ? { top: recheckedPolicies, episodes: fresh } : null,
      onProgress: progressOf(io, `${count} policies x ${counted(episodes, 'episode')}`),
    });
    io.status(null);
    const report: RankingReport = { set, ranking, seed, episodes };
    await file?.write(csvTable(rankingRows(report)));
    await file?.finish();
    if (file) io.note(`wrote ${options.csv}`);
    for (const { path, reason } of set.changed.slice(0, maxReasons)) io.warn(`${path}: ${reason}`);
    reportLeftOut(report, io);
    show(report, backend, env, options, io);
    const broken = brokenError('eval', set.leftOut);
    if (broken) throw broken;
  } catch (error) {
    await file?.discard();
    throw error;
  }
}

function show(
  report: RankingReport,
  backend: Backend,
  env: Env,
  { json, top = shownPolicies }: RankOptions,
  io: Io,
): void {
  const { steps, seconds } = report.ranking;
  if (json) {
    const { id, adapter } = backend;
    const speed = { steps, wall_s: seconds, steps_per_s: steps / seconds };
    io.printJson({ env: env.id, env_options: env.options, backend: id, adapter, ...rankingDocument(report), ...speed });
    return;
  }
  const tables = [rankingTable(report, top), recheckTable(report)].filter((table) => table !== null);
  io.print(tables.map((table) => io.titledTable(table)).join('\n\n'));
  io.note(`played ${counted(steps, 'step')} in ${seconds.toFixed(2)} s on ${backend.adapter ?? backend.id}`);
}

/** Policies that are not ranked, and why. */
function reportLeftOut(report: RankingReport, io: Io): void {
  const left = notRanked(report);
  for (const { name, reason } of left.slice(0, maxReasons)) io.warn(`left out: ${name}: ${reason}`);
  if (left.length > maxReasons) io.warn(`left out: ${left.length - maxReasons} more; see --json`);
  const { duplicates } = report.set;
  for (const { name, of } of duplicates.slice(0, maxReasons)) io.note(`${name}: same parameters as ${of}; skipped`);
  if (duplicates.length > maxReasons) io.note(`${duplicates.length - maxReasons} more duplicates; see --json`);
}
