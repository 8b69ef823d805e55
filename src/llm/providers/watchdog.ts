/** Ends a request that takes too long, is silent for too long, or is no longer wanted; and knows which of the three. */

export type StopReason = 'timeout' | 'idle' | 'aborted';

export interface Watchdog {
  /** fires when the request must end */
  readonly signal: AbortSignal;
  /** why it fired; null while it has not */
  readonly reason: StopReason | null;
  /** data came: the silence starts anew */
  touch(): void;
  /** stops watching; must be called */
  release(): void;
}

export function watch(
  timeoutSeconds: number,
  idleTimeoutSeconds: number,
  userSignal: AbortSignal | undefined,
): Watchdog {
  const controller = new AbortController();
  let reason: StopReason | null = null;
  const stop = (why: StopReason) => {
    reason ??= why;
    controller.abort();
  };
  const onAbort = () => stop('aborted');
  const total = setTimeout(stop, timeoutSeconds * 1000, 'timeout');
  const idle = setTimeout(stop, idleTimeoutSeconds * 1000, 'idle');
  if (userSignal?.aborted) onAbort();
  userSignal?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    get reason() {
      return reason;
    },
    touch: () => {
      idle.refresh();
    },
    release: () => {
      clearTimeout(total);
      clearTimeout(idle);
      userSignal?.removeEventListener('abort', onAbort);
    },
  };
}
