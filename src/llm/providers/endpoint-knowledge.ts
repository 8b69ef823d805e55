/** What an endpoint has shown of itself to all calls of a model: refused parameters and reply forms, the server's kind. */

import { throwIfInterrupted } from '../../base/async.ts';
import type { ReplyForm } from '../reply/shape.ts';
import { getJson, withLimit } from './exchange.ts';
import type { Limiter } from './limiter.ts';
import type { EndpointOptions, EndpointTraits, Protocol } from './protocol.ts';

/** Longest wait for what a server says of itself, ms. */
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

  /** Strongest first, ending with `lines`. */
  get forms(): readonly ReplyForm[] {
    return this.#forms.filter((form) => form === 'lines' || !this.#refusedForms.has(form));
  }

  refuseForm(form: ReplyForm): void {
    this.#refusedForms.add(form);
  }

  /** Learns from the headers of an answer and one of its payloads. */
  learn(headers: Headers, payload: Readonly<Record<string, unknown>>): void {
    this.#adopt(this.#protocol.recognise?.(headers, payload) ?? null);
  }

  /** Asks the server what it is; a model is used without the answer, too. Fails only when the signal fires. */
  async explore(isFirst: boolean, signal?: AbortSignal): Promise<void> {
    try {
      this.#adopt((await this.#protocol.explore?.(this.#get(signal), isFirst)) ?? null);
    } catch {
      throwIfInterrupted(signal);
    }
  }

  /** Tokens of a prompt and its reply together; null: the endpoint does not say. */
  async contextTokens(): Promise<number | null> {
    try {
      return (await this.#protocol.contextTokens?.(this.#get(undefined))) ?? null;
    } catch {
      // Whether the endpoint can be used is found out by the first call, which says more.
      return null;
    }
  }

  #get(signal: AbortSignal | undefined) {
    return getJson(this.#options, this.#protocol, withLimit(exploreTimeout, signal));
  }

  #adopt(traits: EndpointTraits | null): void {
    if (traits === null) return;
    this.#forms = traits.forms;
    // What waits within the server looks like a server that hangs.
    const maxConcurrent = this.#options.maxConcurrent ?? traits.maxConcurrent;
    if (maxConcurrent !== undefined) this.#limiter.tighten({ maxConcurrent, minSpacingSeconds: 0 });
  }
}
