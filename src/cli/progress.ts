/** Progress and remaining time of a long call, in one line on stderr. */
import { duration } from '../report/progress.ts';
import type { RunProgress } from '../runs/session/progress.ts';
import type { Io } from './io.ts';

/** Time between two lines, ms: of a redrawn line on a terminal, and of lines in a log. */
const intervals = { live: 200, log: 30_000 } as const;

/** Lines of a log for the iterations of a run, as long as they are quick. */
const loggedLines = 20;

/**
 * Whether an iteration gets a line in a log: the first, the last, every twentieth part of the run, and one after each half
 * minute without a line. A run of 21 iterations or less has a line for each.
 */
export function loggedIterations(now: () => number = () => performance.now()): (progress: RunProgress) => boolean {
  let printed = Number.NEGATIVE_INFINITY;
  return ({ totals, iterations }) => {
    const done = totals.rows.length;
    const every = iterations <= loggedLines + 1 ? 1 : Math.ceil(iterations / loggedLines);
    const isDue = done === iterations || done % every === 0 || now() - printed >= intervals.log;
    if (isDue) printed = now();
    return isDue;
  };
}

/** Returns a callback for the completed share, 0 ... 1, of `what`, "1e8 episodes"; it prints a line at intervals. */
export function progressOf(io: Io, what: string, now: () => number = () => performance.now()): (share: number) => void {
  const started = now();
  const interval = io.live ? intervals.live : intervals.log;
  let printed = started;
  return (share) => {
    const time = now();
    if (time - printed < interval) return;
    printed = time;
    const seconds = (time - started) / 1000;
    const left = share > 0 ? ` | left ${duration((seconds * (1 - share)) / share)}` : '';
    const line = `${what}: ${(100 * share).toFixed(1)} %${left}`;
    if (io.live) io.status(line);
    else io.note(line);
  };
}
