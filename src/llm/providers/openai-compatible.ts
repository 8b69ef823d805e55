/**
 * The one client: any endpoint that speaks OpenAI's chat completions. The `openai` package builds the requests and
 * decodes the events; retries, timeouts and messages are ours.
 *
 * Answers are asked for as a stream, not to show them early but because data that keeps coming tells a slow model from
 * a dead one. A server that answers with one JSON document all the same is understood as well.
 */
import { performance } from 'node:perf_hooks';
import { APIConnectionError } from 'openai';
import { ModelError, nearest, UsageError } from '../../base/errors.ts';
import { estimateTokens } from '../../base/tokens.ts';
import type { ChatModel, ChatReply, ChatRequest } from '../chat.ts';
import { AttemptFailure, GaveUp, realSleep, type Sleep, throwIfAborted, withRetries } from '../retry.ts';
import { type Completion, readCompletion, readText } from './completion.ts';
import { connectionFailure, type EndpointFacts, readServerError, statusFailure } from './failure.ts';
import { makeClient, type OptionalParameter, RefusedParameter, refusedParameter, requestBody } from './request.ts';
import { type Watchdog, watch } from './watchdog.ts';

export interface ClientSettings {
  /** longest time for one request, from sending it to the end of the answer, s */
  readonly timeoutSeconds: number;
  /** longest time without any data, before the first byte too, s; the fetch of Node itself ends a silence of 300 s */
  readonly idleTimeoutSeconds: number;
  /** requests for one call, the first included; a request made again without a refused parameter does not count */
  readonly maxAttempts: number;
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
  /** ends before `/chat/completions` */
  readonly baseURL: string;
  /** null: none is sent */
  readonly apiKey: string | null;
  /** environment variable of the key, for messages; null: none */
  readonly keyVariable?: string | null;
  readonly model: string;
  /** sent as `max_tokens`; null: not sent */
  readonly maxTokens?: number | null;
}

export interface EndpointModel extends ChatModel {
  /** parameters that the endpoint refused, in the order of the refusals; they are not sent again */
  readonly droppedParameters: readonly string[];
}

/** Longest wait for the list of models that goes into the message of a 404, ms. */
const listTimeout = 3000;

