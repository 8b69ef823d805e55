/** The one interface of all language models, and of what stands in for one. */
import type { ReplyForm, ReplyShape } from './reply/shape.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
  /**
   * Offsets in `content`, ascending: later messages of the same purpose begin with the same text up to each of them, and
   * have them among their own, the last one excepted. For endpoints that are told what to cache; not on record.
   */
  readonly cacheBreaks?: readonly number[];
}

export interface ChatRequest {
  readonly messages: readonly Message[];
  /** null: not sent */
  readonly temperature: number | null;
  readonly seed: number | null;
  /** what the call is for, such as `search`; prompts of one purpose begin alike, so caches are kept by it */
  readonly purpose?: string;
  /** the reply that is wanted, and the form to which the endpoint is asked to hold the model; nothing when left out */
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
  /** of the prompt tokens, those that a cache had; null: not said */
  readonly cachedTokens: number | null;
  /** of the prompt tokens, those that were written to a cache at a price; null: not said */
  readonly cacheWriteTokens: number | null;
  /** of the completion tokens, those of the reasoning; null: not said */
  readonly reasoningTokens: number | null;
  /** what the call cost as the endpoint says, USD; left out when it does not say */
  readonly costUsd?: number | undefined;
  /** true when the endpoint sent no usage and the prompt and completion tokens are estimates from the text */
  readonly estimated: boolean;
}

/**
 * Why a reply ended. Only `stop` is a whole reply. `length`: a limit of tokens cut it. `repetition`: it went round in
 * circles and was cut here; `text` ends before the circles. `unknown`: the endpoint does not say.
 */
export const finishes = ['stop', 'length', 'repetition', 'unknown'] as const;
export type Finish = (typeof finishes)[number];

export interface ChatReply {
  /** outside the reasoning fields of the endpoint; with the beginning that was written for the model */
  readonly text: string;
  /** what the endpoint hands out as the model's reasoning, apart from the text; null: none */
  readonly reasoning: string | null;
  readonly usage: Usage;
  /** from the first request to the reply, waits between retries included, s */
  readonly latencySeconds: number;
  /** of the request that was answered: until its first token, reasoning included, s; null: not streamed */
  readonly firstTokenSeconds: number | null;
  /** completion tokens per second after the first token; null: not measured */
  readonly tokensPerSecond: number | null;
  /** HTTP requests made, 1 when the first one succeeded; 0 when nothing was sent */
  readonly requests: number;
  /** the model's name as the endpoint answered it */
  readonly model: string;
  /** name in this program of the model that answered: with a chain of fallbacks not always the first one */
  readonly answeredBy: string;
  readonly finish: Finish;
  /** the endpoint's own word for it */
  readonly finishReason: string | null;
  /** the call's id at the provider */
  readonly id: string | null;
  /** rate-limit figures of the response's headers, by lower-case header name; empty when there were none */
  readonly rateLimits: Readonly<Record<string, string>>;
  /** parameters that the endpoint refused and that were left out of the request, such as `temperature` */
  readonly dropped: readonly string[];
}

/** `offline` is a numeric optimiser that speaks the same text protocol; it is not a language model. */
export const modelKinds = ['model', 'offline', 'replay', 'none'] as const;
export type ModelKind = (typeof modelKinds)[number];

/** What a call waits for now. Tokens are those that have arrived, counted or estimated. */
export type CallProgress =
  /** other calls of this process go first */
  | { readonly state: 'queued' }
  /** sent; nothing has come back: the model is loaded, or it reads the prompt */
  | { readonly state: 'asked' }
  | {
      readonly state: 'reasoning' | 'writing';
      readonly tokens: number;
      readonly tokensPerSecond: number | null;
    }
  /** an attempt failed; the next one begins after `seconds` */
  | { readonly state: 'waiting'; readonly seconds: number; readonly why: string };

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** tells the calls of one run from those of others in this process; what is kept of prompts is kept by it */
  readonly run?: string | undefined;
  readonly onProgress?: ((progress: CallProgress) => void) | undefined;
  /** one line for the user of this call: waits, parameters left out; without it the model's own log hears it */
  readonly log?: ((line: string) => void) | undefined;
}

export interface ChatModel {
  readonly id: string;
  readonly kind: Exclude<ModelKind, 'none'>;
  /** forms to which replies can be held, the strongest first; it gets shorter when one is refused, and ends with `lines` */
  readonly replyForms: readonly ReplyForm[];
  /** Longest prompt and reply together, tokens; null: the endpoint does not say. Left out: nothing to ask. */
  contextTokens?(): Promise<number | null>;
  /**
   * Throws `ModelError` when the endpoint cannot be used, `ReplyFormRefused` when it refuses `request.held.form` (which
   * is then gone from `replyForms`: ask again in the next form), `InterruptedError` when the signal fired.
   */
  complete(request: ChatRequest, options?: CallOptions): Promise<ChatReply>;
}

/** The endpoint does not hold replies to this form; the caller words its prompt for another form and asks again. */
export class ReplyFormRefused extends Error {
  readonly form: ReplyForm;
  /** the endpoint's words */
  readonly reason: string;

  constructor(form: ReplyForm, reason: string) {
    super(`the endpoint refuses replies in the form "${form}": ${reason}`);
    this.name = 'ReplyFormRefused';
    this.form = form;
    this.reason = reason;
  }
}

/** A reply with everything that only an endpoint can say left empty; for models in this process and for tests. */
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
