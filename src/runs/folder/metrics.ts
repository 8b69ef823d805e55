/** `metrics.csv`: a row per iteration, derived from the events of a run. */
import { inertCsvLine } from '../../base/csv-line.ts';
import { R2poError } from '../../base/errors.ts';
import type { IterationRow } from '../journal/totals.ts';
import { readRunFile } from './files.ts';

/** Columns before and behind the means of the candidates; new ones go to the end, for readers that count columns. */
const columns = {
  first: ['iteration', 'episodes', 'steps', 'kept', 'mean', 'std', 'median', 'min', 'max', 'best'],
  last: [
    'unusable_replies',
    'prompt_tokens',
    'completion_tokens',
    'llm_seconds',
    'wall_s',
    'llm_calls',
    'cached_tokens',
    'cache_write_tokens',
    'reasoning_tokens',
  ],
} as const satisfies Record<string, readonly Exclude<keyof IterationRow, 'candidates'>[]>;

/** Labels that always have a column; other labels come last. */
const fixedLabels = ['proposal', 'revision'];

/** One row per iteration; an empty cell where there is no value. */
export function metricsCsv(rows: readonly IterationRow[]): string {
  const labels = new Set(rows.flatMap(({ candidates }) => Object.keys(candidates)));
  const others = [...labels].filter((label) => !fixedLabels.includes(label));
  const cells = (row: IterationRow) => [
    ...columns.first.map((name) => row[name]),
    ...fixedLabels.map((label) => row.candidates[label]),
    ...columns.last.map((name) => row[name]),
    ...others.map((label) => row.candidates[label]),
  ];
  const header = [...columns.first, ...fixedLabels, ...columns.last, ...others];
  return [header, ...rows.map((row) => cells(row).map((cell) => cell ?? null))].map(inertCsvLine).join('');
}

/** The columns of `metrics.csv` that readers need. */
export interface MetricsRow {
  readonly iteration: number;
  /** of the search so far */
  readonly episodes: number;
  readonly tokens: number;
  /** answered calls of the model; null for a run that was written when they were not counted by iteration */
  readonly calls: number | null;
  /** of the kept policy; null when the iteration kept none */
  readonly mean: number | null;
  /** highest kept mean so far */
  readonly best: number | null;
}

/** Finds columns by their names, so that another version may order them differently. */
export function readMetrics(path: string): MetricsRow[] {
  const [header, ...lines] = readRunFile(path).split('\n');
  const columns = header!.split(',');
  const at = (name: string): number => {
    const column = columns.indexOf(name);
    if (column < 0) throw new R2poError('metrics.csv', `expected a column "${name}" in "${path}", found ${header}`);
    return column;
  };
  const calls = columns.indexOf('llm_calls');
  const [iteration, episodes, mean, best, asked, answered] = [
    'iteration',
    'episodes',
    'mean',
    'best',
    'prompt_tokens',
    'completion_tokens',
  ].map(at);
  return lines
    .filter((line) => line !== '')
    .map((line, i) => {
      const cells = line.split(',');
      const number = (column: number): number => {
        const value = Number(cells[column]);
        if (cells[column] === undefined || cells[column] === '' || !Number.isFinite(value)) {
          const where = `${path}:${i + 2}`;
          throw new R2poError(
            'metrics.csv',
            `expected a number under "${columns[column]}" in "${where}", got "${cells[column] ?? ''}"`,
          );
        }
        return value;
      };
      const optional = (column: number): number | null => (cells[column] === '' ? null : number(column));
      return {
        iteration: number(iteration!),
        episodes: number(episodes!),
        tokens: number(asked!) + number(answered!),
        calls: calls < 0 ? null : number(calls),
        mean: optional(mean!),
        best: optional(best!),
      };
    });
}
