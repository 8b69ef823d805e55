/** The iterations of a run with its totals at the end of each: what `metrics.csv` and the curves show. */
import { NumberLists } from '../../base/number-lists.ts';
import type { CandidateLabel } from '../../methods/method.ts';

/** One iteration, with the run's totals at its end. Names of plain fields are columns of `metrics.csv`. */
export interface IterationRow {
  readonly iteration: number;
  /** search episodes so far, warm-up included */
  readonly episodes: number;
  readonly steps: number;
  readonly kept: CandidateLabel | null;
  /** of the kept policy; null when the iteration kept none */
  readonly mean: number | null;
  readonly std: number | null;
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** highest kept mean so far */
  readonly best: number | null;
  /** means of the candidates by their labels, in the order in which they were played */
  readonly candidates: Readonly<Record<CandidateLabel, number>>;
  readonly unusable_replies: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly llm_seconds: number;
  readonly wall_s: number;
  /** answered calls so far, repair turns included */
  readonly llm_calls: number;
  /** of the prompt and completion tokens so far; null where no endpoint said */
  readonly cached_tokens: number | null;
  readonly cache_write_tokens: number | null;
  readonly reasoning_tokens: number | null;
}

/** Columns of `metrics.csv` before and behind the means of the candidates; new ones go to the end, for readers that count. */
export const rowColumns = {
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

/** Those that are numbers, or null. */
const fields = [...rowColumns.first, ...rowColumns.last].filter((name) => name !== 'kept');

/** What the candidates of an iteration are called, and which one was kept. */
interface Labels {
  readonly kept: CandidateLabel | null;
  readonly candidates: readonly CandidateLabel[];
}

/**
 * Rows that are only added to. They are kept as numbers, about 200 bytes each, because a search that goes on has all of
 * them, and may have a hundred thousand; one that is asked for is made anew.
 */
export class IterationRows implements Iterable<IterationRow> {
  /** of each row the fields, a bit for each that is null, and the means of the candidates */
  readonly #numbers = new NumberLists();
  /** of each row; equal ones are one object */
  readonly #labels: Labels[] = [];
  readonly #known = new Map<string, Labels>();

  get length(): number {
    return this.#labels.length;
  }

  push(row: IterationRow): void {
    const candidates = Object.keys(row.candidates);
    const key = JSON.stringify([row.kept, candidates]);
    if (!this.#known.has(key)) this.#known.set(key, { kept: row.kept, candidates });
    this.#labels.push(this.#known.get(key)!);
    const nulls = fields.reduce((bits, name, i) => (row[name] === null ? bits + 2 ** i : bits), 0);
    this.#numbers.push([...fields.map((name) => row[name] ?? 0), nulls, ...Object.values(row.candidates)]);
  }

  /** The row at an index; a negative one counts from the end. */
  at(index: number): IterationRow | undefined {
    const place = index < 0 ? this.length + index : index;
    const labels = this.#labels[place];
    if (labels === undefined) return undefined;
    const numbers = this.#numbers.view(place);
    const nulls = numbers[fields.length]!;
    const isNull = (field: number): boolean => Math.floor(nulls / 2 ** field) % 2 === 1;
    const values = fields.map((name, i) => [name, isNull(i) ? null : numbers[i]!]);
    const means = labels.candidates.map((label, i) => [label, numbers[fields.length + 1 + i]!]);
    return { ...Object.fromEntries(values), kept: labels.kept, candidates: Object.fromEntries(means) } as IterationRow;
  }

  /** The rows from an index on. */
  from(start: number): IterationRow[] {
    return Array.from({ length: Math.max(0, this.length - start) }, (_, i) => this.at(start + i)!);
  }

  *[Symbol.iterator](): Generator<IterationRow> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }
}
