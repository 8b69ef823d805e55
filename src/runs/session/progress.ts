/** How far a run is, and how long it will still take. */
import type { RunEvent } from '../journal/events.ts';
import type { RunTotals } from '../journal/totals.ts';

/** Reported after every event, and once before the first when a run is resumed. */
export interface RunProgress {
  /** null: nothing has been done in this session yet */
  readonly event: RunEvent | null;
  readonly totals: RunTotals;
  /** that the run will have */
  readonly iterations: number;
  /** s until the iterations are done, from the pace of this session; null before its first one */
  readonly etaSeconds: number | null;
}

export interface ProgressOptions {
  readonly totals: RunTotals;
  readonly iterations: () => number;
  /** ms, of a clock that nobody sets */
  readonly now?: (() => number) | undefined;
  readonly onProgress?: ((progress: RunProgress) => void) | undefined;
}

export class ProgressReporter {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  /** ms and iterations done when this session began to do something; null before */
  #start: { readonly time: number; readonly iterations: number } | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get hasBegun(): boolean {
    return this.#start !== null;
  }

  /** From here on things are done: the pace counts from now. */
  begin(): void {
    this.#start = { time: this.#now(), iterations: this.#options.totals.rows.length };
  }

  report(event: RunEvent | null): void {
    const { totals, onProgress } = this.#options;
    const iterations = this.#options.iterations();
    onProgress?.({ event, totals, iterations, etaSeconds: this.#etaSeconds(totals, iterations) });
  }

  #etaSeconds({ rows, paused, pausedSeconds }: RunTotals, iterations: number): number | null {
    const done = rows.length;
    if (paused || !this.#start || done <= this.#start.iterations) return null;
    const seconds = (this.#now() - this.#start.time) / 1000 - pausedSeconds;
    return (Math.max(0, seconds) / (done - this.#start.iterations)) * (iterations - done);
  }
}
