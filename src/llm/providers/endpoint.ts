/**
 * What all model endpoints have in common, whatever API they speak: attempts and waits, parameters that are left out,
 * messages for the user, the record of a call. An API brings what it has of its own as a `Protocol`.
 */
import { performance } from 'node:perf_hooks';
import { type CallOptions, type ChatModel, type ChatReply, type ChatRequest, ReplyFormRefused } from '../chat.ts';
import { noControls } from '../controls.ts';
import { beginningOf } from '../reply/forms.ts';
import type { ReplyForm } from '../reply/shape.ts';
import { AttemptFailure, GaveUp, longestRetryAfterSeconds, realSleep, throwIfAborted, withRetries } from '../retry.ts';
import { exchangeWith, getJson, withLimit } from './exchange.ts';
import type { EndpointFacts } from './failure.ts';
import { finalError } from './final-error.ts';
import { limiterOf } from './limiter.ts';
import type { Asked, Completion, EndpointOptions, EndpointTraits, Protocol } from './protocol.ts';
import { RefusedParameter } from './refusals.ts';
import { replyOf, withBeginning } from './reply.ts';
import { replyLimit } from './reply-limit.ts';
import { redactor, requireSendableKey } from './secrets.ts';
import { isLocal } from './transport.ts';

export interface EndpointModel extends ChatModel {
  /** parameters that the endpoint refused, in the order of the refusals; they are not sent again */
  readonly droppedParameters: readonly string[];
  /** Asks the server what it is, as far as that is known only by asking; never fails. Before it, `replyForms` is a guess. */
  ready(signal?: AbortSignal): Promise<void>;
}

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

  function adopt(traits: EndpointTraits | null): void {
    if (traits === null) return;
    forms = traits.forms;
    // What waits within the server looks like a server that hangs.
    const maxConcurrent = options.maxConcurrent ?? traits.maxConcurrent;
    if (maxConcurrent !== undefined) limiter.tighten({ maxConcurrent, minSpacingSeconds: 0 });
  }

  function learn(headers: Headers, payload: Readonly<Record<string, unknown>>): void {
    adopt(protocol.recognise?.(headers, payload) ?? null);
  }

  /** Asks the server what it is; a model is used without the answer, too. */
  async function explore(isFirst: boolean, signal?: AbortSignal): Promise<void> {
    try {
      const get = getJson(options, protocol, withLimit(exploreTimeout, signal));
      adopt((await protocol.explore?.(get, isFirst)) ?? null);
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
          return begunBy(completion, asked, tell);
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
      return replyOf(completion, request, { latencySeconds, requests, answeredBy: id, dropped: [...dropped], model });
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof GaveUp) throw await finalError(error, options, protocol, signal);
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

  function begunBy(completion: Completion, { begun }: Asked, tell: (line: string) => void): Completion {
    if (begun === null) return completion;
    const whole = withBeginning(completion, begun);
    if (whole !== null) return whole;
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
    async contextTokens() {
      try {
        return (
          (await protocol.contextTokens?.(getJson(options, protocol, withLimit(exploreTimeout, undefined)))) ?? null
        );
      } catch {
        // Whether the endpoint can be used is found out by the first call, which says more.
        return null;
      }
    },
  };
}
