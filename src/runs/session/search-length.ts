/**
 * How many iterations a search has, where that was changed while it went on. Prompts state the number, so that the record
 * says from which iteration on a change holds.
 */
import type { RunEvent } from '../journal/events.ts';

interface Part {
  /** first iteration that knows it */
  readonly from: number;
  /** null: as configured */
  readonly iterations: number | null;
}

export class SearchLength {
  readonly #parts: Part[] = [];
  #begun = 0;
  #ended = false;

  constructor(events: readonly RunEvent[]) {
    for (const event of events) {
      if (event.type === 'branched') this.#parts.push({ from: event.iteration + 1, iterations: null });
      else if (event.type === 'control' && event.limits?.iterations !== undefined) {
        this.#parts.push({ from: event.from_iteration ?? 1, iterations: event.limits.iterations });
      }
    }
  }

  /** The latest change; null: none, or one that another run made before a branch. */
  get changed(): number | null {
    return this.#parts.at(-1)?.iterations ?? null;
  }

  /** the iteration under way, 0 before the first */
  get begun(): number {
    return this.#begun;
  }

  /** Whether the search has had its last iteration. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Number of iterations as this one knows it; null: as configured. */
  iterationsOf(iteration: number): number | null {
    return this.#parts.findLast(({ from }) => from <= iteration)?.iterations ?? null;
  }

  /**
   * Whether to play an iteration; `planned`: whether the configuration says so. To be asked before the first step of each:
   * a change from then on holds from the next one.
   */
  goesOn(iteration: number, planned: boolean): boolean {
    const changed = this.iterationsOf(iteration);
    const goes = changed === null ? planned : iteration <= changed;
    if (goes) this.#begun = iteration;
    else this.#ended = true;
    return goes;
  }

  /** Returns the first iteration that knows the new number: the next one, unless `from` says another. */
  change(iterations: number, from = this.#begun + 1): number {
    this.#parts.push({ from, iterations });
    return from;
  }
}
