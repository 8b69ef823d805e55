/** One call of a model at an endpoint: its attempts, the waits between them, and what the user reads meanwhile. */
import { performance } from 'node:perf_hooks';
import { sleep, throwIfInterrupted } from '../../base/async.ts';
import type { CallOptions, CallProgress, ChatReply, ChatRequest } from '../chat.ts';
import type { Controls } from '../controls.ts';
import { prefillOf } from '../reply/forms.ts';
import { AttemptFailure, maxRetryAfterSeconds, withRetries } from '../retry.ts';
import type { EndpointKnowledge } from './endpoint-knowledge.ts';
import type { Exchange } from './exchange.ts';
import type { Limiter } from './limiter.ts';
import type { Completion, EndpointOptions, PreparedRequest } from './protocol.ts';
import { RefusedParameter } from './refusals.ts';
import { replyOf, withPrefill } from './reply.ts';
import type { ReplyLimit } from './reply-limit.ts';

/** Attempts at an address from which nothing has come yet: a server that is just being started gets some seconds. */
const firstContactAttempts = 3;
/** A reply that ends this far from its limit was cut by something else. */
const minCutShare = 0.9;

/** What all calls of a model share. */
export interface EndpointParts {
  readonly options: EndpointOptions;
  readonly controls: Controls;
  readonly knowledge: EndpointKnowledge;
  readonly limiter: Limiter;
  readonly replyLimit: ReplyLimit;
  readonly exchange: Exchange;
  /** text without keys */
  readonly redact: (text: string) => string;
}

export class EndpointCall {
  readonly #parts: EndpointParts;
  readonly #request: ChatRequest;
  readonly #callOptions: CallOptions;
  #startedAt: number | null = null;
  #requests = 0;
  /** the end of the wait that this call was asked for, in the limiter's time */
  #servedUntil = -Infinity;

  constructor(parts: EndpointParts, request: ChatRequest, callOptions: CallOptions) {
    this.#parts = parts;
    this.#request = request;
    this.#callOptions = callOptions;
  }

