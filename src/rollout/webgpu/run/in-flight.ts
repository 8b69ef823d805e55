/** Keeps the GPU busy: the next submission is on its way while the host still waits for the one before. */

/** One runs and one waits in the queue; more would only hold memory and put off an abort. */
const depth = 2;

export class InFlight {
  readonly #pending: Promise<void>[] = [];

  /**
   * Adds a submission, and waits until there is room for the next. `onResult` gets the seconds since it was added, which
   * include the wait for the submission before it: too long rather than too short.
   */
  async add<T>(submission: Promise<T>, onResult: (result: T, seconds: number) => void): Promise<void> {
    const added = performance.now();
    const pending = submission.then((result) => onResult(result, (performance.now() - added) / 1000));
    // Whoever awaits it gets the failure; until then this avoids an unhandled-rejection warning.
    pending.catch(() => {});
    this.#pending.push(pending);
    while (this.#pending.length >= depth) await this.#pending.shift();
  }

  /** Waits for all pending submissions; throws the first failure. */
  async drain(): Promise<void> {
    while (this.#pending.length > 0) await this.#pending.shift();
  }

  /** Waits for all pending submissions, failed or not: nothing may touch the buffers of the next call. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#pending.splice(0));
  }
}
