/** Reports the model call that a run waits for: on a terminal a few times a second, in a log rarely. */

import { waitingLine } from '../report/waiting.ts';
import type { CallState } from '../runs/models/calls.ts';
import type { Io } from './io.ts';

/** Time between two redraws, and until a wait is logged, ms. */
const intervals = { live: 250, log: 30_000 } as const;

export interface Waiting {
  readonly onCall: (call: CallState | null) => void;
  /** describes the current call; null: no call */
  line(): string | null;
  /** Must be called: an open timer keeps the process alive. */
  dispose(): void;
}

/** `draw` redraws the status lines of a terminal. */
export function watchCalls(io: Io, draw: () => void, now: () => number = () => performance.now()): Waiting {
  let call: CallState | null = null;
  let since = 0;
  let logged = 0;
  const line = (): string | null => (call === null ? null : waitingLine(call, (now() - since) / 1000));
  const update = (): void => {
    if (call === null) return;
    if (io.live) draw();
    else if (now() - logged >= intervals.log) {
      logged = now();
      io.note(line() as string);
    }
  };
  const timer = setInterval(update, io.live ? intervals.live : 1000);
  return {
    onCall(next) {
      const isNew = call === null;
      if (next?.progress.state !== call?.progress.state || next?.progress.state === 'waiting') since = now();
      if (isNew) logged = now();
      call = next;
    },
    line,
    dispose: () => clearInterval(timer),
  };
}
