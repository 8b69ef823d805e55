/** The interface of all language models, and of the offline optimiser and replays that take their place. */
import type { ReplyForm, ReplyShape } from './reply/shape.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
  /**
   * Cache breaks: ascending offsets in `content`. Later messages of the same purpose start with the same text up to each break, and contain the same breaks except the last. Used by endpoints with explicit caching; not recorded.
   */
  readonly cacheBreaks?: readonly number[];
}

export interface ChatRequest {
  readonly messages: readonly Message[];
  /** null: not sent */
  readonly temperature: number | null;
  readonly seed: number | null;
  /** purpose of the call, such as `search`; prompts of one purpose share a prefix, so caches are kept per purpose */
  readonly purpose?: string;
  /** shape of the expected reply, and the form that the endpoint enforces; omitted: no constraint */
  readonly constraint?: ReplyConstraint;
}

export interface ReplyConstraint {
  /** one of the model's `replyForms` */
  readonly form: ReplyForm;
  readonly shape: ReplyShape;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** prompt tokens read from a cache; null: not reported */
  readonly cachedTokens: number | null;
  /** prompt tokens written to a cache, where that is billed; null: not reported */
  readonly cacheWriteTokens: number | null;
  /** completion tokens spent on reasoning; null: not reported */
  readonly reasoningTokens: number | null;
  /** cost of the call as reported by the endpoint, USD; omitted when not reported */
  readonly costUsd?: number | undefined;
  /** true when the endpoint reported no usage: prompt and completion tokens are then estimated from the text */
  readonly estimated: boolean;
}

/** A request that got no reply. */
export interface FailedRequest {
  /** this program's name of the model that was asked */
  readonly model: string;
  /** null: not reported */
  readonly usage: Usage | null;
}

/**
 * Why a reply ended. Only `stop` is a whole reply. `length`: a token limit cut it. `repetition`: it repeated itself and
 * was cut here; `text` ends before the repetition. `unknown`: the endpoint gives no reason.
 */
export const finishes = ['stop', 'length', 'repetition', 'unknown'] as const;
export type Finish = (typeof finishes)[number];

export interface ChatReply {
  /** text outside the endpoint's reasoning fields, including a prefill */
  readonly text: string;
  /** reasoning that the endpoint returns separately from the text; null: none */
  readonly reasoning: string | null;
  readonly usage: Usage;
  /** time from the first request to the reply, including waits between retries, s */
  readonly latencySeconds: number;
  /** time to first token of the successful request, reasoning included, s; null: not streamed */
  readonly firstTokenSeconds: number | null;
  /** completion tokens per second after the first token; null: not measured */
  readonly tokensPerSecond: number | null;
  /** HTTP requests made; 1: the first one succeeded, 0: nothing was sent */
  readonly requests: number;
  /** the model's name as reported by the endpoint */
  readonly model: string;
  /** this program's name of the model that answered; in a fallback chain not always the first */
  readonly answeredBy: string;
  readonly finish: Finish;
  /** the endpoint's own finish reason */
  readonly finishReason: string | null;
  /** the call's id at the provider */
  readonly id: string | null;
  /** rate-limit headers of the response, by lower-case name; empty when there are none */
  readonly rateLimits: Readonly<Record<string, string>>;
  /** parameters omitted because the endpoint refused them, such as `temperature` */
  readonly dropped: readonly string[];
}

/** `offline` is a numeric optimiser that speaks the same text protocol; it is not a language model. */
export const modelKinds = ['model', 'offline', 'replay', 'none'] as const;
export type ModelKind = (typeof modelKinds)[number];

/** What a call is waiting for. Tokens: those received so far, counted or estimated. */
export type CallProgress =
  /** queued behind other calls of this process */
  | { readonly state: 'queued' }
  /** sent, no data yet: the server loads the model or reads the prompt */
  | { readonly state: 'asked' }
  | {
      readonly state: 'reasoning' | 'writing';
      readonly tokens: number;
      readonly tokensPerSecond: number | null;
    }
  /** an attempt failed; the next one starts after `seconds` */
  | { readonly state: 'waiting'; readonly seconds: number; readonly why: string };

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** identifies the calling run within this process; prompt caches are kept per run */
  readonly run?: string | undefined;
  readonly onProgress?: ((progress: CallProgress) => void) | undefined;
  /** called after each request of the call that got no reply, also if the call succeeds later */
  readonly onFailure?: ((failed: FailedRequest) => void) | undefined;
  /** receives one-line messages for the user, such as waits and omitted parameters; default: the model's own log */
  readonly log?: ((line: string) => void) | undefined;
}

export interface ChatModel {
  readonly id: string;
  readonly kind: Exclude<ModelKind, 'none'>;
  /** supported reply forms, strongest first, ending with `lines`; a refused form is removed */
  readonly replyForms: readonly ReplyForm[];
  /** Context window: prompt plus reply, tokens; null: not reported. Omitted: there is no endpoint to ask. */
  contextTokens?(): Promise<number | null>;
  /** The largest context window that the model can be opened with, tokens. Omitted: unknown. */
  readonly maxContextTokens?: number;
  /** Tokens of a text by the model's own tokenizer. Omitted: the tokenizer is out of reach. */
  countTokens?(text: string): number;
  /**
   * Throws `ModelError` when the endpoint cannot be used, `ReplyFormRefused` when it refuses `request.constraint.form` (which is then removed from `replyForms`: ask again in the next form), and `InterruptedError` when the signal fires.
   */
  complete(request: ChatRequest, options?: CallOptions): Promise<ChatReply>;
}

/** The endpoint cannot enforce this form; the caller words its prompt for another form and asks again. */
export class ReplyFormRefused extends Error {
  readonly form: ReplyForm;
  /** the endpoint's message */
  readonly reason: string;

  constructor(form: ReplyForm, reason: string) {
    super(`the endpoint refuses replies in the form "${form}": ${reason}`);
    this.name = 'ReplyFormRefused';
    this.form = form;
    this.reason = reason;
  }
}

/** A reply without the fields that only an endpoint can fill; for models in this process and for tests. */
export function plainReply(
  reply: Pick<ChatReply, 'text' | 'model'> & Partial<Omit<ChatReply, 'usage'>> & { readonly usage: Partial<Usage> },
): ChatReply {
  return {
    reasoning: null,
    latencySeconds: 0,
    firstTokenSeconds: null,
    tokensPerSecond: null,
    requests: 0,
    answeredBy: reply.model,
    finish: 'stop',
    finishReason: 'stop',
    id: null,
    rateLimits: {},
    dropped: [],
    ...reply,
    usage: {
      promptTokens: 0,
      completionTokens: 0,
      cachedTokens: null,
      cacheWriteTokens: null,
      reasoningTokens: null,
      estimated: true,
      ...reply.usage,
    },
  };
}
