/** The picture of a run, beside its other files: `reward.svg`. */
import { join } from 'node:path';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { significant } from '../../base/plain-number.ts';
import { readRun } from '../../runs/folder/read-run.ts';
import type { RunSummary } from '../../runs/folder/summary.ts';
import { modelLabel } from '../tables/run-table.ts';
import { rewardCurve } from './run-curve.ts';

/** Draws the run of this folder from its record. Returns the file's path. */
export async function writeRunFigure(folder: string, summary: RunSummary): Promise<string> {
  const rechecked = summary.best?.rechecked;
  const svg = await rewardCurve(readRun(folder).totals().rows, {
    title: `${summary.env}, ${summary.method}, seed ${summary.seed}`,
    subtitle: [
      `model: ${modelLabel(summary.model, summary.model_kind)}`,
      rechecked
        ? `best policy on ${rechecked.episodes} fresh episodes: mean return ${significant(rechecked.mean, 5)}`
        : 'best policy not re-checked yet',
    ],
    rechecked: rechecked ? { mean: rechecked.mean, label: `re-checked ${significant(rechecked.mean, 4)}` } : null,
  });
  const path = join(folder, 'reward.svg');
  replaceFile(path, svg, 'rebuildable');
  return path;
}
