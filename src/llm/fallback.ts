/** A model with fallbacks that answer when it fails. */
import { performance } from 'node:perf_hooks';
import { ModelError } from '../base/errors.ts';
import type { ChatModel } from './chat.ts';

/** How long a failed model is skipped, unless its endpoint names another time, s. */
const cooldownSeconds = 300;

/** A model and its fallbacks, in order of preference. All calls of a process share it, and with it the cooldowns. */
export class ModelChain {
  /** the preferred model, which names the chain */
  readonly first: ChatModel;
  readonly #models: readonly ChatModel[];
  readonly #now: () => number;
  /** when a failed model is tried again, ms */
  readonly #cooldownUntil = new Map<ChatModel, number>();

  /** `now`: monotonic clock, ms */
  constructor(first: ChatModel, others: readonly ChatModel[] = [], now: () => number = () => performance.now()) {
    this.first = first;
    this.#models = [first, ...others];
    this.#now = now;
  }

  get models(): readonly ChatModel[] {
    return this.#models;
  }

  /**
   * The result of `ask` for the first model that works. Rethrows its errors; a `ModelError` only after the last model failed. `log` is notified of each fallback.
   */
  async answer<T>(ask: (model: ChatModel) => Promise<T>, log?: (line: string) => void): Promise<T> {
    const available = this.#models.filter(
      (model) => (this.#cooldownUntil.get(model) ?? Number.NEGATIVE_INFINITY) <= this.#now(),
    );
    const order = available.length === 0 ? this.#models : available;
    const failures: ModelError[] = [];
    for (const [i, model] of order.entries()) {
      try {
        const reply = await ask(model);
        this.#cooldownUntil.delete(model);
        return reply;
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        failures.push(error);
        this.#cooldownUntil.set(model, this.#now() + 1000 * (error.retryAfterSeconds ?? cooldownSeconds));
        if (i + 1 < order.length) log?.(`${error.message}; ${order[i + 1]!.id} answers instead`);
      }
    }
    if (failures.length === 1) throw failures[0];
    const waits = failures.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
    throw new ModelError(
      'llm.fallback',
      `expected one of ${order.length} models to answer, got ${failures.map(({ message }) => message).join(' | ')}`,
      { cause: failures.at(-1), retryAfterSeconds: waits.length < failures.length ? null : Math.min(...waits) },
    );
  }
}
