/** One call of a model at an endpoint: its attempts, the waits between them, and its messages to the user. */
import { performance } from 'node:perf_hooks';
import { sleep, throwIfInterrupted } from '../../base/async.ts';
import { maskSecrets } from '../../base/secrets.ts';
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

/** Attempts at an address that has never answered: a starting server gets some seconds. */
const firstContactAttempts = 3;
/** Attempts that end in a refusal, a filter or a tool call; each is billed. */
const verdictAttempts = 2;
/** A cut reply below this share of its limit was cut by something else. */
const minCutShare = 0.9;

/** Parts that all calls of a model share. */
export interface EndpointParts {
  readonly options: EndpointOptions;
  readonly controls: Controls;
  readonly knowledge: EndpointKnowledge;
  readonly limiter: Limiter;
  readonly replyLimit: ReplyLimit;
  readonly exchange: Exchange;
}

export class EndpointCall {
  readonly #parts: EndpointParts;
  readonly #request: ChatRequest;
  readonly #callOptions: CallOptions;
  #startedAt: number | null = null;
  #requests = 0;
  /** end of the wait that the endpoint asked this call for, on the limiter's clock */
  #servedUntil = -Infinity;

  constructor(parts: EndpointParts, request: ChatRequest, callOptions: CallOptions) {
    this.#parts = parts;
    this.#request = request;
    this.#callOptions = callOptions;
  }

  /** Rejects with `GaveUp`, `ReplyFormRefused` or the user's `InterruptedError`. */
  async reply(): Promise<ChatReply> {
    const { options, knowledge } = this.#parts;
    this.#progress({ state: 'queued' });
    const completion = await withRetries(() => this.#attemptInTurn(), {
      attemptsFor: (failure) => this.#attemptsFor(failure),
      sleep: options.sleep ?? sleep,
      random: options.random ?? Math.random,
      signal: this.#callOptions.signal,
      onRetry: ({ problem }, seconds, next, maxAttempts) => {
        this.#progress({ state: 'waiting', seconds, why: maskSecrets(problem) });
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
    const { options } = this.#parts;
    (this.#callOptions.log ?? options.log)?.(`${options.id}: ${maskSecrets(line)}`);
  }

  #progress(now: CallProgress): void {
    this.#callOptions.onProgress?.(now);
  }

  /**
   * An endpoint that has never answered gets few attempts: the user probably has to start it. A model that refuses gets the
   * same request once more, and none at temperature 0.
   */
  #attemptsFor({ isUnreachable, isVerdict }: AttemptFailure): number {
    const { options, limiter } = this.#parts;
    if (isVerdict) return Math.min(this.#request.temperature === 0 ? 1 : verdictAttempts, options.maxAttempts);
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
      // This call waits between its attempts; the limiter delays the others.
      if (asked !== null && asked <= maxRetryAfterSeconds) {
        this.#servedUntil = Math.max(this.#servedUntil, limiter.pause(asked));
      }
      throw error;
    }
  }

  /** Repeats the request immediately without each refused parameter, until nothing is refused. */
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
        const isRefusal = error instanceof RefusedParameter;
        if (isRefusal || error instanceof AttemptFailure) {
          const usage = isRefusal ? null : error.usage;
          this.#callOptions.onFailure?.({ model: this.#parts.options.id, usage });
        }
        if (!isRefusal) throw error;
        throwIfInterrupted(this.#callOptions.signal);
        this.#dropParameter(error, missing);
      }
    }
  }

  /** `missing`: parameters that the refused request did not contain. */
  #dropParameter({ parameter, message }: RefusedParameter, missing: ReadonlySet<string>): void {
    const { dropped } = this.#parts.knowledge;
    if (missing.has(parameter)) {
      const problem = `a refusal of "${parameter}" ("${message}"), which was not sent`;
      throw new AttemptFailure(problem, 'change the model or its settings as the error says', { retryable: false });
    }
    // Another call of the same model may have learned this meanwhile.
    if (dropped.has(parameter)) return;
    dropped.add(parameter);
    this.#log(`the endpoint refuses "${parameter}" ("${message}"); omitting it from now on`);
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
    this.#log('the endpoint does not continue prefilled replies; sending no prefill from now on');
    return completion;
  }

  /** Reports a reply cut by its limit, and raises a derived limit for the next call. */
  #noteLimits({ finish, reasoning, usage }: Completion, { maxTokens }: PreparedRequest): void {
    const { replyLimit } = this.#parts;
    if (reasoning !== null || (usage.reasoningTokens ?? 0) > 0) replyLimit.noteReasoning();
    if (finish === 'repetition') this.#log('the reply repeated itself and was cut');
    if (finish !== 'length' || maxTokens === null) return;
    // An exhausted context also cuts replies.
    if (usage.completionTokens !== null && usage.completionTokens < minCutShare * maxTokens) return;
    const next = replyLimit.noteCut() ? 'the next reply gets more' : 'raise llm.max_reply_tokens for longer ones';
    this.#log(`the reply was cut at ${usage.completionTokens ?? '?'} tokens, with a limit of ${maxTokens}; ${next}`);
  }
}
