/** How far a long call is and how long it will still take, in one line on stderr. */
import { duration } from '../report/progress.ts';
import type { Io } from './io.ts';

/** Between two lines, ms: of a line that is drawn again on a terminal, and of lines in a log. */
const pauses = { live: 200, log: 30_000 } as const;

/** Hears shares 0 ... 1 of what `what` says, "1e8 episodes", and tells them from time to time. */
export function progressOf(io: Io, what: string, now: () => number = () => performance.now()): (share: number) => void {
  const started = now();
  const pause = io.live ? pauses.live : pauses.log;
  let told = started;
  return (share) => {
    const time = now();
    if (time - told < pause) return;
    told = time;
    const seconds = (time - started) / 1000;
    const left = share > 0 ? ` | left ${duration((seconds * (1 - share)) / share)}` : '';
    const line = `${what}: ${(100 * share).toFixed(1)} %${left}`;
    if (io.live) io.status(line);
    else io.note(line);
  };
}
