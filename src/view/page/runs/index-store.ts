/** The list of runs, which several views use: loaded once, then kept up to date by what the server sends. */
import { useEffect, useState } from 'preact/hooks';
import type { RowChanges, RunIndex, RunRow } from '../../api/index-of-runs.ts';
import { DataError, follow, get } from '../data.ts';

export interface IndexState {
  /** null: not loaded yet */
  readonly index: RunIndex | null;
  /** why it could not be loaded */
  readonly problem: string | null;
  /** ids of the rows that arrived or changed last */
  readonly fresh: ReadonlySet<string>;
}

let state: IndexState = { index: null, problem: null, fresh: new Set() };
const listeners = new Set<(state: IndexState) => void>();

function set(next: IndexState): void {
  state = next;
  for (const listener of [...listeners]) listener(next);
}

/** Rows with changes applied: changed rows keep their place, new ones come last. */
export function withChanges(rows: readonly RunRow[], { rows: changed, gone, all }: RowChanges): RunRow[] {
  const byId = new Map(changed.map((row) => [row.id, row]));
  const isGone = new Set(gone);
  const kept = rows.flatMap((row) => {
    const next = byId.get(row.id);
    byId.delete(row.id);
    return next ?? (all || isGone.has(row.id) ? [] : row);
  });
  return [...kept, ...byId.values()];
}

async function load(): Promise<void> {
  try {
    const index = await get<RunIndex>('/api/runs');
    revision = index.revision;
    set({ index, problem: null, fresh: new Set() });
  } catch (error) {
    const problem = error instanceof DataError ? error.message : String(error);
    set({ ...state, problem });
  }
}

/** That of the rows that are known. */
let revision = '';

// Several runs report at once: one update of the page for all that arrive within a moment.
let waiting: RowChanges[] = [];
function apply(): void {
  const arrived = waiting;
  waiting = [];
  if (state.index === null) return;
  let { runs } = state.index;
  for (const changes of arrived) runs = withChanges(runs, changes);
  const fresh = new Set(arrived.flatMap(({ rows, all }) => (all ? [] : rows.map(({ id }) => id))));
  set({ index: { ...state.index, runs }, problem: null, fresh });
}

/** Loads the list and follows it for as long as the page is open. */
export async function openIndex(): Promise<void> {
  await load();
  follow<RowChanges>(
    () => `/api/runs/live?after=${encodeURIComponent(revision)}`,
    'rows',
    (changes, id) => {
      revision = id;
      waiting.push(changes);
      if (waiting.length === 1) setTimeout(apply, 100);
    },
    () => {
      if (state.index === null) void load();
    },
  );
}

export function useIndex(): IndexState {
  const [known, setKnown] = useState(state);
  useEffect(() => {
    listeners.add(setKnown);
    setKnown(state);
    return () => void listeners.delete(setKnown);
  }, []);
  return known;
}

export const reloadIndex = (): void => void load();