export function openAiCompatible(options: EndpointOptions): EndpointModel {
  const { id, baseURL, apiKey, model, log } = options;
  const unit = `model ${id}`;
  const url = `${baseURL.replace(/\/+$/, '')}/chat/completions`;
  const facts: EndpointFacts = { keyVariable: options.keyVariable ?? null, hasKey: apiKey !== null };
  if (apiKey !== null && !/^[\x21-\x7e]+$/.test(apiKey)) {
    const name = facts.keyVariable ?? 'the key';
    throw new UsageError(unit, `expected a key without spaces and special characters in ${name}; set it again`);
  }
  const redact = (text: string) => (apiKey === null ? text : text.replaceAll(apiKey, '[key]'));
  const dropped = new Set<OptionalParameter>();
  let noticedCut = false;
  const tell = (line: string) => log?.(redact(`${id}: ${line}`));

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
    const held: { failed: Response | null } = { failed: null };
    const client = makeClient(options, async (input, init) => {
      const response = await (options.fetch ?? fetch)(input, init);
      watchdog.touch();
      if (response.ok) return response;
      // The client library keeps only one form of error body; all others are read below.
      held.failed = response;
      return new Response(null, { status: Math.min(response.status, 599) });
    });
    const body = requestBody(model, request, options.maxTokens ?? null, dropped);
    let response: Response;
    try {
      response = await client.chat.completions.create(body, { signal: watchdog.signal }).asResponse();
    } catch (error) {
      if (held.failed !== null) throw await refusal(held.failed, Object.keys(body), watchdog);
      if (error instanceof APIConnectionError) throw connectionFailure(error.cause ?? error);
      throw error;
    }
    const text = await readText(response, watchdog);
    if (watchdog.reason !== null) throw stopFailure(watchdog.reason);
    const completion = await readCompletion(text, response.headers.get('content-type') ?? '', client);
    if (!('error' in completion)) return completion;
    const { status, error } = completion;
    const failure = statusFailure(status, response.headers, error, facts, Date.now());
    throw new AttemptFailure(`an error instead of a reply ("${error.message}")`, failure.advice, failure);
  }

  async function refusal(
    response: Response,
    sent: readonly string[],
    watchdog: Watchdog,
  ): Promise<AttemptFailure | RefusedParameter> {
    const error = readServerError(await readText(response, watchdog));
    const refused = [400, 422].includes(response.status) ? refusedParameter(error, sent) : null;
    if (refused !== null) return new RefusedParameter(refused, error.message);
    return statusFailure(response.status, response.headers, error, facts, Date.now());
  }

  /** Makes the request again at once, without the refused parameter, until the endpoint has nothing more to refuse. */
  async function attemptWithoutRefused(
    request: ChatRequest,
    signal: AbortSignal | undefined,
    onRequest: () => void,
  ): Promise<Completion> {
    for (;;) {
      onRequest();
      try {
        return await attempt(request, signal);
      } catch (error) {
        if (!(error instanceof RefusedParameter)) throw error;
        throwIfAborted(signal);
        dropped.add(error.parameter);
        tell(`the endpoint refuses "${error.parameter}" ("${error.message}"); it is left out from now on`);
      }
    }
  }

  async function failWith(gaveUp: GaveUp, signal: AbortSignal | undefined): Promise<never> {
    const { failure, attempts } = gaveUp;
    const tries = attempts === 1 ? '' : ` (the last of ${attempts} attempts)`;
    let { advice } = gaveUp;
    if (failure.problem.startsWith('HTTP 404')) advice += await knownModels(signal);
    throwIfAborted(signal);
    // No cause: errors of the client library carry headers, and with them the key.
    const message = `expected a chat completion from ${shownUrl(url)}, got ${failure.problem}${tries}; ${advice}`;
    throw new ModelError(unit, redact(message));
  }

  /** The models that the endpoint has, as the end of an advice; '' when it does not say quickly. */
  async function knownModels(signal: AbortSignal | undefined): Promise<string> {
    const timeout = AbortSignal.timeout(listTimeout);
    const limit = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    try {
      const page = await makeClient(options, options.fetch ?? fetch).models.list({ signal: limit });
      const known = page.data.map((entry) => entry.id);
      if (known.length === 0) return '; the endpoint has no models';
      const near = nearest(model, known);
      const more = known.length > 10 ? ` and ${known.length - 10} more` : '';
      return `; it has${near === null ? '' : ` "${near}" among`} ${known.slice(0, 10).join(', ')}${more}`;
    } catch {
      // The list is an extra of a message that is complete without it.
      return '';
    }
  }

  /** Some servers cut a prompt that is longer than their context, and say so only in their token count. */
  function noticeCutPrompt(usage: Completion['usage'], expected: number): void {
    if (noticedCut || usage === null || expected < 1000 || usage.promptTokens > 0.6 * expected) return;
    noticedCut = true;
    tell(
      `it counted ${usage.promptTokens} prompt tokens where about ${expected} were sent, so it may have cut the prompt; ` +
        'raise its context size (Ollama: OLLAMA_CONTEXT_LENGTH)',
    );
  }

  return {
    id,
    kind: 'model',
    get droppedParameters() {
      return [...dropped];
    },
    async complete(request, { signal } = {}): Promise<ChatReply> {
      const started = performance.now();
      let requests = 0;
      const countRequest = () => {
        requests += 1;
      };
      let completion: Completion;
      try {
        completion = await withRetries(() => attemptWithoutRefused(request, signal, countRequest), {
          maxAttempts: options.maxAttempts,
          sleep: options.sleep ?? realSleep,
          random: options.random ?? Math.random,
          signal,
          onRetry: ({ problem }, wait, next) =>
            tell(`got ${problem}; attempt ${next} of ${options.maxAttempts} in ${wait.toFixed(1)} s`),
        });
      } catch (error) {
        if (error instanceof GaveUp) return await failWith(error, signal);
        throw error;
      }
      const promptTokens = estimateTokens(request.messages.map((message) => message.content).join('\n'));
      noticeCutPrompt(completion.usage, promptTokens);
      return {
        text: completion.text,
        usage:
          completion.usage === null
            ? { promptTokens, completionTokens: estimateTokens(completion.text), estimated: true }
            : { ...completion.usage, estimated: false },
        latencySeconds: (performance.now() - started) / 1000,
        requests,
        model: completion.model ?? model,
        finishReason: completion.finishReason,
      };
    },
  };
}

/** A URL for messages: without credentials and query. */
function shownUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/, '');
}
