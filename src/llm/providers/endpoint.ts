/**
 * What all model endpoints have in common, whatever API they speak: attempts and waits, parameters that are left out,
 * messages for the user, the record of a call. An API brings what it has of its own as a `Protocol`.
 */
import { performance } from 'node:perf_hooks';
import { ModelError, nearest, UsageError } from '../../base/errors.ts';
import { estimateTokens } from '../../base/tokens.ts';
import { type CallOptions, type ChatModel, type ChatReply, type ChatRequest, ReplyFormRefused } from '../chat.ts';
import { noControls } from '../controls.ts';
import { beginningOf } from '../reply/forms.ts';
import type { ReplyForm } from '../reply/shape.ts';
import { AttemptFailure, GaveUp, longestRetryAfterSeconds, realSleep, throwIfAborted, withRetries } from '../retry.ts';
import { exchangeWith, getJson } from './exchange.ts';
import { type EndpointFacts, excerpt } from './failure.ts';
import { limiterOf } from './limiter.ts';
import { type Asked, type Completion, type EndpointOptions, type Protocol, shownPrompt } from './protocol.ts';
import { RefusedParameter } from './refusals.ts';
import { replyLimit } from './reply-limit.ts';
import { isLocal } from './transport.ts';

export interface EndpointModel extends ChatModel {
  /** parameters that the endpoint refused, in the order of the refusals; they are not sent again */
  readonly droppedParameters: readonly string[];
  /** Asks the server what it is, as far as that is known only by asking; never fails. Before it, `replyForms` is a guess. */
  ready(signal?: AbortSignal): Promise<void>;
}

/** Longest wait for the list of models that goes into the message of a 404, ms. */
const listTimeout = 3000;
/** Longest wait for what a server says of itself, ms. */
const exploreTimeout = 2000;
/** Attempts at an address from which nothing has come yet: a server that is just being started gets some seconds. */
const firstContactAttempts = 3;
/** A reply that ends this far from its limit was cut by something else. */
const cutShare = 0.9;
/** A number that hosted endpoints bear; the limits of an account show themselves by 429. */
const defaultConcurrent = 8;

