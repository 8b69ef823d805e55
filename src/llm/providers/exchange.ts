/** One request and its answer: sends, watches, reads, and returns a completion or the reason why there is none. */
import { performance } from 'node:perf_hooks';
import { UsageError } from '../../base/errors.ts';
import { maskedData, maskSecrets } from '../../base/secrets.ts';
import { type CallProgress, type ChatRequest, ReplyFormRefused } from '../chat.ts';
import type { Controls } from '../controls.ts';
import { AttemptFailure } from '../retry.ts';
import { AnsweredError } from './answer.ts';
import { connectionFailure, type EndpointFacts, readServerError, type ServerError, statusFailure } from './failure.ts';
import type { Body, Completion, EndpointOptions, GetJson, PreparedRequest, Protocol } from './protocol.ts';
import { RefusedParameter, refusesForm } from './refusals.ts';
import { readAnswer, readPieces } from './stream.ts';
import { isLocal, modelFetch } from './transport.ts';
import { type Watchdog, watch } from './watchdog.ts';

const notSupported = /unsupported|not (?:yet )?support|unknown|unrecogni[sz]ed|not (?:allowed|permitted|implemented)/i;

/** Read at most this much of an error body. */
const maxErrorBytes = 2 ** 20;

/** Statuses that may refuse a parameter, or mean that the endpoint speaks another protocol at another path. */
const refusing = [400, 404, 405, 422];

export interface ExchangeCall {
  readonly request: ChatRequest;
  readonly asked: PreparedRequest;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: CallProgress) => void;
  readonly log: (line: string) => void;
  /** called with each payload of the answer and the headers */
  readonly onPayload: (headers: Headers, payload: Readonly<Record<string, unknown>>) => void;
}

/** Sends one request. Rejects with `AttemptFailure`, `RefusedParameter` or `ReplyFormRefused`. */
export type Exchange = (call: ExchangeCall) => Promise<Completion>;

export function exchangeWith(
  options: EndpointOptions,
  protocol: Protocol,
  facts: EndpointFacts,
  controls: Controls,
): Exchange {
  const limits = {
    timeoutSeconds: options.timeoutSeconds,
    idleTimeoutSeconds: options.idleTimeoutSeconds,
    idleFromStart: !isLocal(protocol.url),
  };

  async function exchange(call: ExchangeCall, watchdog: Watchdog): Promise<Completion> {
    const { asked } = call;
    const body = { ...protocol.body(asked), ...controls.extraBody };
    const sentAt = performance.now();
    call.onProgress({ state: 'asked' });
    const response = await send(options, protocol, body, watchdog.signal);
    // Some local servers send headers first and then read the prompt for minutes.
    if (limits.idleFromStart) watchdog.touch();
    const refusalOf = (status: number, error: ServerError, isEmbedded: boolean) =>
      refusal(status, error, { isEmbedded, body, asked, headers: response.headers });
    if (!response.ok) {
      const text = await errorText(response, watchdog);
      if (watchdog.reason !== null) throw stopFailure(options, watchdog.reason, 0);
      throw refusalOf(response.status, readServerError(text), false);
    }
    try {
      const completion = await readAnswer(response, {
        reader: protocol.reader(asked),
        watchdog,
        sentAt,
        values: (asked.shape?.count ?? 0) * (asked.shape?.sets ?? 1),
        badUrl: protocol.badUrl,
        onProgress: call.onProgress,
        onPayload: (payload) => call.onPayload(response.headers, payload),
      });
      const tools = { get: getJson(options, protocol, watchdog.signal), log: call.log };
      return (await protocol.check?.(completion, call.request, body, tools)) ?? completion;
    } catch (error) {
      if (error instanceof AnsweredError) throw refusalOf(error.status, error.error, true);
      throw error;
    }
  }

  function refusal(
    status: number,
    error: ServerError,
    at: {
      readonly isEmbedded: boolean;
      readonly body: Body;
      readonly asked: PreparedRequest;
      readonly headers: Headers;
    },
  ): Error {
    // A crashing server may name any parameter; one that does not support a parameter says so.
    if (refusing.includes(status) || (status >= 500 && notSupported.test(error.message))) {
      const refused = protocol.refused(error, at.body);
      if (refused !== null) return new RefusedParameter(refused, error.message);
    }
    if (refusesForm(status, error, at.asked.form)) return new ReplyFormRefused(at.asked.form, error.message);
    const failure = statusFailure(status, at.headers, error, facts, Date.now());
    if (!at.isEmbedded) return failure;
    return new AttemptFailure(`an error instead of a reply ("${error.message}")`, failure.advice, failure);
  }

  return async (call) => {
    const watchdog = watch(limits, call.signal);
    let tokens = 0;
    const onProgress = (progress: CallProgress) => {
      if ('tokens' in progress) tokens = progress.tokens;
      call.onProgress(progress);
    };
    try {
      const completion = await exchange({ ...call, onProgress }, watchdog);
      if (watchdog.reason !== null) throw stopFailure(options, watchdog.reason, tokens);
      return completion;
    } catch (error) {
      // However an aborted request fails, the reason for the abort is the failure.
      throw watchdog.reason === null ? error : stopFailure(options, watchdog.reason, tokens);
    } finally {
      watchdog.release();
    }
  };
}

