/**
 * What all calls of a model have learned about its endpoint: refused parameters and reply forms, the kind of server.
 */

import { throwIfInterrupted } from '../../base/async.ts';
import type { ReplyForm } from '../reply/shape.ts';
import { getJson, withLimit } from './exchange.ts';
import type { Limiter } from './limiter.ts';
import type { EndpointOptions, EndpointTraits, Protocol } from './protocol.ts';

/** Timeout of questions about the server itself, ms. */
const exploreTimeout = 2000;

export class EndpointKnowledge {
  /** parameters that the endpoint refused, in the order of the refusals */
  readonly dropped = new Set<string>();
  readonly #refusedForms = new Set<ReplyForm>();
  #forms: readonly ReplyForm[];
  readonly #options: EndpointOptions;
  readonly #protocol: Protocol;
  readonly #limiter: Limiter;

  constructor(options: EndpointOptions, protocol: Protocol, limiter: Limiter) {
    this.#options = options;
    this.#protocol = protocol;
    this.#limiter = limiter;
    this.#forms = protocol.forms;
  }

  /** Supported forms, strongest first, ending with `lines`. */
  get forms(): readonly ReplyForm[] {
    return this.#forms.filter((form) => form === 'lines' || !this.#refusedForms.has(form));
  }

  refuseForm(form: ReplyForm): void {
    this.#refusedForms.add(form);
  }

  /** Learns from the headers and a payload of an answer. */
  learn(headers: Headers, payload: Readonly<Record<string, unknown>>): void {
    this.#adopt(this.#protocol.recognise?.(headers, payload) ?? null);
  }

  /** Asks the server for its kind; the model also works without an answer. Fails only when the signal fires. */
  async explore(isFirst: boolean, signal?: AbortSignal): Promise<void> {
    try {
      this.#adopt((await this.#protocol.explore?.(this.#get(signal), isFirst)) ?? null);
    } catch {
      throwIfInterrupted(signal);
    }
  }

  /** Context window: prompt plus reply, tokens; null: not reported. */
  async contextTokens(): Promise<number | null> {
    try {
      return (await this.#protocol.contextTokens?.(this.#get(undefined))) ?? null;
    } catch {
      // The first call finds out whether the endpoint works, with a better message.
      return null;
    }
  }

  #get(signal: AbortSignal | undefined) {
    return getJson(this.#options, this.#protocol, withLimit(exploreTimeout, signal));
  }

  #adopt(traits: EndpointTraits | null): void {
    if (traits === null) return;
    this.#forms = traits.forms;
    // A request queued in the server looks like a hanging server.
    const maxConcurrent = this.#options.maxConcurrent ?? traits.maxConcurrent;
    if (maxConcurrent !== undefined) this.#limiter.tighten({ maxConcurrent, minSpacingSeconds: 0 });
  }
}