/** Throws a usage error for a key that no header can hold. */
export function endpointModel(options: EndpointOptions, protocol: Protocol): EndpointModel {
  const { id, model } = options;
  const controls = options.controls ?? noControls;
  const facts: EndpointFacts = {
    keyVariable: options.keyVariable ?? null,
    hasKey: options.apiKey !== null,
    notFound: protocol.notFound,
  };
  requireSendableKey(options);
  const redact = redactor(options);
  const dropped = new Set<string>();
  const sleep = options.sleep ?? realSleep;
  const limiter = limiterOf(options.baseURL, {
    maxConcurrent: options.maxConcurrent ?? defaultConcurrent,
    minSpacingSeconds: options.minSpacingSeconds ?? 0,
  });
  const exchange = exchangeWith(options, protocol, facts, controls);
  const limit = replyLimit(controls, isLocal(protocol.url));
  const refusedForms = new Set<ReplyForm>();
  let forms = protocol.forms;

  function learn(headers: Headers, payload: Readonly<Record<string, unknown>>): void {
    const traits = protocol.recognise?.(headers, payload) ?? null;
    if (traits !== null) forms = traits.forms;
  }

  /** Asks the server what it is; a model is used without the answer, too. */
  async function explore(isFirst: boolean, signal?: AbortSignal): Promise<void> {
    try {
      const traits = await protocol.explore?.(getJson(options, protocol, withLimit(exploreTimeout, signal)), isFirst);
      if (traits) forms = traits.forms;
    } catch {
      throwIfAborted(signal);
    }
  }

  function askedOf(request: ChatRequest, run: string | null): Asked {
    const { messages, temperature, seed, purpose = null, held } = request;
    const begun = held?.form === 'begun' ? beginningOf(held.shape) : null;
    return {
      messages: begun === null ? messages : [...messages, { role: 'assistant', content: begun }],
      temperature,
      seed,
      purpose,
      run,
      form: held?.form ?? 'lines',
      shape: held?.shape ?? null,
      begun,
      maxTokens: limit.of(held?.shape ?? null),
      controls,
      dropped,
    };
  }

  async function complete(
    request: ChatRequest,
    { signal, onProgress, log, run }: CallOptions = {},
  ): Promise<ChatReply> {
    let started: number | null = null;
    let requests = 0;
    let servedUntil = -Infinity;
    const tell = (line: string) => (log ?? options.log)?.(redact(`${id}: ${line}`));
    const progress = (now: Parameters<NonNullable<typeof onProgress>>[0]) => onProgress?.(now);

    /** Makes the request again at once, without the refused parameter, until the endpoint has nothing more to refuse. */
    async function attempt(): Promise<Completion> {
      for (;;) {
        started ??= performance.now();
        requests += 1;
        const missing = new Set(dropped);
        try {
          const asked = askedOf(request, run ?? null);
          const completion = await exchange({
            request,
            asked,
            signal,
            onProgress: progress,
            log: tell,
            onPayload: learn,
          });
          noteLimits(completion, asked, tell);
          return withBeginning(completion, asked, tell);
        } catch (error) {
          if (!(error instanceof RefusedParameter)) throw error;
          throwIfAborted(signal);
          if (missing.has(error.parameter)) {
            const problem = `a refusal of "${error.parameter}" ("${error.message}"), which was not sent`;
            throw new AttemptFailure(problem, 'change the model or its settings as the answer says', {
              retryable: false,
            });
          }
          // Another call of the same model may have learned it meanwhile.
          if (dropped.has(error.parameter)) continue;
          dropped.add(error.parameter);
          tell(`the endpoint refuses "${error.parameter}" ("${error.message}"); it is left out from now on`);
        }
      }
    }

    async function attemptInTurn(): Promise<Completion> {
      try {
        return await limiter.run(attempt, { sleep, signal, servedUntil });
      } catch (error) {
        const asked = error instanceof AttemptFailure ? error.retryAfterSeconds : null;
        // This call waits between its attempts; the limiter makes the others wait.
        if (asked !== null && asked <= longestRetryAfterSeconds) {
          servedUntil = Math.max(servedUntil, limiter.pause(asked));
        }
        throw error;
      }
    }

    throwIfAborted(signal);
    await explore(false, signal);
    if (request.seed !== null && protocol.hasSeed === false && !dropped.has('seed')) {
      dropped.add('seed');
      tell('the API takes no seed; it is left out');
    }
    progress({ state: 'queued' });
    try {
      const completion = await withRetries(attemptInTurn, {
        attemptsFor,
        sleep,
        random: options.random ?? Math.random,
        signal,
        onRetry: ({ problem }, seconds, next, most) => {
          progress({ state: 'waiting', seconds, why: redact(problem) });
          tell(`got ${problem}; attempt ${next} of ${most} in ${seconds.toFixed(1)} s`);
        },
      });
      const latencySeconds = started === null ? 0 : (performance.now() - started) / 1000;
      return replyOf(completion, request, { latencySeconds, requests });
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof GaveUp) throw await finalError(error, signal);
      if (error instanceof ReplyFormRefused) {
        refusedForms.add(error.form);
        throw new ReplyFormRefused(error.form, redact(error.reason));
      }
      throw error;
    }
  }

  /** Where nothing has ever answered, nothing is likely to: the user has to start it. */
  function attemptsFor({ isUnreachable }: AttemptFailure): number {
    const isNew = isUnreachable && !limiter.hasAnswered;
    return isNew ? Math.min(firstContactAttempts, options.maxAttempts) : options.maxAttempts;
  }

  /** The reply with the beginning that was written for it. A model that began anew cannot be held by it. */
  function withBeginning(completion: Completion, { begun }: Asked, tell: (line: string) => void): Completion {
    if (begun === null) return completion;
    const { text } = completion;
    if (text.trimStart().startsWith(begun)) return completion;
    if (!text.includes(begun)) return { ...completion, text: `${begun}${text}` };
    refusedForms.add('begun');
    tell('the endpoint does not go on from a reply that is begun for it; none is from now on');
    return completion;
  }

  /** A limit that cut a reply is said, and one that was only derived is raised for the next call. */
  function noteLimits({ finish, reasoning, usage }: Completion, { maxTokens }: Asked, tell: (line: string) => void) {
    if (reasoning !== null || (usage.reasoningTokens ?? 0) > 0) limit.noteReasoning();
    if (finish === 'repetition') tell('the reply went round in circles and was cut');
    if (finish !== 'length' || maxTokens === null) return;
    // A context that is used up cuts replies, too.
    if (usage.completionTokens !== null && usage.completionTokens < cutShare * maxTokens) return;
    const next = limit.noteCut() ? 'the next reply gets more' : 'raise llm.max_reply_tokens for longer ones';
    tell(`the reply was cut at ${usage.completionTokens ?? '?'} tokens, with a limit of ${maxTokens}; ${next}`);
  }

  function replyOf(
    completion: Completion,
    request: ChatRequest,
    call: Pick<ChatReply, 'latencySeconds' | 'requests'>,
  ): ChatReply {
    const { usage, text, reasoning } = completion;
    const completionTokens = usage.completionTokens ?? estimateTokens(`${reasoning ?? ''}${text}`);
    const { streamSeconds } = completion;
    const isMeasured = streamSeconds !== null && streamSeconds > 0 && completionTokens > 1;
    return {
      text,
      reasoning,
      usage: {
        ...usage,
        promptTokens: usage.promptTokens ?? estimateTokens(shownPrompt(request)),
        completionTokens,
        estimated: usage.promptTokens === null || usage.completionTokens === null,
      },
      ...call,
      firstTokenSeconds: completion.firstTokenSeconds,
      tokensPerSecond: isMeasured ? (completionTokens - 1) / streamSeconds : null,
      model: completion.model ?? model,
      answeredBy: id,
      finish: completion.finish,
      finishReason: completion.finishReason,
      id: completion.id,
      rateLimits: completion.rateLimits,
      dropped: [...dropped],
    };
  }

  async function finalError(gaveUp: GaveUp, signal: AbortSignal | undefined): Promise<ModelError> {
    const { failure, attempts } = gaveUp;
    const tries = attempts === 1 ? '' : ` (the last of ${attempts} attempts)`;
    let { advice } = gaveUp;
    if (advice === protocol.notFound) advice += await knownModels(signal);
    throwIfAborted(signal);
    // No cause: errors of client libraries carry headers, and with them the key.
    const message = `expected a chat completion from ${shownUrl(protocol.url)}, got ${failure.problem}${tries}; ${advice}`;
    return new ModelError(`model ${id}`, redact(message), { retryAfterSeconds: failure.retryAfterSeconds });
  }

  /** The models that the endpoint has, as the end of an advice; '' when it does not say quickly. */
  async function knownModels(signal: AbortSignal | undefined): Promise<string> {
    try {
      const get = getJson(options, protocol, withLimit(listTimeout, signal));
      const known = (await protocol.models(get)).map((name) => excerpt(name, 100));
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
    get replyForms() {
      return forms.filter((form) => form === 'lines' || !refusedForms.has(form));
    },
    get droppedParameters() {
      return [...dropped];
    },
    complete,
    ready: (signal) => explore(true, signal),
  };
}

/** A signal that fires after `time` ms, or with the user's. */
function withLimit(time: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(time);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}

function requireSendableKey({ id, apiKey, keyVariable }: EndpointOptions): void {
  if (apiKey === null || /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw new UsageError(
    `model ${id}`,
    `expected a key without spaces and special characters in ${keyVariable ?? 'the key'}; set it again`,
  );
}

/** Takes the key and the values of the user's headers out of a text. */
function redactor({ apiKey, headers }: EndpointOptions): (text: string) => string {
  const secrets = [apiKey, ...Object.values(headers ?? {})].filter((secret) => secret !== null && secret.length >= 4);
  return (text) => secrets.reduce<string>((shown, secret) => shown.replaceAll(secret as string, '[key]'), text);
}

/** A URL for messages: without credentials and query. */
function shownUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/, '');
}