/** A timed-out request would time out again, so it is not repeated. */
function stopFailure(
  { timeoutSeconds, idleTimeoutSeconds }: EndpointOptions,
  reason: NonNullable<Watchdog['reason']>,
  tokens: number,
): AttemptFailure {
  const after = tokens === 0 ? '' : ` (about ${tokens} tokens had come)`;
  if (reason === 'idle') {
    const advice = 'check whether the server hangs or is slow; for a slow one raise llm.idle_timeout_s';
    return new AttemptFailure(`no data for ${idleTimeoutSeconds} s${after}`, advice, {
      retryable: true,
      isOutage: true,
    });
  }
  const ways = tokens === 0 ? 'use a faster model' : 'use a faster model, or lower llm.max_reply_tokens';
  return new AttemptFailure(
    `no complete answer within ${timeoutSeconds} s${after}`,
    `${ways}, or raise llm.timeout_s`,
    {
      retryable: false,
    },
  );
}

async function send(options: EndpointOptions, protocol: Protocol, body: Body, signal: AbortSignal): Promise<Response> {
  const fetch = withHeaders(options);
  try {
    if (protocol.send) return await protocol.send(body, fetch, signal);
    return await fetch(protocol.url, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream, application/x-ndjson, application/json',
        'content-type': 'application/json',
        ...protocol.headers,
      },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw connectionFailure(error, protocol.url);
  }
}

/** `fetch` with the user's headers overriding all others. */
function withHeaders(options: EndpointOptions): typeof fetch {
  const base = options.fetch ?? modelFetch;
  const own = Object.entries(options.headers ?? {});
  if (own.length === 0) return base;
  return (input, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of own) headers.set(name, value);
    return base(input, { ...init, headers });
  };
}

async function errorText(response: Response, watchdog: Watchdog): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  await readPieces(response, watchdog, (bytes) => {
    text += decoder.decode(bytes, { stream: true });
    return text.length < maxErrorBytes;
  });
  return maskSecrets(text);
}

/** Asks the endpoint for JSON about itself. */
export function getJson(options: EndpointOptions, protocol: Protocol, signal: AbortSignal): GetJson {
  const base = options.baseURL.replace(/\/+$/, '');
  return async (path, posted) => {
    const headers = { accept: 'application/json', ...protocol.headers };
    const response = await withHeaders(options)(path.startsWith('/') ? `${base}${path}` : path, {
      signal,
      ...(posted === undefined
        ? { headers }
        : {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify(posted),
          }),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`HTTP ${response.status} at ${path}`);
    }
    return maskedData(await response.json());
  };
}

/** A signal that fires after `time` ms, or with the user's signal. */
export function withLimit(time: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(time);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}
