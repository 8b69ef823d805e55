/** What a run is filtered, sorted and grouped by. */
import type { RunRow } from '../../api/index-of-runs.ts';

export interface Field {
  readonly key: string;
  /** as a column is named */
  readonly title: string;
  readonly kind: 'text' | 'number' | 'time';
  /** null: the run has none */
  readonly value: (row: RunRow) => string | number | null;
}

const text = (key: string, title: string, value: (row: RunRow) => string | null): Field => ({
  key,
  title,
  kind: 'text',
  value,
});
const number = (key: string, title: string, value: (row: RunRow) => number | null): Field => ({
  key,
  title,
  kind: 'number',
  value,
});
const time = (key: string, title: string, value: (row: RunRow) => string | null): Field => ({
  key,
  title,
  kind: 'time',
  value: (row) => {
    const at = Date.parse(value(row) ?? '');
    return Number.isNaN(at) ? null : at;
  },
});

export const fields: readonly Field[] = [
  text('run', 'run', ({ id }) => id),
  text('env', 'environment', ({ env }) => env),
  text('method', 'method', ({ method }) => method),
  text('model', 'model', ({ model }) => model),
  text('kind', 'kind of model', ({ modelKind }) => modelKind),
  text('status', 'status', ({ status }) => status),
  text('problem', 'problem', ({ problem }) => problem),
  text('branch', 'branched from', ({ branch }) => branch && `${branch.run}@${branch.iteration}`),
  number('seed', 'seed', ({ seed }) => seed),
  number('iterations', 'iterations', ({ iterations }) => iterations),
  number('best', 'best of the search', ({ best }) => best),
  number('rechecked', 're-checked best', ({ rechecked }) => rechecked?.mean ?? null),
  number('episodes', 'episodes', ({ episodes }) => episodes),
  number('steps', 'steps', ({ steps }) => steps),
  number('calls', 'calls', ({ calls }) => calls),
  number('tokens', 'tokens', ({ tokens }) => tokens),
  number('cost', 'cost', ({ costUsd }) => costUsd),
  number('duration', 'duration', ({ wallSeconds }) => wallSeconds),
  time('started', 'started', ({ started }) => started),
  time('updated', 'updated', ({ updated }) => updated),
];
export const fieldOf = (key: string): Field | undefined => fields.find((field) => field.key === key);

/** A run that did not do what it was asked for: it cannot be read, or something stopped it. */
export const hasFailed = ({ status, problem }: RunRow): boolean =>
  status === 'damaged' || (problem !== null && status !== 'running' && status !== 'finished');

const collator = new Intl.Collator('en', { numeric: true });

/** Rows in the order of a field; those without a value come last in both directions. */
export function sorted(rows: readonly RunRow[], key: string, descending: boolean): RunRow[] {
  const field = fieldOf(key);
  if (!field) return [...rows];
  const valued = rows.map((row) => ({ row, value: field.value(row) }));
  const sign = descending ? -1 : 1;
  return valued
    .sort((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      const order =
        typeof a.value === 'number' && typeof b.value === 'number'
          ? a.value - b.value
          : collator.compare(String(a.value), String(b.value));
      return sign * order || (a.row.id < b.row.id ? -1 : 1);
    })
    .map(({ row }) => row);
}

export interface RowGroup {
  /** values of the keys */
  readonly name: string;
  readonly rows: readonly RunRow[];
}

/** Groups in the order of their names; rows keep theirs. */
export function grouped(rows: readonly RunRow[], keys: readonly string[]): RowGroup[] {
  const known = keys.flatMap((key) => fieldOf(key) ?? []);
  const groups = new Map<string, RunRow[]>();
  for (const row of rows) {
    const name = known.map((field) => String(field.value(row) ?? '–') || '–').join(' · ');
    const members = groups.get(name);
    if (members) members.push(row);
    else groups.set(name, [row]);
  }
  return [...groups]
    .map(([name, members]) => ({ name, rows: members }))
    .sort((a, b) => collator.compare(a.name, b.name));
}
