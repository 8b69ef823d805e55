/**
 * The parts common to all model endpoints. `Protocol` holds what is specific to an API, `EndpointKnowledge` what was
 * learned about the endpoint, and `EndpointCall` makes one call.
 */
import { throwIfInterrupted } from '../../base/async.ts';
import { type CallOptions, type ChatModel, type ChatReply, type ChatRequest, ReplyFormRefused } from '../chat.ts';
import { noControls } from '../controls.ts';
import { GaveUp } from '../retry.ts';
import { EndpointCall, type EndpointParts } from './endpoint-call.ts';
import { EndpointKnowledge } from './endpoint-knowledge.ts';
import { exchangeWith } from './exchange.ts';
import { finalError } from './final-error.ts';
import { limiterOf } from './limiter.ts';
import type { EndpointOptions, Protocol } from './protocol.ts';
import { replyLimit } from './reply-limit.ts';
import { keepSecret, requireSendableKey } from './secrets.ts';
import { isLocal, requireOpenPort, requireProxy } from './transport.ts';

export interface EndpointModel extends ChatModel {
  /** parameters that the endpoint refused, in that order; they are no longer sent */
  readonly droppedParameters: readonly string[];
  /** Asks the server for its kind where that is unknown; never fails. Until then `replyForms` is a guess. */
  ready(signal?: AbortSignal): Promise<void>;
}

/** Hosted endpoints can take this number; an account's lower limits show as status 429. */
const defaultConcurrent = 8;

/** Throws a usage error for a key that is invalid in a header, a port that `fetch` blocks, and an invalid proxy. */
export function endpointModel(options: EndpointOptions, protocol: Protocol): EndpointModel {
  requireSendableKey(options);
  if (options.fetch === undefined) {
    requireOpenPort(options.id, protocol.url);
    requireProxy(protocol.url);
  }
  keepSecret(options);
  const controls = options.controls ?? noControls;
  const limiter = limiterOf(options.baseURL, {
    maxConcurrent: options.maxConcurrent ?? defaultConcurrent,
    minSpacingSeconds: options.minSpacingSeconds ?? 0,
  });
  const facts = {
    keyVariable: options.keyVariable ?? null,
    hasKey: options.apiKey !== null,
    notFound: protocol.notFound,
  };
  const parts: EndpointParts = {
    options,
    controls,
    knowledge: new EndpointKnowledge(options, protocol, limiter),
    limiter,
    replyLimit: replyLimit(controls, isLocal(protocol.url)),
    exchange: exchangeWith(options, protocol, facts, controls),
  };
  return new Endpoint(parts, protocol);
}

class Endpoint implements EndpointModel {
  readonly id: string;
  readonly kind = 'model';
  readonly #parts: EndpointParts;
  readonly #protocol: Protocol;

  constructor(parts: EndpointParts, protocol: Protocol) {
    this.id = parts.options.id;
    this.#parts = parts;
    this.#protocol = protocol;
  }

  get replyForms() {
    return this.#parts.knowledge.forms;
  }

  get droppedParameters() {
    return [...this.#parts.knowledge.dropped];
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#parts.knowledge.explore(true, signal);
  }

  contextTokens(): Promise<number | null> {
    return this.#parts.knowledge.contextTokens();
  }

  async complete(request: ChatRequest, callOptions: CallOptions = {}): Promise<ChatReply> {
    const { options, knowledge } = this.#parts;
    const { signal } = callOptions;
    throwIfInterrupted(signal);
    await knowledge.explore(false, signal);
    if (request.seed !== null && this.#protocol.hasSeed === false && !knowledge.dropped.has('seed')) {
      knowledge.dropped.add('seed');
      (callOptions.log ?? options.log)?.(`${options.id}: the API supports no seed; omitting it`);
    }
    try {
      return await new EndpointCall(this.#parts, request, callOptions).reply();
    } catch (error) {
      throwIfInterrupted(signal);
      if (error instanceof GaveUp) throw await finalError(error, options, this.#protocol, signal);
      if (!(error instanceof ReplyFormRefused)) throw error;
      knowledge.refuseForm(error.form);
      throw error;
    }
  }
}
