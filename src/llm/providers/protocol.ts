/** What is specific to an API of model endpoints; `endpoint.ts` has the common parts. */

import type { Sleep } from '../../base/async.ts';
import type { ChatRequest, Finish, Message } from '../chat.ts';
import type { Controls } from '../controls.ts';
import type { ReplyForm, ReplyShape } from '../reply/shape.ts';
import type { ServerError } from './failure.ts';

export interface ClientSettings {
  /** timeout of one request, from sending it to the end of the answer, s */
  readonly timeoutSeconds: number;
  /** timeout without data, s; for local servers, which may first load a model, it starts with the first byte */
  readonly idleTimeoutSeconds: number;
  /** maximum attempts per call, the first included; a repetition without a refused parameter does not count */
  readonly maxAttempts: number;
  /** maximum concurrent requests of this process to one base URL; default: the provider's own number */
  readonly maxConcurrent?: number;
  /** minimum time between the starts of two requests to one base URL, s; default 0 */
  readonly minSpacingSeconds?: number;
  /** default: all are left to the endpoint */
  readonly controls?: Controls;
  readonly fetch?: typeof fetch;
  readonly sleep?: Sleep;
  /** uniform in [0, 1), for the jitter */
  readonly random?: () => number;
  /** receives one-line messages when a call has no log of its own: waits, omitted parameters, prompts that seem cut */
  readonly log?: (line: string) => void;
}

export interface EndpointOptions extends ClientSettings {
  /** the model's name in this program; `model` is its name at the endpoint */
  readonly id: string;
  /** prefix of the API's paths */
  readonly baseURL: string;
  /** null: not sent */
  readonly apiKey: string | null;
  /** the key's environment variable, for messages; null: none */
  readonly keyVariable?: string | null;
  readonly model: string;
  /** extra headers of each request; their values are secrets, like keys */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Body = Readonly<Record<string, unknown>>;

/** One request before a protocol turns it into a body. */
export interface PreparedRequest {
  /** end with the prefill as an assistant message when `prefill` is not null */
  readonly messages: readonly Message[];
  readonly temperature: number | null;
  readonly seed: number | null;
  readonly purpose: string | null;
  /** identifies the calling run within this process; null: unknown */
  readonly run: string | null;
  readonly form: ReplyForm;
  /** null: any reply; `form` is `lines` then */
  readonly shape: ReplyShape | null;
  /** start of the reply that the model continues; null: none */
  readonly prefill: string | null;
  /** limit of the reply, reasoning included, tokens; null: not sent */
  readonly maxTokens: number | null;
  readonly controls: Controls;
  /** parameters refused by this endpoint */
  readonly dropped: ReadonlySet<string>;
}

/** Token counts as reported by the endpoint; null: not reported. */
export interface ReportedUsage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly reasoningTokens: number | null;
  /** cost of the call, USD; omitted when not reported */
  readonly costUsd?: number | undefined;
}

/** The increment of one payload. */
export interface Piece {
  readonly text?: string | undefined;
  readonly reasoning?: string | undefined;
  /** the answer is complete, although the connection may stay open */
  readonly done?: boolean;
}

/** The metadata of an answer. */
export interface Ending {
  /** null: not reported; a stream was then truncated, unless it had an end mark */
  readonly finish: Finish | null;
  /** true: also answers that are not streams were truncated when `finish` is null */
  readonly needsEnd?: boolean;
  readonly finishReason: string | null;
  readonly model: string | null;
  readonly id: string | null;
  readonly usage: ReportedUsage;
}

/** Reads the JSON payloads of one answer, whole or streamed. `take` and `end` throw `AttemptFailure` or `AnsweredError`. */
export interface Reader {
  /** `event`: name of the server-sent event; '': none. Errors of the common forms are handled before. */
  take(payload: Readonly<Record<string, unknown>>, event: string): Piece;
  /** Called after the last payload. */
  end(): Ending;
  /** What was reported so far, also where there is no reply. */
  usage(): ReportedUsage;
}

export interface Completion extends Ending {
  readonly text: string;
  /** null: none */
  readonly reasoning: string | null;
  readonly finish: Finish;
  /** time to first token, s; null: not streamed */
  readonly firstTokenSeconds: number | null;
  /** time from the first token to the last, s; null: not streamed */
  readonly streamSeconds: number | null;
  readonly rateLimits: Readonly<Record<string, string>>;
}

/** Features of an endpoint found out by asking it. */
export interface EndpointTraits {
  /** supported reply forms, strongest first, ending with `lines` */
  readonly forms: readonly ReplyForm[];
  /** maximum concurrent requests */
  readonly maxConcurrent?: number;
}

/**
 * GETs a path below the base URL, or a full URL, with the protocol's headers, or POSTs a body there. Throws unless the
 * answer is JSON with a success status.
 */
export type GetJson = (path: string, body?: Body) => Promise<unknown>;

export interface Protocol {
  /** address for completions; messages omit its query */
  readonly url: string;
  /** advice when the model, or the path, does not exist */
  readonly notFound: string;
  /** advice when an answer is not from this API */
  readonly badUrl: string;
  /** headers of each request, including the key */
  readonly headers: Readonly<Record<string, string>>;
  /** reply forms to try at first, strongest first, ending with `lines` */
  readonly forms: readonly ReplyForm[];
  /** false: the API supports no seed */
  readonly hasSeed?: boolean;
  /** The request body without `controls.extraBody`, which is merged afterwards. */
  body(asked: PreparedRequest): Body;
  /** Replaces the plain POST of the body. Rejects like `fetch`. */
  send?(body: Body, fetch: typeof globalThis.fetch, signal: AbortSignal): Promise<Response>;
  /** The optional parameter that an error refuses; null: none. */
  refused(error: ServerError, body: Body): string | null;
  reader(asked: PreparedRequest): Reader;
  /** Features of the server learned from an answer's headers or a payload; null: nothing new. */
  recognise?(headers: Headers, payload: Readonly<Record<string, unknown>>): EndpointTraits | null;
  /**
   * Asks the server for its features, when the model is opened (`isFirst`) and before each call; resolves at once when nothing is unknown. Errors and timeouts mean that they stay unknown.
   */
  explore?(get: GetJson, isFirst: boolean): Promise<EndpointTraits | null>;
  /**
   * Checks a reply against its request, and may correct its usage. Throws `AttemptFailure` for a reply that cannot be
   * trusted.
   */
  check?(completion: Completion, request: ChatRequest, body: Body, tools: CheckTools): Promise<Completion>;
  /** Context window: prompt plus reply, tokens; null, or any error: not reported. */
  contextTokens?(get: GetJson): Promise<number | null>;
  /** Names of the endpoint's models. Any error means that it does not list them. */
  models(get: GetJson): Promise<readonly string[]>;
}

export interface CheckTools {
  readonly get: GetJson;
  readonly log: (line: string) => void;
}

export function shownPrompt(request: Pick<ChatRequest, 'messages'>): string {
  return request.messages.map((message) => message.content).join('\n');
}
