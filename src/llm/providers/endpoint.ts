/**
 * What all model endpoints have in common, whatever API they speak: attempts and waits, time limits, parameters that are
 * left out, messages for the user, the record of a call. An API brings what it has of its own as a `Protocol`.
 *
 * Answers are asked for as a stream, not to show them early but because data that keeps coming tells a slow model from
 * a dead one.
 */
import { performance } from 'node:perf_hooks';
import { ModelError, nearest, UsageError } from '../../base/errors.ts';
import { estimateTokens } from '../../base/tokens.ts';
import { type ChatModel, type ChatReply, type ChatRequest, plainReply } from '../chat.ts';
import {
  AttemptFailure,
  GaveUp,
  longestRetryAfterSeconds,
  realSleep,
  type Sleep,
  throwIfAborted,
  withRetries,
} from '../retry.ts';
import { type Completion, type EmbeddedError, endless, readText } from './answer.ts';
import { type EndpointFacts, excerpt, readServerError, type ServerError, statusFailure } from './failure.ts';
import { limiterOf } from './limiter.ts';
import { RefusedParameter } from './request.ts';
import { type Watchdog, watch } from './watchdog.ts';

export interface ClientSettings {
  /** longest time for one request, from sending it to the end of the answer, s */
  readonly timeoutSeconds: number;
  /** longest time without any data, before the first byte too, s; the fetch of Node itself ends a silence of 300 s */
  readonly idleTimeoutSeconds: number;
  /** requests for one call, the first included; a request made again without a refused parameter does not count */
  readonly maxAttempts: number;
  /** most requests at a time to one base URL from this process; without it the provider's own number */
  readonly maxConcurrent?: number;
  /** shortest time between the starts of two requests to one base URL, s; 0 without it */
  readonly minSpacingSeconds?: number;
  readonly fetch?: typeof fetch;
  readonly sleep?: Sleep;
  /** uniform in [0, 1), for the jitter */
  readonly random?: () => number;
  /** one line for the user: waits, parameters left out, prompts that seem cut */
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
  /** sent as `max_tokens`, where the API has it; null: not sent */
  readonly maxTokens?: number | null;
}

export interface EndpointModel extends ChatModel {
  /** parameters that the endpoint refused, in the order of the refusals; they are not sent again */
  readonly droppedParameters: readonly string[];
}

export type Body = Readonly<Record<string, unknown>>;

/** What an API has of its own. */
export interface Protocol {
  /** where completions are asked for */
  readonly url: string;
  /** advice when the model, or the path, does not exist */
  readonly notFound: string;
  body(request: ChatRequest, dropped: ReadonlySet<string>): Body;
  /** Sends one request and resolves with the answer, whatever its status. Throws `AttemptFailure` when there is none. */
  send(body: Body, signal: AbortSignal): Promise<Response>;
  /** whether the last characters of a body end the answer although the connection may stay open */
  isEnd(tail: string): boolean;
  /** The reply in a body with a success status. Throws `AttemptFailure`. */
  read(text: string, contentType: string): Promise<Completion | EmbeddedError>;
  /** The parameter that an error complains about, if the endpoint can do without; else null. */
  refused(error: ServerError, body: Body): string | null;
  /** Looks at a reply in the light of its request, and may correct its usage. Throws `AttemptFailure` for one that cannot be trusted. */
  check(completion: Completion, request: ChatRequest, body: Body, signal: AbortSignal): Promise<Completion>;
  /** Names of the models that the endpoint has. Any error means that it does not say. */
  models(signal: AbortSignal): Promise<readonly string[]>;
}

/** Longest wait for the list of models that goes into the message of a 404, ms. */
const listTimeout = 3000;
/** Answers have a few thousand characters; with this many, nobody could read the record. */
const maxTextLength = 2 ** 20;
/** A number that hosted endpoints bear; the limits of an account show themselves by 429. */
const defaultConcurrent = 8;

export function shownPrompt(request: ChatRequest): string {
  return request.messages.map((message) => message.content).join('\n');
}

