/** Iterations that several runs have, because a branch begins with those of its run: whoever pools runs counts them once. */
import { hashOf } from '../../config/hash.ts';
import type { RunEvent } from '../journal/events.ts';

/** A name of each iteration of a record, which only copies of its line share: their times are those of the first. */
export function iterationNames(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== 'iteration') return [];
    const { seq, time, candidates } = event;
    return [hashOf({ seq, time, candidates })];
  });
}

/** The first iterations of a run that another one has, too. */
export interface SharedIterations {
  readonly count: number;
  /** folder of the other run, which has the last of them */
  readonly of: string;
}

/** Runs in the order in which their iterations are counted. */
export class IterationOwners {
  readonly #owners = new Map<string, string>();

  /** Null: no run before has iterations of this one. */
  add(folder: string, names: readonly string[]): SharedIterations | null {
    const own = names.findIndex((name) => !this.#owners.has(name));
    const count = own < 0 ? names.length : own;
    for (const name of names.slice(count)) this.#owners.set(name, folder);
    return count === 0 ? null : { count, of: this.#owners.get(names[count - 1]!)! };
  }
}
