/** Aborts a request that takes too long, is silent for too long, or is cancelled, and records which of the three. */

export type StopReason = 'timeout' | 'idle' | 'aborted';

export interface Watchdog {
  /** fires when the request must end */
  readonly signal: AbortSignal;
  /** why it fired; null while it has not */
  readonly reason: StopReason | null;
  /** Restarts the idle timeout when data arrives. */
  touch(): void;
  /** Stops watching; must be called. */
  release(): void;
}

export interface WatchLimits {
  readonly timeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
  /** whether the idle timeout also applies before the first data */
  readonly idleFromStart: boolean;
}

/** Maximum delay of Node's timers, ms; a longer one would fire immediately. */
const maxTimer = 2 ** 31 - 1;

export function watch(limits: WatchLimits, userSignal: AbortSignal | undefined): Watchdog {
  const controller = new AbortController();
  let reason: StopReason | null = null;
  const stop = (why: StopReason) => {
    reason ??= why;
    controller.abort();
  };
  const after = (seconds: number, why: StopReason) => setTimeout(stop, Math.min(seconds * 1000, maxTimer), why);
  const onAbort = () => stop('aborted');
  const total = after(limits.timeoutSeconds, 'timeout');
  let idle = limits.idleFromStart ? after(limits.idleTimeoutSeconds, 'idle') : null;
  let released = false;
  if (userSignal?.aborted) onAbort();
  userSignal?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    get reason() {
      return reason;
    },
    touch: () => {
      if (released) return;
      idle = idle?.refresh() ?? after(limits.idleTimeoutSeconds, 'idle');
    },
    release: () => {
      released = true;
      clearTimeout(total);
      if (idle !== null) clearTimeout(idle);
      userSignal?.removeEventListener('abort', onAbort);
    },
  };
}
