/** `metrics.csv`: a row per iteration, derived from the events of a run. */
import { existsSync } from 'node:fs';
import { inertCsvLine } from '../../base/csv-line.ts';
import { R2poError } from '../../base/errors.ts';
import { appendText, replaceFileAsync } from '../../base/node/atomic-file.ts';
import { type IterationRow, type IterationRows, rowColumns } from '../journal/iteration-rows.ts';
import { readRunFile } from './files.ts';

/** Labels that always have a column; other labels come last. */
const fixedLabels = ['proposal', 'revision'];

/** Labels of these rows that have no column of their own. */
function otherLabels(rows: readonly IterationRow[]): string[] {
  const labels = new Set(rows.flatMap(({ candidates }) => Object.keys(candidates)));
  return [...labels].filter((label) => !fixedLabels.includes(label));
}

function csvRow(row: IterationRow, others: readonly string[]): string {
  const cells = [
    ...rowColumns.first.map((name) => row[name]),
    ...fixedLabels.map((label) => row.candidates[label]),
    ...rowColumns.last.map((name) => row[name]),
    ...others.map((label) => row.candidates[label]),
  ];
  return inertCsvLine(cells.map((cell) => cell ?? null));
}

/** One row per iteration; an empty cell where there is no value. */
export function metricsCsv(rows: readonly IterationRow[]): string {
  const others = otherLabels(rows);
  const header = [...rowColumns.first, ...fixedLabels, ...rowColumns.last, ...others];
  return [inertCsvLine(header), ...rows.map((row) => csvRow(row, others))].join('');
}

/**
 * The file of a run: written whole when a session starts, and whenever a label needs a new column; otherwise a row is
 * appended to it in one write.
 */
export class MetricsFile {
  readonly #path: string;
  /** what the file has; null: it has to be written whole */
  #state: { readonly rows: number; readonly others: readonly string[] } | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** `rows`: those of before and new ones. Calls must not overlap. */
  async write(rows: IterationRows): Promise<void> {
    const before = this.#state;
    // Where the writing fails, the file may end in a part of a row.
    this.#state = null;
    // Further rows may come while this waits for the disk.
    const count = rows.length;
    if (before !== null && (await this.#append(rows.from(before.rows), before.others))) {
      this.#state = { ...before, rows: count };
      return;
    }
    const all = rows.from(0);
    await replaceFileAsync(this.#path, metricsCsv(all), 'rebuildable');
    this.#state = { rows: all.length, others: otherLabels(all) };
  }

  /** False where the file has to be written whole: a label needs a column, or somebody removed the file. */
  async #append(fresh: readonly IterationRow[], others: readonly string[]): Promise<boolean> {
    if (otherLabels(fresh).some((label) => !others.includes(label)) || !existsSync(this.#path)) return false;
    if (fresh.length > 0) await appendText(this.#path, fresh.map((row) => csvRow(row, others)).join(''));
    return true;
  }
}

/** The columns of `metrics.csv` that readers need. */
export interface MetricsRow {
  readonly iteration: number;
  /** of the search so far */
  readonly episodes: number;
  readonly tokens: number;
  /** answered calls of the model; null for a run that was written when they were not counted by iteration */
  readonly calls: number | null;
  /** wall time of the run so far, s; null for a file without that column */
  readonly seconds: number | null;
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
  const [calls, seconds] = [columns.indexOf('llm_calls'), columns.indexOf('wall_s')];
  const [iteration, episodes, mean, best, asked, answered] = [
    'iteration',
    'episodes',
    'mean',
    'best',
    'prompt_tokens',
    'completion_tokens',
  ].map(at);
  // A process that was killed while it appended a row may have left a part of it.
  const last = lines.at(-1)!;
  const whole = last.split(',').length < columns.length ? lines.slice(0, -1) : lines;
  return whole
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
        seconds: seconds < 0 ? null : optional(seconds),
        mean: optional(mean!),
        best: optional(best!),
      };
    });
}
