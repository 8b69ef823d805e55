/** The one interface of all language models, and of what stands in for one. */

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatRequest {
  readonly messages: readonly Message[];
  /** null: not sent */
  readonly temperature: number | null;
  readonly seed: number | null;
  /** JSON Schema that the endpoint is asked to hold the reply to, where it can; nothing when left out */
  readonly replySchema?: Readonly<Record<string, unknown>>;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** true when the endpoint sent no usage and these are estimates from the text */
  readonly estimated: boolean;
}

export interface ChatReply {
  readonly text: string;
  readonly usage: Usage;
  /** from the first request to the reply, waits between retries included, s */
  readonly latencySeconds: number;
  /** HTTP requests made, 1 when the first one succeeded; 0 when nothing was sent */
  readonly requests: number;
  /** the model's name as the endpoint answered it */
  readonly model: string;
  readonly finishReason: string | null;
  /** parameters that the endpoint refused and that were left out of the request, such as `temperature` */
  readonly dropped: readonly string[];
}

/** `offline` is a numeric optimiser that speaks the same text protocol; it is not a language model. */
export type ModelKind = 'model' | 'offline' | 'replay';

export interface ChatModel {
  readonly id: string;
  readonly kind: ModelKind;
  /** Throws `ModelError` when the endpoint cannot be used, `InterruptedError` when the signal fired. */
  complete(request: ChatRequest, options?: { readonly signal?: AbortSignal }): Promise<ChatReply>;
}
