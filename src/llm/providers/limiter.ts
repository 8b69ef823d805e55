/** How many requests one process makes of one endpoint, and how soon, over all models and runs that use it. */
import { performance } from 'node:perf_hooks';
import pLimit from 'p-limit';
import { interruption, type Sleep, throwIfInterrupted } from '../../base/async.ts';
import { maxRetryAfterSeconds } from '../retry.ts';
import { makeBreaker } from './breaker.ts';

export interface Limits {
  /** most requests at a time, at least 1 */
  readonly maxConcurrent: number;
  /** shortest time from the start of one request to the start of the next, s */
  readonly minSpacingSeconds: number;
}

export interface Turn {
  readonly sleep: Sleep;
  readonly signal: AbortSignal | undefined;
  /** the caller has sat through pauses that end by then, on the limiter's clock, ms */
  readonly servedUntil: number;
}

export interface Limiter {
  /** Runs `task` as soon as there is room for it, behind the breaker of the endpoint. Throws `InterruptedError` when the signal fires before that. */
  run<T>(task: () => Promise<T>, turn: Turn): Promise<T>;
  /**
   * The endpoint asked one request to wait: no other starts before. Answers when the pause ends, on the limiter's
   * clock, ms. A wait that nobody sits through pauses nobody: the others shall be told themselves.
   */
  pause(seconds: number): number;
  /** whether anything has ever come back from the endpoint */
  readonly hasAnswered: boolean;
  /** Of two wishes the stricter one holds. */
  tighten(limits: Limits): void;
}

/** `now`: a clock that never goes back, ms. */
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
        // Those who waited together must not start together.
        start = null;
        continue;
      }
      if (start !== null) return;
      start = Math.max(now(), nextStart);
      nextStart = start + spacing;
      // A pause may begin during this wait, so it is looked for once more.
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
          // Once it runs, the task ends itself and then its place is free.
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

/** The limiter of a base URL, the same one for all who ask in this process. */
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
