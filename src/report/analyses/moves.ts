/** What a search played, iteration by iteration, for methods of every kind. */
import { startOptimisation } from '../../config/optimisation.ts';
import { variantOf } from '../../config/variants.ts';
import { settingsOf } from '../../runs/folder/identity.ts';
import { changedSource } from '../../runs/folder/module-source.ts';
import type { StoredRun } from '../../runs/folder/read-run.ts';
import type { RunEvent } from '../../runs/journal/events.ts';
import { type RunStatus, totalsOf } from '../../runs/journal/totals.ts';
import { type RunUnits, resolveUnits } from '../../runs/resolve-units.ts';
import { deriveGenerator } from '../../runs/seeds.ts';
import type { WithSettings } from '../settings.ts';

/** A candidate with the mean return that the search measured. */
export interface Played {
  readonly params: ArrayLike<number>;
  readonly mean: number;
}

export interface Move {
  readonly iteration: number;
  /** those with a finite mean, in the order in which they were made */
  readonly candidates: readonly Played[];
  /** null: nothing was kept */
  readonly kept: Played | null;
  /** answered model calls of this iteration, repair turns included */
  readonly calls: number;
  /** episodes of this iteration */
  readonly episodes: number;
}

/** A search as its record has it. */
export interface SearchedRun extends WithSettings {
  readonly folder: string;
  readonly units: RunUnits;
  readonly env: string;
  readonly method: string;
  readonly model: string;
  readonly seed: number;
  readonly status: RunStatus;
  readonly changed: string | null;
  readonly moves: readonly Move[];
  /** `population`: every member of the populations; `recorded`: the candidates that the record has */
  readonly candidates: 'population' | 'recorded';
}

/** The members of the populations, which follow from the seed and the recorded means; null: they are not those of the record. */
function populationsOf(units: RunUnits, events: readonly RunEvent[]): ReadonlyMap<number, readonly Played[]> | null {
  if (units.kind !== 'optimiser') return null;
  const { config, env, policy } = units;
  const optimisation = startOptimisation(config, env, policy);
  const populations = new Map<number, readonly Played[]>();
  for (const event of events) {
    if (event.type !== 'generation') continue;
    const asked = optimisation.ask(deriveGenerator(config.seed, 'population', event.iteration));
    if (asked.length !== event.means.length) return null;
    populations.set(
      event.iteration,
      asked.map((params, i) => ({ params: params.slice(), mean: event.means[i]! })),
    );
    optimisation.tell(event.means, event.observed);
  }
  const isSame = events.every((event) => {
    if (event.type !== 'evaluated') return true;
    const members = populations.get(event.iteration) ?? [];
    return members.some(({ params }) => event.params.every((value, i) => Object.is(value, params[i])));
  });
  return isSame ? populations : null;
}

/** Throws a usage error for a damaged run or an unknown environment or method. */
export async function searchedRun(stored: StoredRun, events: readonly RunEvent[]): Promise<SearchedRun> {
  const units = resolveUnits(await stored.config());
  const { config, env, method } = units;
  const totals = totalsOf(events);
  const settings = settingsOf(stored.writtenConfig(), stored.manifest);
  const populations = populationsOf(units, events);
  return {
    folder: stored.folder,
    units,
    env: env.id,
    method: (await variantOf(env.id, method.id, settings)) ?? method.id,
    model: totals.model ?? 'none',
    seed: config.seed,
    status: totals.status,
    changed: changedSource(stored.manifest, env, method),
    settings,
    moves: movesOf(events, totals.rows.from(0), populations),
    candidates: populations === null ? 'recorded' : 'population',
  };
}

function movesOf(
  events: readonly RunEvent[],
  rows: readonly { readonly iteration: number; readonly episodes: number }[],
  populations: ReadonlyMap<number, readonly Played[]> | null,
): Move[] {
  const episodes = new Map(rows.map((row, i) => [row.iteration, row.episodes - (rows[i - 1]?.episodes ?? 0)]));
  const moves: Move[] = [];
  let calls = 0;
  for (const event of events) {
    if (event.type === 'llm_call') calls += 1;
    if (event.type !== 'iteration') continue;
    const { iteration, kept } = event;
    const own = event.candidates.map(({ label, params, mean }) => ({ label, params, mean }));
    moves.push({
      iteration,
      candidates: (populations?.get(iteration) ?? own).filter(({ mean }) => Number.isFinite(mean)),
      kept: own.find(({ label, mean }) => label === kept && Number.isFinite(mean)) ?? null,
      calls,
      episodes: episodes.get(iteration) ?? 0,
    });
    calls = 0;
  }
  return moves;
}
