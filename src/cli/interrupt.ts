/** Ctrl-C and SIGTERM as an abort signal: the first one lets the command save its work, the second ends it at once. */
import { setMaxListeners } from 'node:events';
import { exitCodes, InterruptedError } from '../base/errors.ts';
import type { Io } from './io.ts';

export interface Interruption {
  /** its reason is an `InterruptedError` with the right exit code */
  readonly signal: AbortSignal;
  /** Gives the signals back to the system. */
  dispose(): void;
}

const names = ['SIGINT', 'SIGTERM'] as const;

/** Listens until `dispose`. `what` is told to be stopped, "the run"; `then` is what happens to its work. */
export function listenForInterrupts(io: Io, what: string, then = 'and saving it'): Interruption {
  const controller = new AbortController();
  // All runs of a sweep and their requests wait on it, each for as long as it is under way: many are no leak.
  setMaxListeners(0, controller.signal);
  const onSignal = (name: (typeof names)[number]): void => {
    if (controller.signal.aborted) {
      // Whatever still runs is not waited for: this is what the second signal asks for.
      process.exit(name === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
    }
    io.note(`stopping ${what} ${then}; once more ends it at once`);
    controller.abort(new InterruptedError('run', `${what} was interrupted (${name})`, name));
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
