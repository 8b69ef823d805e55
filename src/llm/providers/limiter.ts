/** Limits the requests of a process to one endpoint, across all models and runs: how many at a time, and how often. */
import { performance } from 'node:perf_hooks';
import pLimit from 'p-limit';
import { interruption, type Sleep, throwIfInterrupted } from '../../base/async.ts';
import { maxRetryAfterSeconds } from '../retry.ts';
import { makeBreaker } from './breaker.ts';

export interface Limits {
  /** maximum concurrent requests, at least 1 */
  readonly maxConcurrent: number;
  /** minimum time between the starts of two requests, s */
  readonly minSpacingSeconds: number;
}

export interface Turn {
  readonly sleep: Sleep;
  readonly signal: AbortSignal | undefined;
  /** the caller has already waited for pauses that end by then, on the limiter's clock, ms */
  readonly servedUntil: number;
}

export interface Limiter {
  /**
   * Runs `task` as soon as the limits allow, behind the endpoint's breaker. Throws `InterruptedError` when the signal
   * fires first.
   */
  run<T>(task: () => Promise<T>, turn: Turn): Promise<T>;
  /**
   * The endpoint asked a request to wait: no other request starts before. Returns the end of the pause on the limiter's clock, ms. An abandoned wait does not pause other callers; the endpoint will ask them itself.
   */
  pause(seconds: number): number;
  /** whether the endpoint has ever answered */
  readonly hasAnswered: boolean;
  /** Applies the stricter of the old and new limits. */
  tighten(limits: Limits): void;
}

/** `now`: monotonic clock, ms. */
export function makeLimiter(limits: Limits, now: () => number = () => performance.now()): Limiter {
  const slots = pLimit(limits.maxConcurrent);
  const breaker = makeBreaker(now);
  let spacing = limits.minSpacingSeconds * 1000;
  let nextStart = -Infinity;
  let pausedUntil = -Infinity;

  async function waitForTurn({ sleep, signal, servedUntil }: Turn): Promise<void> {
    let served = servedUntil;
    let start: number | null = null;
    for (;;) {
      throwIfInterrupted(signal);
      const until = pausedUntil;
      if (until > Math.max(served, now())) {
        await sleep((until - now()) / 1000, signal);
        served = until;
        // Callers that waited together must not start together.
        start = null;
        continue;
      }
      if (start !== null) return;
      start = Math.max(now(), nextStart);
      nextStart = start + spacing;
      // A pause may begin during this wait, so check again.
      if (start > now()) await sleep((start - now()) / 1000, signal);
    }
  }

  return {
    get hasAnswered() {
      return breaker.hasAnswered;
    },
    run(task, turn) {
      const { signal } = turn;
      return new Promise((resolve, reject) => {
        let queued = true;
        const onAbort = () => {
          // A running task handles the signal itself and then frees its slot.
          if (queued && signal !== undefined) reject(interruption(signal));
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        slots(async () => {
          queued = false;
          await waitForTurn(turn);
          return breaker.run(task, turn.sleep, signal);
        })
          .then(resolve, reject)
          .finally(() => signal?.removeEventListener('abort', onAbort));
      });
    },
    pause(seconds) {
      const until = now() + seconds * 1000;
      if (seconds <= maxRetryAfterSeconds) pausedUntil = Math.max(pausedUntil, until);
      return until;
    },
    tighten({ maxConcurrent, minSpacingSeconds }) {
      if (maxConcurrent < slots.concurrency) slots.concurrency = maxConcurrent;
      spacing = Math.max(spacing, minSpacingSeconds * 1000);
    },
  };
}

const shared = new Map<string, Limiter>();

/** The limiter of a base URL, shared within this process. */
export function limiterOf(baseURL: string, limits: Limits): Limiter {
  const key = baseURL.replace(/\/+$/, '');
  const known = shared.get(key);
  if (known !== undefined) {
    known.tighten(limits);
    return known;
  }
  const limiter = makeLimiter(limits);
  shared.set(key, limiter);
  return limiter;
}
