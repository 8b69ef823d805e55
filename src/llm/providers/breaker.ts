/**
 * What an endpoint's trouble means for all calls of a process: after some failures in a row, one request at a time finds
 * out whether the trouble is over. The others wait for it, and take its failure for theirs.
 */
import { orInterrupted, type Sleep } from '../../base/async.ts';
import { AttemptFailure } from '../retry.ts';

/** Failures in a row, over all calls, after which one request speaks for all. */
const maxFailures = 5;
const maxCooldownSeconds = 30;

export interface Breaker {
  /** whether anything has ever come back from the endpoint */
  readonly hasAnswered: boolean;
  /** Runs `task`, or rejects with the failure of another call's request. Throws `InterruptedError` when the signal fires. */
  run<T>(task: () => Promise<T>, sleep: Sleep, signal: AbortSignal | undefined): Promise<T>;
}

/** `now`: a clock that never goes back, ms. */
export function makeBreaker(now: () => number): Breaker {
  let failures = 0;
  let hasAnswered = false;
  let cooldownUntil = -Infinity;
  /** the request that speaks for all; resolves with its failure, or null when the endpoint answers */
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
      if (probe === null && cooldown > 0) await sleep(cooldown, signal);
      if (probe === null) return failures < maxFailures ? observed(task) : probed(task);
      const failure = await orInterrupted(probe, signal);
      if (failure !== null) throw failure;
      return observed(task);
    },
  };
}
