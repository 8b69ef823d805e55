/** Progress and remaining time of a long call, in one line on stderr. */
import { duration } from '../report/progress.ts';
import type { Io } from './io.ts';

/** Time between two lines, ms: of a redrawn line on a terminal, and of lines in a log. */
const intervals = { live: 200, log: 30_000 } as const;

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
