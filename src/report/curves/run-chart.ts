/** The picture of a run, beside its other files: `reward.svg`. */
import { join } from 'node:path';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { significant } from '../../base/plain-number.ts';
import { readRun } from '../../runs/folder/read-run.ts';
import type { RunSummary } from '../../runs/folder/summary.ts';
import type { IterationRow } from '../../runs/journal/iteration-rows.ts';
import { modelLabel } from '../tables/run-table.ts';
import { rewardCurve } from './run-curve.ts';

export const figureName = 'reward.svg';

/** Draws the run of this folder; `rows`: those of its record, which is read when they are left out. Returns the file's path. */
export async function writeRunFigure(
  folder: string,
  summary: RunSummary,
  rows: Iterable<IterationRow> = readRun(folder).totals().rows,
): Promise<string> {
  const rechecked = summary.best?.rechecked;
  const svg = await rewardCurve([...rows], {
    title: `${summary.env}, ${summary.method}, seed ${summary.seed}`,
    subtitle: [
      `model: ${modelLabel(summary.model, summary.model_kind)}`,
      rechecked
        ? `best policy on ${rechecked.episodes} fresh episodes: mean return ${significant(rechecked.mean, 5)}`
        : 'best policy not re-checked yet',
    ],
    rechecked: rechecked ? { mean: rechecked.mean, label: `re-checked ${significant(rechecked.mean, 4)}` } : null,
  });
  const path = join(folder, figureName);
  replaceFile(path, svg, 'rebuildable');
  return path;
}
