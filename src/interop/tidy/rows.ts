/** Runs as one tidy table with a row per iteration and candidate, from which all file formats are written. */

import type { Summary } from '../../evaluation/summary.ts';
import type { Manifest } from '../../runs/folder/manifest.ts';
import type { RunEvent } from '../../runs/journal/events.ts';
import { RunTotals } from '../../runs/journal/totals.ts';

export interface TidyRow {
  /** id of the run */
  readonly run: string;
  readonly env: string;
  readonly method: string;
  readonly model: string;
  readonly seed: number;
  readonly iteration: number;
  readonly candidate: string;
  /** mean over the candidate's episodes; null when not finite */
  readonly mean: number | null;
  /** null when the single episodes are unknown */
  readonly std: number | null;
  readonly kept: boolean;
  /** total of the run up to the end of the iteration, like calls and tokens; null: the log of another program has none */
  readonly episodes: number | null;
  readonly calls: number;
  readonly tokens: number;
}

/** Columns of `real` and `counted` may contain null. */
export type TidyType = 'text' | 'whole' | 'counted' | 'real' | 'boolean';

/** Column order of the files. */
export const tidyColumns = [
  { name: 'run', type: 'text' },
  { name: 'env', type: 'text' },
  { name: 'method', type: 'text' },
  { name: 'model', type: 'text' },
  { name: 'seed', type: 'whole' },
  { name: 'iteration', type: 'whole' },
  { name: 'candidate', type: 'text' },
  { name: 'mean', type: 'real' },
  { name: 'std', type: 'real' },
  { name: 'kept', type: 'boolean' },
  { name: 'episodes', type: 'counted' },
  { name: 'calls', type: 'whole' },
  { name: 'tokens', type: 'whole' },
] as const satisfies readonly { readonly name: keyof TidyRow; readonly type: TidyType }[];

/** The rows of one run; `run` is its id. */
export function tidyRows(run: string, manifest: Manifest, events: readonly RunEvent[]): TidyRow[] {
  const { env, method, seed } = manifest;
  const totals = new RunTotals();
  let evaluated = new Map<string, Summary>();
  const rows: TidyRow[] = [];
  for (const event of events) {
    totals.add(event);
    if (event.type === 'evaluated') evaluated.set(event.candidate, event.summary);
    if (event.type !== 'iteration') continue;
    const { iteration, kept } = event;
    const model = totals.model ?? manifest.model;
    // A run has played some by the end of its first iteration.
    const episodes = totals.episodes === 0 && manifest.imported ? null : totals.episodes;
    const soFar = { episodes, calls: totals.answered.calls, tokens: totals.tokens };
    for (const { label, mean } of event.candidates) {
      rows.push({
        ...{ run, env, method, model, seed, iteration, candidate: label },
        mean: Number.isFinite(mean) ? mean : null,
        std: evaluated.get(label)?.std ?? null,
        kept: kept === label,
        ...soFar,
      });
    }
    evaluated = new Map();
  }
  return rows;
}
