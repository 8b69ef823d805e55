/** What an API of model endpoints has of its own; `endpoint.ts` has what they share. */

import type { Sleep } from '../../base/async.ts';
import type { ChatRequest, Finish, Message } from '../chat.ts';
import type { Controls } from '../controls.ts';
import type { ReplyForm, ReplyShape } from '../reply/shape.ts';
import type { ServerError } from './failure.ts';

export interface ClientSettings {
  /** longest time for one request, from sending it to the end of the answer, s */
  readonly timeoutSeconds: number;
  /** longest time without any data, s; it begins with the first byte for local servers, which may load a model before */
  readonly idleTimeoutSeconds: number;
  /** requests for one call, the first included; a request made again without a refused parameter does not count */
  readonly maxAttempts: number;
  /** most requests at a time to one base URL from this process; without it the provider's own number */
  readonly maxConcurrent?: number;
  /** shortest time between the starts of two requests to one base URL, s; 0 without it */
  readonly minSpacingSeconds?: number;
  /** without it all are left to the endpoint */
  readonly controls?: Controls;
  readonly fetch?: typeof fetch;
  readonly sleep?: Sleep;
  /** uniform in [0, 1), for the jitter */
  readonly random?: () => number;
  /** one line for the user where a call brings no log of its own: waits, parameters left out, prompts that seem cut */
  readonly log?: (line: string) => void;
}

export interface EndpointOptions extends ClientSettings {
  /** the model's name in this program; `model` is its name at the endpoint */
  readonly id: string;
  /** what the API's own paths are added to */
  readonly baseURL: string;
  /** null: none is sent */
  readonly apiKey: string | null;
  /** environment variable of the key, for messages; null: none */
  readonly keyVariable?: string | null;
  readonly model: string;
  /** headers of each request beside the protocol's own; their values are secrets, as keys are */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Body = Readonly<Record<string, unknown>>;

/** One request as a protocol words it. */
export interface PreparedRequest {
  /** with the beginning of the reply as a last assistant message when `prefill` is not null */
  readonly messages: readonly Message[];
  readonly temperature: number | null;
  readonly seed: number | null;
  readonly purpose: string | null;
  /** tells the calls of one run from those of others in this process; null: not said */
  readonly run: string | null;
  readonly form: ReplyForm;
  /** null: any reply; `form` is `lines` then */
  readonly shape: ReplyShape | null;
  /** the beginning of the reply that the model goes on from; null: it begins by itself */
  readonly prefill: string | null;
  /** limit of the reply, reasoning included, tokens; null: none is sent */
  readonly maxTokens: number | null;
  readonly controls: Controls;
  /** parameters that this endpoint has refused */
  readonly dropped: ReadonlySet<string>;
}

/** Tokens as the endpoint counted them; null for what it did not say. */
export interface ReportedUsage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly reasoningTokens: number | null;
  /** what the call cost, USD; left out when it is not said */
  readonly costUsd?: number | undefined;
}

/** What one payload of an answer adds. */
export interface Piece {
  readonly text?: string | undefined;
  readonly reasoning?: string | undefined;
  /** nothing more comes, although the connection may stay open */
  readonly done?: boolean;
}

/** What an answer says of itself, apart from its text. */
export interface Ending {
  /** null: the answer does not say; a stream has been cut off then, unless it had an end mark */
  readonly finish: Finish | null;
  /** true: what is no stream has been cut off, too, when `finish` is null */
  readonly needsEnd?: boolean;
  readonly finishReason: string | null;
  readonly model: string | null;
  readonly id: string | null;
  readonly usage: ReportedUsage;
}

/** Reads one answer, whole or in pieces, as its JSON payloads arrive. Both throw `AttemptFailure` or `AnsweredError`. */
export interface Reader {
  /** `event`: the name of the server-sent event; '' when it has none. Errors of the usual forms do not get here. */
  take(payload: Readonly<Record<string, unknown>>, event: string): Piece;
  /** after the last payload */
  end(): Ending;
}

export interface Completion extends Ending {
  readonly text: string;
  /** null: none */
  readonly reasoning: string | null;
  readonly finish: Finish;
  /** from sending the request to the first token, s; null: the answer came in one piece */
  readonly firstTokenSeconds: number | null;
  /** from the first token to the last one, s; null: the answer came in one piece */
  readonly streamSeconds: number | null;
  readonly rateLimits: Readonly<Record<string, string>>;
}

/** What an endpoint turns out to be. */
export interface EndpointTraits {
  /** strongest first, ending with `lines` */
  readonly forms: readonly ReplyForm[];
  /** requests that it works on at a time */
  readonly maxConcurrent?: number;
}

/**
 * GETs a path below the base URL, or a whole URL, with the protocol's headers, or POSTs a body there; throws for what is
 * no JSON with a success status.
 */
export type GetJson = (path: string, body?: Body) => Promise<unknown>;

export interface Protocol {
  /** where completions are asked for; a query is not shown in messages */
  readonly url: string;
  /** advice when the model, or the path, does not exist */
  readonly notFound: string;
  /** advice when an answer is none of this API */
  readonly badUrl: string;
  /** headers of each request, the key among them */
  readonly headers: Readonly<Record<string, string>>;
  /** what replies can be held to at first, strongest first, ending with `lines` */
  readonly forms: readonly ReplyForm[];
  /** false: the API knows no seed */
  readonly hasSeed?: boolean;
  /** without `controls.extraBody`, which is laid over it afterwards */
  body(asked: PreparedRequest): Body;
  /** Sends one request instead of a plain POST of the body. Rejects as `fetch` does. */
  send?(body: Body, fetch: typeof globalThis.fetch, signal: AbortSignal): Promise<Response>;
  /** The parameter that an error complains about, if the endpoint can do without; else null. */
  refused(error: ServerError, body: Body): string | null;
  reader(asked: PreparedRequest): Reader;
  /** What an answer's headers, or one of its payloads, show of the server; null: nothing new. */
  recognise?(headers: Headers, payload: Readonly<Record<string, unknown>>): EndpointTraits | null;
  /**
   * Asks the server what it is, when the model is opened (`isFirst`) and before each call; resolves at once when there
   * is nothing left to ask. Any error, and a wait of more than some seconds, means that it does not say.
   */
  explore?(get: GetJson, isFirst: boolean): Promise<EndpointTraits | null>;
  /** Looks at a reply in the light of its request, and may correct its usage. Throws `AttemptFailure` for one that cannot be trusted. */
  check?(completion: Completion, request: ChatRequest, body: Body, tools: CheckTools): Promise<Completion>;
  /** Tokens that a prompt and its reply may have together; null, or any error: the endpoint does not say. */
  contextTokens?(get: GetJson): Promise<number | null>;
  /** Names of the models that the endpoint has. Any error means that it does not say. */
  models(get: GetJson): Promise<readonly string[]>;
}

export interface CheckTools {
  readonly get: GetJson;
  readonly log: (line: string) => void;
}

export function shownPrompt(request: Pick<ChatRequest, 'messages'>): string {
  return request.messages.map((message) => message.content).join('\n');
}
