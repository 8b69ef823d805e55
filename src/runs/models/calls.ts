/** Makes the model calls of a run, and keeps their state over its iterations. */
import { setMaxListeners } from 'node:events';
import { InterruptedError } from '../../base/errors.ts';
import { purposeSettings } from '../../config/purpose.ts';
import type { CallProgress, FailedRequest } from '../../llm/chat.ts';
import type { AskedCall, AskedReply, Purpose } from '../../methods/method.ts';
import { replyShape } from '../../methods/reply-shape.ts';
import type { LlmRun } from '../drivers/llm-run.ts';
import { deriveSeed } from '../seeds.ts';
import { BudgetError } from '../session/budget.ts';
import { type Asked, askModel } from './ask-model.ts';
import { UnusableReplies } from './unusable.ts';

/** The current call. */
export interface CallState {
  readonly iteration: number;
  readonly purpose: Purpose;
  /** name of the model that is asked now */
  readonly model: string;
  readonly progress: CallProgress;
}

/** Seeds of requests are kept in 31 bits by many endpoints. */
const requestSeedLimit = 2 ** 31;

/** One call: to be made when it is taken, or under way. */
interface PendingCall {
  readonly call: AskedCall;
  /** counts the calls of the run from 0 */
  readonly number: number;
  answer: Promise<Asked> | null;
}

/** What these requests used, as a part of an event; nothing where no endpoint reported any. */
export function failedUsage(failed: Iterable<FailedRequest>): Pick<Asked, 'failed_usage'> {
  const used = [...failed].flatMap(({ model, usage }) => (usage === null ? [] : [{ model, usage }]));
  return used.length === 0 ? {} : { failed_usage: used };
}

export class RunCalls {
  /** calls so far, those in the journal included */
  count = 0;
  /** reply of the latest call; null: it was read from the journal */
  latest: AskedReply | null = null;
  readonly unusable = new UnusableReplies();
  /** announced and not taken yet */
  #announced: PendingCall[] = [];
  /** ends the calls that are under way when the run ends */
  readonly #abandoned = new AbortController();
  /** fires with that, and when the run is to stop */
  #signal: AbortSignal | null = null;
  /** notices that the user has seen */
  readonly #shown = new Set<string>();

  /**
   * Calls that may be made at the same time. Their numbers are theirs from now on: they do not depend on how many repair turns
   * come between them.
   */
  announce(calls: readonly AskedCall[]): void {
    this.#announced = calls.map((call) => ({ call, number: this.count++, answer: null }));
  }

  /** The next call, as a function that makes it; an announced one may be under way. */
  next(run: LlmRun, call: AskedCall): () => Promise<Asked> {
    const announced = call.attempt === 0 ? this.#announced.shift() : undefined;
    const pending = announced ?? { call, number: this.count++, answer: null };
    return () => {
      if (announced !== undefined) this.#startAnnounced(run);
      return pending.answer ?? this.#ask(run, pending);
    };
  }

  /** Starts announced calls, as far as the budget goes. Records and the offline model answer one call after the other. */
  #startAnnounced(run: LlmRun): void {
    for (const [i, pending] of this.#announced.entries()) {
      if (run.units.models[pending.call.purpose].first.kind !== 'model') return;
      if (pending.answer !== null) continue;
      try {
        // The call that is made now counts, too.
        run.checkBudget(i + 1);
      } catch (error) {
        // It will stop the run when it is this call's turn.
        if (error instanceof BudgetError) return;
        throw error;
      }
      pending.answer = this.#ask(run, pending);
      // It is awaited when it is this call's turn, which may never come.
      pending.answer.catch(() => {});
    }
  }

  #signalOf({ signal }: LlmRun): AbortSignal {
    if (this.#signal === null) {
      const own = this.#abandoned.signal;
      this.#signal = signal ? AbortSignal.any([signal, own]) : own;
      // All requests of the run listen to it: many listeners are no leak.
      setMaxListeners(0, this.#signal);
    }
    return this.#signal;
  }

  /** Ends the calls that are under way; to be called when the run ends, however it does. */
  abandon(): void {
    this.#abandoned.abort(new InterruptedError('run', 'the run has ended'));
  }

  /** Makes a call and reports its progress. */
  async #ask(run: LlmRun, { call, number }: PendingCall): Promise<Asked> {
    const { iteration, purpose, messages, forbidden, sets } = call;
    const { units, folder, log, onNotice, onCall } = run;
    const { config, settings: search, models, policy } = units;
    const modelSeed = config.llm.seed;
    const seed = modelSeed === null ? null : deriveSeed(modelSeed, 'model', number) % requestSeedLimit;
    const settings = purposeSettings(config, purpose);
    const shape = { ...replyShape(policy, search), forbidden, ...(sets > 1 && { sets }) };
    const question = { purpose, messages, shape, settings, seed };
    let model = models[purpose].first.id;
    const failed: FailedRequest[] = [];
    try {
      const asked = await askModel(models[purpose], question, {
        signal: this.#signalOf(run),
        run: folder,
        log,
        notice: onNotice,
        shown: this.#shown,
        onModel: ({ id }) => {
          model = id;
        },
        onProgress: onCall && ((progress) => onCall({ iteration, purpose, model, progress })),
        onFailure: (request) => {
          failed.push(request);
          run.failed?.add(request);
        },
      });
      for (const request of failed) run.failed?.delete(request);
      // The model that answered knows neither those to the models before it nor those in another form of reply.
      const requests = failed.length === 0 ? asked.reply.requests : Math.max(asked.reply.requests, failed.length + 1);
      return { ...asked, reply: { ...asked.reply, requests }, ...failedUsage(failed) };
    } finally {
      onCall?.(null);
    }
  }
}