  /** Rejects with `GaveUp`, `ReplyFormRefused` or the user's `InterruptedError`. */
  async reply(): Promise<ChatReply> {
    const { options, knowledge, redact } = this.#parts;
    this.#progress({ state: 'queued' });
    const completion = await withRetries(() => this.#attemptInTurn(), {
      attemptsFor: (failure) => this.#attemptsFor(failure),
      sleep: options.sleep ?? sleep,
      random: options.random ?? Math.random,
      signal: this.#callOptions.signal,
      onRetry: ({ problem }, seconds, next, maxAttempts) => {
        this.#progress({ state: 'waiting', seconds, why: redact(problem) });
        this.#log(`got ${problem}; attempt ${next} of ${maxAttempts} in ${seconds.toFixed(1)} s`);
      },
    });
    return replyOf(completion, this.#request, {
      latencySeconds: this.#startedAt === null ? 0 : (performance.now() - this.#startedAt) / 1000,
      requests: this.#requests,
      answeredBy: options.id,
      dropped: [...knowledge.dropped],
      model: options.model,
    });
  }

  #log(line: string): void {
    const { options, redact } = this.#parts;
    (this.#callOptions.log ?? options.log)?.(redact(`${options.id}: ${line}`));
  }

  #progress(now: CallProgress): void {
    this.#callOptions.onProgress?.(now);
  }

  /** Where nothing has ever answered, nothing is likely to: the user has to start it. */
  #attemptsFor({ isUnreachable }: AttemptFailure): number {
    const { options, limiter } = this.#parts;
    const isNew = isUnreachable && !limiter.hasAnswered;
    return isNew ? Math.min(firstContactAttempts, options.maxAttempts) : options.maxAttempts;
  }

  async #attemptInTurn(): Promise<Completion> {
    const { options, limiter } = this.#parts;
    const turn = {
      sleep: options.sleep ?? sleep,
      signal: this.#callOptions.signal,
      servedUntil: this.#servedUntil,
    };
    try {
      return await limiter.run(() => this.#attempt(), turn);
    } catch (error) {
      const asked = error instanceof AttemptFailure ? error.retryAfterSeconds : null;
      // This call waits between its attempts; the limiter makes the others wait.
      if (asked !== null && asked <= maxRetryAfterSeconds) {
        this.#servedUntil = Math.max(this.#servedUntil, limiter.pause(asked));
      }
      throw error;
    }
  }

  /** Makes the request again at once, without the refused parameter, until the endpoint has nothing more to refuse. */
  async #attempt(): Promise<Completion> {
    const { exchange, knowledge } = this.#parts;
    for (;;) {
      this.#startedAt ??= performance.now();
      this.#requests += 1;
      const missing = new Set(knowledge.dropped);
      const asked = this.#prepare();
      try {
        const completion = await exchange({
          request: this.#request,
          asked,
          signal: this.#callOptions.signal,
          onProgress: (progress) => this.#progress(progress),
          log: (line) => this.#log(line),
          onPayload: (headers, payload) => knowledge.learn(headers, payload),
        });
        this.#noteLimits(completion, asked);
        return this.#withPrefill(completion, asked);
      } catch (error) {
        if (!(error instanceof RefusedParameter)) throw error;
        throwIfInterrupted(this.#callOptions.signal);
        this.#dropParameter(error, missing);
      }
    }
  }

  /** `missing`: what the refused request was sent without. */
  #dropParameter({ parameter, message }: RefusedParameter, missing: ReadonlySet<string>): void {
    const { dropped } = this.#parts.knowledge;
    if (missing.has(parameter)) {
      const problem = `a refusal of "${parameter}" ("${message}"), which was not sent`;
      throw new AttemptFailure(problem, 'change the model or its settings as the answer says', { retryable: false });
    }
    // Another call of the same model may have learned it meanwhile.
    if (dropped.has(parameter)) return;
    dropped.add(parameter);
    this.#log(`the endpoint refuses "${parameter}" ("${message}"); it is left out from now on`);
  }

  #prepare(): PreparedRequest {
    const { controls, knowledge, replyLimit } = this.#parts;
    const { messages, temperature, seed, purpose = null, constraint: held } = this.#request;
    const prefill = held?.form === 'begun' ? prefillOf(held.shape) : null;
    return {
      messages: prefill === null ? messages : [...messages, { role: 'assistant', content: prefill }],
      temperature,
      seed,
      purpose,
      run: this.#callOptions.run ?? null,
      form: held?.form ?? 'lines',
      shape: held?.shape ?? null,
      prefill: prefill,
      maxTokens: replyLimit.of(held?.shape ?? null),
      controls,
      dropped: knowledge.dropped,
    };
  }

  #withPrefill(completion: Completion, { prefill: begun }: PreparedRequest): Completion {
    if (begun === null) return completion;
    const whole = withPrefill(completion, begun);
    if (whole !== null) return whole;
    this.#parts.knowledge.refuseForm('begun');
    this.#log('the endpoint does not continue a reply that is begun for it; replies are not begun from now on');
    return completion;
  }

  /** A limit that cut a reply is said, and one that was only derived is raised for the next call. */
  #noteLimits({ finish, reasoning, usage }: Completion, { maxTokens }: PreparedRequest): void {
    const { replyLimit } = this.#parts;
    if (reasoning !== null || (usage.reasoningTokens ?? 0) > 0) replyLimit.noteReasoning();
    if (finish === 'repetition') this.#log('the reply repeated itself and was cut');
    if (finish !== 'length' || maxTokens === null) return;
    // A context that is used up cuts replies, too.
    if (usage.completionTokens !== null && usage.completionTokens < minCutShare * maxTokens) return;
    const next = replyLimit.noteCut() ? 'the next reply gets more' : 'raise llm.max_reply_tokens for longer ones';
    this.#log(`the reply was cut at ${usage.completionTokens ?? '?'} tokens, with a limit of ${maxTokens}; ${next}`);
  }
}
