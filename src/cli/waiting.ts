/** Tells what a run waits for: on a terminal a few times a second, in a log once in a long while. */

import { waitingLine } from '../report/waiting.ts';
import type { CallState } from '../runs/models/calls.ts';
import type { Io } from './io.ts';

/** Between two drawings, and until a wait is told in a log, ms. */
const pauses = { live: 250, log: 30_000 } as const;

export interface Waiting {
  readonly onCall: (call: CallState | null) => void;
  /** the line of the call under way; null: there is none */
  line(): string | null;
  /** Must be called: an open timer keeps the process alive. */
  dispose(): void;
}

/** `draw` draws the status lines of a terminal anew. */
export function watchCalls(io: Io, draw: () => void, now: () => number = () => performance.now()): Waiting {
  let call: CallState | null = null;
  let since = 0;
  let told = 0;
  const line = (): string | null => (call === null ? null : waitingLine(call, (now() - since) / 1000));
  const look = (): void => {
    if (call === null) return;
    if (io.live) draw();
    else if (now() - told >= pauses.log) {
      told = now();
      io.note(line() as string);
    }
  };
  const timer = setInterval(look, io.live ? pauses.live : 1000);
  return {
    onCall(next) {
      const isNew = call === null;
      if (next?.progress.state !== call?.progress.state || next?.progress.state === 'waiting') since = now();
      if (isNew) told = now();
      call = next;
    },
    line,
    dispose: () => clearInterval(timer),
  };
}
