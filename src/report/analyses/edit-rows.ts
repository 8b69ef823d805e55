/** The edits of runs one by one: a row per iteration, and the largest changes for better and for worse. */
import { basename } from 'node:path';
import { type Cell, left, right, type Table, tableOf } from '../tables/table.ts';
import type { AnalysedRun } from './analysis.ts';
import { thresholdsOf } from './edit-thresholds.ts';
import { categoryOf, type Edit, editOf, measureOf } from './edits.ts';
import { numberCell } from './format.ts';
import { type PairRole, pairsOf } from './record.ts';

/** An edit with what identifies it. */
export interface EditRow extends Edit {
  readonly run: string;
  readonly env: string;
  readonly method: string;
  readonly model: string;
  readonly seed: number;
  /** null: the environment has no scale of returns */
  readonly category: string | null;
  readonly kept: PairRole | null;
}

/** In the order of the runs and of their iterations. */
export function editRows(runs: readonly AnalysedRun[]): EditRow[] {
  return runs.flatMap((run) => {
    const { folder, env, method, variant, model, seed, iterations } = run;
    const thresholds = thresholdsOf(run);
    return pairsOf(iterations).map((pair) => {
      const edit = editOf(pair, measureOf(run));
      const category = thresholds && categoryOf(edit, thresholds);
      return {
        run: folder,
        env: env.id,
        method: variant ?? method.id,
        model,
        seed,
        category,
        kept: pair.kept,
        ...edit,
      };
    });
  });
}

const flagCell = (value: boolean | null): Cell => (value === null ? null : Number(value));

/** For programs: numbers with all digits, 1 and 0 for yes and no, an empty cell where there is none. */
export function editTable(rows: readonly EditRow[]): Table {
  return tableOf(rows, {
    columns: [
      ...(['run', 'env', 'method', 'model', 'seed', 'iteration', 'category', 'direction', 'kept'] as const).map((key) =>
        left(key, (row: EditRow) => row[key]),
      ),
      ...(['initial', 'revised', 'delta', 'distance', 'params', 'l2', 'largest', 'sign_flips'] as const).map((key) =>
        left(key, (row: EditRow) => row[key]),
      ),
      left('beyond_noise', ({ beyond_noise: value }) => flagCell(value)),
    ],
  });
}

/** Edits that are shown of each environment and direction. */
const shown = 5;

export interface LargestEdits {
  readonly regressions: readonly EditRow[];
  readonly improvements: readonly EditRow[];
}

/** Of each environment, because returns of different ones have different units; the largest change first. */
export function largestEdits(rows: readonly EditRow[]): LargestEdits {
  const envs = [...new Set(rows.map(({ env }) => env))];
  const ofDirection = (sign: 1 | -1): EditRow[] =>
    envs.flatMap((env) =>
      rows
        .filter((row) => row.env === env && sign * row.delta > 0)
        .sort((a, b) => sign * (b.delta - a.delta))
        .slice(0, shown),
    );
  return { regressions: ofDirection(-1), improvements: ofDirection(1) };
}

function largestTable(title: string, rows: readonly EditRow[]): Table {
  return tableOf(rows, {
    title,
    note: `Up to ${shown} of each environment, by the change of the mean return.`,
    columns: [
      left('environment', ({ env }) => env),
      left('run', ({ run }) => basename(run)),
      right('iteration', ({ iteration }) => iteration),
      right('proposal', ({ initial }) => numberCell(initial)),
      right('revision', ({ revised }) => numberCell(revised)),
      right('change', ({ delta }) => numberCell(delta)),
      right('changed parameters', ({ distance, params }) => `${distance} of ${params}`),
      left('beyond noise', ({ beyond_noise: value }) => (value === null ? null : value ? 'yes' : 'no')),
      left('category', ({ category }) => category?.replaceAll('_', ' ') ?? null),
    ],
  });
}

/** Tables without rows are left out. */
export function largestTables({ regressions, improvements }: LargestEdits): Table[] {
  return [
    ...(regressions.length > 0 ? [largestTable('Largest regressions', regressions)] : []),
    ...(improvements.length > 0 ? [largestTable('Largest improvements', improvements)] : []),
  ];
}
