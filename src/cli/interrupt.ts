/**
 * Ctrl-C, SIGTERM and SIGHUP (a closed terminal) as an abort signal: the first one lets the command save its work, a second
 * one quits immediately. Terminals and process managers send one signal twice: within half a second it is the same.
 */
import { setMaxListeners } from 'node:events';
import { exitCodes, InterruptedError } from '../base/errors.ts';
import type { Io } from './io.ts';

export interface Interruption {
  /** its reason is an `InterruptedError` with the right exit code */
  readonly signal: AbortSignal;
  /** Restores the default signal handling. */
  dispose(): void;
}

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** ms within which a second signal is the same one */
const sameSignalMs = 500;

/** Calls `use` with the signal of `listenForInterrupts`, and stops listening after it. */
export function withInterrupts<T>(io: Io, what: string, use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, dispose } = listenForInterrupts(io, what);
  return use(signal).finally(dispose);
}

/** Listens until `dispose`. The message says that `what` ("the run") is stopped, and `then` what happens to its work. */
export function listenForInterrupts(io: Io, what: string, then = 'and saving it'): Interruption {
  const controller = new AbortController();
  // All runs of a sweep and their requests listen to it: many listeners are not a leak.
  setMaxListeners(0, controller.signal);
  let stoppedAt = 0;
  const onSignal = (name: (typeof names)[number]): void => {
    if (controller.signal.aborted) {
      if (performance.now() - stoppedAt < sameSignalMs) return;
      process.exit(name === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
    }
    stoppedAt = performance.now();
    io.note(`stopping ${what} ${then}; press Ctrl-C again to quit immediately`);
    controller.abort(
      new InterruptedError('run', `${what} was interrupted (${name})`, name === 'SIGINT' ? name : 'SIGTERM'),
    );
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      const stopListening = (): void => {
        for (const name of names) process.off(name, onSignal);
      };
      const left = controller.signal.aborted ? sameSignalMs - (performance.now() - stoppedAt) : 0;
      // The same signal must not kill a process that has stopped already and prints its message.
      if (left > 0) setTimeout(stopListening, left).unref();
      else stopListening();
    },
  };
}
