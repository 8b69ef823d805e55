/** Progress of a sweep: a line per active run, and a total. */
import { basename } from 'node:path';
import { significant } from '../base/plain-number.ts';
import { duration } from '../report/progress.ts';
import type { RunProgress } from '../runs/session/progress.ts';
import type { SweepState } from './local.ts';

const digits = 5;
const number = (value: number | null | undefined): string => (value == null ? '-' : significant(value, digits));

function runLine(folder: string, progress: RunProgress | null): string {
  const name = basename(folder);
  if (progress === null) return `${name}  starts`;
  const { totals, iterations } = progress;
  const last = number(totals.rows.at(-1)?.mean);
  return `${name}  ${totals.paused ? 'paused  ' : ''}${totals.rows.length}/${iterations}  last ${last}  best ${number(totals.best?.mean)}`;
}

/** The total line. */
export function totalLine({ runs, finished, already, unfinished, running, etaSeconds }: SweepState): string {
  return [
    `${finished}/${runs} runs finished${already > 0 ? ` (${already} before)` : ''}`,
    ...(etaSeconds === null || running.length === 0 ? [] : [`left ${duration(Math.max(0, etaSeconds))}`]),
    ...(unfinished > 0 ? [`${unfinished} not`] : []),
    ...(running.length > 0 ? [`${running.length} running`] : []),
  ].join(' | ');
}

/** The total, and below it the active runs: a low terminal cuts the last ones. */
export function sweepLines(figures: SweepState): string {
  return [totalLine(figures), ...figures.running.map(({ folder, progress }) => runLine(folder, progress))].join('\n');
}
