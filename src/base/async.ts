/** Helpers for waiting: sleeping, interruption, yielding to the event loop, and opening something once. */
import { InterruptedError } from './errors.ts';

/** Resolves after so many seconds; rejects with `interruption(signal)` as soon as the signal fires. */
export type Sleep = (seconds: number, signal?: AbortSignal) => Promise<void>;

export const sleep: Sleep = (seconds, signal) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 1000 * seconds);
  });
  return orInterrupted(waited, signal).finally(() => clearTimeout(timer));
};

/** The error of an aborted signal: its reason if that is an `InterruptedError`, else a general one. */
export function interruption(signal: AbortSignal): InterruptedError {
  return signal.reason instanceof InterruptedError
    ? signal.reason
    : new InterruptedError('run', 'the run was interrupted');
}

export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interruption(signal);
}

/** The promise's outcome, or a rejection with `interruption(signal)` as soon as the signal fires. */
export function orInterrupted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(interruption(signal));
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Platform functions that `nextTurn` uses; no platform has all three. */
interface Turns {
  readonly setImmediate?: ((callback: () => void) => unknown) | undefined;
  readonly scheduler?: { readonly yield?: () => Promise<void> } | undefined;
  readonly MessageChannel: new () => {
    readonly port1: { onmessage: (() => void) | null; close(): void };
    readonly port2: { postMessage(message: null): void };
  };
}

/** Resolves after the event loop has run other tasks: signals, timers, the page's input. Far shorter than a timer. */
export function nextTurn(platform = globalThis as unknown as Turns): Promise<void> {
  const { setImmediate, scheduler, MessageChannel } = platform;
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve));
  if (scheduler?.yield) return scheduler.yield();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Yields between steps that never wait, so that signals and terminal input are handled and Ctrl-C takes effect. */
export async function yieldToEventLoop(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn();
  throwIfInterrupted(signal);
}

/** What is open at `key`; callers share one opening. A failed one is removed, so that the next caller tries again. */
export function openOnce<K, T>(opened: Map<K, Promise<T>>, key: K, open: () => Promise<T>): Promise<T> {
  const known = opened.get(key);
  if (known) return known;
  const opening = open();
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}