/** Throws a usage error for a key that no header can hold. */
export function endpointModel(options: EndpointOptions, protocol: Protocol): EndpointModel {
  const { id, apiKey, model, log } = options;
  const unit = `model ${id}`;
  const facts: EndpointFacts = {
    keyVariable: options.keyVariable ?? null,
    hasKey: apiKey !== null,
    notFound: protocol.notFound,
  };
  if (apiKey !== null && !/^[\x21-\x7e]+$/.test(apiKey)) {
    const name = facts.keyVariable ?? 'the key';
    throw new UsageError(unit, `expected a key without spaces and special characters in ${name}; set it again`);
  }
  const redact = (text: string) => (apiKey === null ? text : text.replaceAll(apiKey, '[key]'));
  const dropped = new Set<string>();
  const tell = (line: string) => log?.(redact(`${id}: ${line}`));
  const sleep = options.sleep ?? realSleep;
  const limiter = limiterOf(options.baseURL, {
    maxConcurrent: options.maxConcurrent ?? defaultConcurrent,
    minSpacingSeconds: options.minSpacingSeconds ?? 0,
  });

  /** One request. Throws `AttemptFailure` for whatever is not a completion. */
  async function attempt(request: ChatRequest, signal: AbortSignal | undefined): Promise<Completion> {
    const watchdog = watch(options.timeoutSeconds, options.idleTimeoutSeconds, signal);
    try {
      return await exchange(request, watchdog);
    } catch (error) {
      // Whatever a request does when it is cut off, the reason for the cut is what happened.
      throw watchdog.reason === null ? error : stopFailure(watchdog.reason);
    } finally {
      watchdog.release();
    }
  }

  function stopFailure(reason: NonNullable<Watchdog['reason']>): AttemptFailure {
    const { timeoutSeconds, idleTimeoutSeconds } = options;
    if (reason === 'idle') {
      const advice = 'see whether the server hangs or is only slow; for a slow one raise llm.idle_timeout_s';
      return new AttemptFailure(`no data for ${idleTimeoutSeconds} s`, advice, { retryable: true });
    }
    const advice = 'use a faster model, or raise llm.timeout_s';
    return new AttemptFailure(`no complete answer within ${timeoutSeconds} s`, advice, { retryable: true });
  }

  async function exchange(request: ChatRequest, watchdog: Watchdog): Promise<Completion> {
    const body = protocol.body(request, dropped);
    const response = await protocol.send(body, watchdog.signal);
    watchdog.touch();
    const text = await readText(response, watchdog, protocol.isEnd);
    if (watchdog.reason !== null) throw stopFailure(watchdog.reason);
    if (!response.ok) throw refusal(response, text, body);
    const completion = await protocol.read(text, response.headers.get('content-type') ?? '');
    if ('error' in completion) {
      const { status, error } = completion;
      const failure = statusFailure(status, response.headers, error, facts, Date.now());
      throw new AttemptFailure(`an error instead of a reply ("${error.message}")`, failure.advice, failure);
    }
    if (completion.text.length > maxTextLength) {
      throw new AttemptFailure(`a reply of ${completion.text.length} characters`, endless, { retryable: true });
    }
    return protocol.check(completion, request, body, watchdog.signal);
  }

  function refusal(response: Response, text: string, body: Body): AttemptFailure | RefusedParameter {
    const error = readServerError(text);
    const refused = [400, 422].includes(response.status) ? protocol.refused(error, body) : null;
    if (refused !== null) return new RefusedParameter(refused, error.message);
    return statusFailure(response.status, response.headers, error, facts, Date.now());
  }

  async function failWith(gaveUp: GaveUp, signal: AbortSignal | undefined): Promise<never> {
    const { failure, attempts } = gaveUp;
    const tries = attempts === 1 ? '' : ` (the last of ${attempts} attempts)`;
    let { advice } = gaveUp;
    if (failure.problem.startsWith('HTTP 404')) advice += await knownModels(signal);
    throwIfAborted(signal);
    // No cause: errors of the client library carry headers, and with them the key.
    const message = `expected a chat completion from ${shownUrl(protocol.url)}, got ${failure.problem}${tries}; ${advice}`;
    throw new ModelError(unit, redact(message), { retryAfterSeconds: failure.retryAfterSeconds });
  }

  /** The models that the endpoint has, as the end of an advice; '' when it does not say quickly. */
  async function knownModels(signal: AbortSignal | undefined): Promise<string> {
    const timeout = AbortSignal.timeout(listTimeout);
    const limit = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    try {
      const known = (await protocol.models(limit)).map((name) => excerpt(name, 100));
      if (known.length === 0) return '; the endpoint has no models';
      const near = nearest(model, known);
      const more = known.length > 10 ? ` and ${known.length - 10} more` : '';
      return `; it has${near === null ? '' : ` "${near}" among`} ${known.slice(0, 10).join(', ')}${more}`;
    } catch {
      // The list is an extra of a message that is complete without it.
      return '';
    }
  }

  return {
    id,
    kind: 'model',
    replyForms: ['lines'],
    get droppedParameters() {
      return [...dropped];
    },
    async complete(request, { signal } = {}): Promise<ChatReply> {
      let started: number | null = null;
      let requests = 0;
      let servedUntil = -Infinity;

      /** Makes the request again at once, without the refused parameter, until the endpoint has nothing more to refuse. */
      async function attemptWithoutRefused(): Promise<Completion> {
        for (;;) {
          started ??= performance.now();
          requests += 1;
          try {
            return await attempt(request, signal);
          } catch (error) {
            if (!(error instanceof RefusedParameter)) throw error;
            throwIfAborted(signal);
            // Another call of the same model may have learned it meanwhile.
            if (dropped.has(error.parameter)) continue;
            dropped.add(error.parameter);
            tell(`the endpoint refuses "${error.parameter}" ("${error.message}"); it is left out from now on`);
          }
        }
      }

      async function attemptInTurn(): Promise<Completion> {
        try {
          return await limiter.run(attemptWithoutRefused, { sleep, signal, servedUntil });
        } catch (error) {
          const asked = error instanceof AttemptFailure ? error.retryAfterSeconds : null;
          // This call waits between its attempts; the limiter makes the others wait.
          if (asked !== null && asked <= longestRetryAfterSeconds) {
            servedUntil = Math.max(servedUntil, limiter.pause(asked));
          }
          throw error;
        }
      }

      let completion: Completion;
      try {
        completion = await withRetries(attemptInTurn, {
          maxAttempts: options.maxAttempts,
          sleep,
          random: options.random ?? Math.random,
          signal,
          onRetry: ({ problem }, wait, next) =>
            tell(`got ${problem}; attempt ${next} of ${options.maxAttempts} in ${wait.toFixed(1)} s`),
        });
      } catch (error) {
        if (error instanceof GaveUp) return await failWith(error, signal);
        throw error;
      }
      const { promptTokens, completionTokens } = completion.usage;
      return plainReply({
        text: completion.text,
        usage: {
          promptTokens: promptTokens ?? estimateTokens(shownPrompt(request)),
          completionTokens: completionTokens ?? estimateTokens(completion.text),
          estimated: promptTokens === null || completionTokens === null,
        },
        latencySeconds: started === null ? 0 : (performance.now() - started) / 1000,
        requests,
        model: completion.model ?? model,
        answeredBy: id,
        finishReason: completion.finishReason,
        dropped: [...dropped],
      });
    },
  };
}

/** A URL for messages: without credentials and query. */
function shownUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/, '');
}
