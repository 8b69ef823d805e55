/** Keeps the GPU busy: the next submission is on its way while the host still waits for the one before. */

/** One runs and one waits in the queue; more would only hold memory and put off an abort. */
const depth = 2;

export class Flight {
  readonly #pending: Promise<void>[] = [];

  /**
   * Adds a submission, and waits until there is room for the next. `landing` gets the seconds since it was added, which
   * count the wait for the one before it too: too long rather than too short.
   */
  async add<T>(submission: Promise<T>, landing: (result: T, seconds: number) => void): Promise<void> {
    const departed = performance.now();
    const pending = submission.then((result) => landing(result, (performance.now() - departed) / 1000));
    // Whoever waits for it hears of a failure; until then it must not count as unheard.
    pending.catch(() => {});
    this.#pending.push(pending);
    while (this.#pending.length >= depth) await this.#pending.shift();
  }

  /** Waits for all that is under way. */
  async land(): Promise<void> {
    while (this.#pending.length > 0) await this.#pending.shift();
  }

  /** Waits for all that is under way, whatever becomes of it: nothing may touch the buffers of the next call. */
  async clear(): Promise<void> {
    await Promise.allSettled(this.#pending.splice(0));
  }
}
