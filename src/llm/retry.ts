/** Decides whether and when a failed attempt is retried. Only this module retries; the HTTP client never does. */
import { type Sleep, throwIfInterrupted } from '../base/async.ts';
import type { Usage } from './chat.ts';

/** Why an attempt failed. Not shown directly: the caller converts the last one to a `ModelError`. */
export class AttemptFailure extends Error {
  /** what was received instead of an answer, as the object of "got" */
  readonly problem: string;
  /** what the user can do about it */
  readonly advice: string;
  /** true when the same request may succeed later */
  readonly retryable: boolean;
  /** how long the endpoint asks to wait, s; null: not specified */
  readonly retryAfterSeconds: number | null;
  /** true when nothing listens at the address, or the host is unknown */
  readonly isUnreachable: boolean;
  /** true when the endpoint fails for all requests, not only for this one */
  readonly isOutage: boolean;
  /** true when the model was run and gave no reply: a filter, a refusal, a tool call. It is billed, and may do so again */
  readonly isVerdict: boolean;
  /** what the endpoint reports that the attempt used; null: it does not report it */
  usage: Usage | null = null;

  constructor(
    problem: string,
    advice: string,
    options: {
      readonly retryable: boolean;
      readonly retryAfterSeconds?: number | null;
      readonly isUnreachable?: boolean;
      readonly isOutage?: boolean;
      readonly isVerdict?: boolean;
    },
  ) {
    super(problem);
    this.name = 'AttemptFailure';
    this.problem = problem;
    this.advice = advice;
    this.retryable = options.retryable;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.isUnreachable = options.isUnreachable ?? false;
    this.isOutage = options.isOutage ?? this.isUnreachable;
    this.isVerdict = options.isVerdict ?? false;
  }
}

const baseSeconds = 1;
const capSeconds = 60;
/** Longer waits end the call with an error, because the run can be resumed. */
export const maxRetryAfterSeconds = 300;

/**
 * Wait after the n-th failure in a row (n = 1, 2, ...), s: 1, 2, 4, ... up to 60, with the upper half random, so that
 * the workers of a sweep do not retry all at once. `random` is uniform in [0, 1).
 */
export function backoffSeconds(failures: number, random: () => number): number {
  return Math.min(capSeconds, baseSeconds * 2 ** (failures - 1)) * (0.5 + 0.5 * random());
}

/** Statuses after which the same request may succeed: timeouts, conflicts, rate limits, failures of the server. */
export function isRetryableStatus(status: number): boolean {
  return [408, 409, 425, 429].includes(status) || status >= 500;
}

export interface RetryOptions {
  /** maximum attempts after this failure, the first one included */
  readonly attemptsFor: (failure: AttemptFailure) => number;
  readonly sleep: Sleep;
  readonly random: () => number;
  readonly signal: AbortSignal | undefined;
  /** called before each wait */
  readonly onRetry: (failure: AttemptFailure, waitSeconds: number, nextAttempt: number, maxAttempts: number) => void;
}

/**
 * Runs `attempt` until it succeeds. Throws `GaveUp` when the failure cannot be retried or no attempts are left,
 * `InterruptedError` when the signal fires, and any other error of `attempt`.
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attemptsFor, sleep, random, signal, onRetry } = options;
  for (let attempts = 1; ; attempts++) {
    throwIfInterrupted(signal);
    try {
      return await attempt();
    } catch (error) {
      throwIfInterrupted(signal);
      if (!(error instanceof AttemptFailure)) throw error;
      const asked = error.retryAfterSeconds;
      if (asked !== null && asked > maxRetryAfterSeconds) {
        throw new GaveUp(error, attempts, `the endpoint asks to wait ${Math.ceil(asked)} s; resume after that`);
      }
      const maxAttempts = attemptsFor(error);
      if (!error.retryable || attempts >= maxAttempts) throw new GaveUp(error, attempts, error.advice);
      const wait = asked ?? backoffSeconds(attempts, random);
      onRetry(error, wait, attempts + 1, maxAttempts);
      await sleep(wait, signal);
    }
  }
}

/** No further attempt will be made. */
export class GaveUp extends Error {
  readonly failure: AttemptFailure;
  readonly attempts: number;
  readonly advice: string;

  constructor(failure: AttemptFailure, attempts: number, advice: string) {
    super(failure.message);
    this.name = 'GaveUp';
    this.failure = failure;
    this.attempts = attempts;
    this.advice = advice;
  }
}
