/** The figure of a run that `r2po run` began and did not live to draw. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorDetail } from '../base/errors.ts';
import { figureName, writeRunFigure } from '../report/curves/run-chart.ts';
import type { Manifest } from '../runs/folder/manifest.ts';
import { readRun } from '../runs/folder/read-run.ts';

/** Whether the command that played the run until now draws a figure at its end, and has not. Sweeps and workers draw none. */
export function lacksFigure(folder: string, manifest: Manifest | null): boolean {
  return manifest?.argv[0] === 'run' && !existsSync(join(folder, figureName));
}

/** Draws the figure of a finished run. A failure is a notice: the run is finished all the same. */
export async function drawMissingFigure(folder: string, note: (text: string) => void): Promise<void> {
  try {
    note(`figure: ${await writeRunFigure(folder, readRun(folder).summary())}`);
  } catch (error) {
    note(`${folder}: no figure was drawn: ${errorDetail(error)}`);
  }
}
