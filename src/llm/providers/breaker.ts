/**
 * Circuit breaker of an endpoint, shared by all calls of a process. After several failures in a row, one request at a
 * time probes whether the endpoint works again; the other calls wait for it and share its failure. One that has never
 * answered is probed at the same intervals, and calls between them fail at once.
 */
import { orInterrupted, type Sleep } from '../../base/async.ts';
import { AttemptFailure } from '../retry.ts';

/** Failures in a row, over all calls, after which requests are probed one at a time. */
const maxFailures = 5;
const maxCooldownSeconds = 30;

export interface Breaker {
  /** whether the endpoint has ever answered */
  readonly hasAnswered: boolean;
  /** Runs `task`, or rejects with the failure of another call's request. Throws `InterruptedError` when the signal fires. */
  run<T>(task: () => Promise<T>, sleep: Sleep, signal: AbortSignal | undefined): Promise<T>;
}

/** `now`: monotonic clock, ms. */
export function makeBreaker(now: () => number): Breaker {
  let failures = 0;
  let hasAnswered = false;
  let cooldownUntil = -Infinity;
  let last: AttemptFailure | null = null;
  /** the probing request; resolves with its failure, or null when the endpoint answers */
  let probe: Promise<AttemptFailure | null> | null = null;

  async function observed<T>(task: () => Promise<T>): Promise<T> {
    try {
      const result = await task();
      failures = 0;
      hasAnswered = true;
      return result;
    } catch (error) {
      if (error instanceof AttemptFailure) {
        failures = error.isOutage ? failures + 1 : 0;
        last = error;
        hasAnswered ||= !error.isUnreachable;
        const excess = failures - maxFailures;
        if (excess >= 0) cooldownUntil = now() + Math.min(maxCooldownSeconds, 2 ** excess) * 1000;
      }
      throw error;
    }
  }

  async function probed<T>(task: () => Promise<T>): Promise<T> {
    let settle: (failure: AttemptFailure | null) => void = () => {};
    probe = new Promise((resolve) => {
      settle = resolve;
    });
    try {
      return await observed(task);
    } catch (error) {
      settle(error instanceof AttemptFailure && error.isOutage ? error : null);
      throw error;
    } finally {
      settle(null);
      probe = null;
    }
  }

  return {
    get hasAnswered() {
      return hasAnswered;
    },
    async run(task, sleep, signal) {
      if (failures < maxFailures) return observed(task);
      const cooldown = (cooldownUntil - now()) / 1000;
      // Nobody has started it yet, and a sweep has many runs that would wait here one after the other.
      if (probe === null && cooldown > 0 && !hasAnswered && last !== null) throw last;
      if (probe === null && cooldown > 0) await sleep(cooldown, signal);
      if (probe === null) return failures < maxFailures ? observed(task) : probed(task);
      const failure = await orInterrupted(probe, signal);
      if (failure !== null) throw failure;
      return observed(task);
    },
  };
}
