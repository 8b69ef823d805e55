/** Plays policies for pages on the backend of this machine, one evaluation at a time. */
import { interruption, throwIfInterrupted } from '../../base/async.ts';
import { errorDetail, R2poError, UsageError } from '../../base/errors.ts';
import { isModulePath } from '../../base/module-path.ts';
import { withConstants } from '../../envs/constants.ts';
import { findEnv } from '../../envs/registry.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { summaryStatistics } from '../../evaluation/summary.ts';
import { parsePolicy } from '../../policies/policy-file.ts';
import type { Backend } from '../../rollout/backend.ts';
import { defaultStepCap } from '../../rollout/job.ts';
import { openBackend } from '../../rollout/node/open.ts';
import type { Machine } from '../api/index-of-runs.ts';
import { type EvaluateAnswer, evaluateRequest } from '../api/requests.ts';

/** Evaluations that may wait for the one under way; a page cancels its own when it asks for another. */
const mostWaiting = 8;

/** Too many evaluations wait. */
export class TooBusyError extends R2poError {}

interface OpenedBackend {
  readonly backend: Backend;
  readonly why: string;
}

/** What is wrong with a value, by the first issue of its schema. */
export function requestProblem(
  issues: readonly { readonly path: PropertyKey[]; readonly message: string }[],
): UsageError {
  const [issue] = issues;
  return new UsageError(
    'view',
    `expected another request: "${issue!.path.join('.') || 'the request'}": ${issue!.message}`,
  );
}

export class Evaluator {
  readonly #open: (note: (text: string) => void) => Promise<Backend>;
  #opened: Promise<OpenedBackend> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(open: (note: (text: string) => void) => Promise<Backend> = (note) => openBackend('auto', { note })) {
    this.#open = open;
  }

  /** Opened when it is first needed: Dawn takes a while. */
  #backend(): Promise<OpenedBackend> {
    let why = '';
    this.#opened ??= this.#open((text) => {
      why = text.replace(/^backend: /, '');
    }).then((backend) => ({ backend, why: why === '' ? backend.id : why }));
    return this.#opened;
  }

  /** What is known of the machine; null: nothing was asked of it yet. */
  known: Machine | null = null;

  async machine(): Promise<Machine> {
    try {
      const { backend, why } = await this.#backend();
      this.known = { backend: backend.id, adapter: backend.adapter, why };
    } catch (error) {
      this.known = { backend: 'none', adapter: null, why: errorDetail(error) };
    }
    return this.known;
  }

  /** Throws a usage error for a request that cannot be played, and a `TooBusyError`. `signal`: fires when the page is gone. */
  async evaluate(body: unknown, signal: AbortSignal): Promise<EvaluateAnswer> {
    const parsed = evaluateRequest.safeParse(body);
    if (!parsed.success) throw requestProblem(parsed.error.issues);
    if (this.#waiting >= mostWaiting) {
      throw new TooBusyError(
        'view',
        `expected at most ${mostWaiting} evaluations at a time, got more; wait for one to end`,
      );
    }
    this.#waiting += 1;
    const played = this.#last.then(() => {
      throwIfInterrupted(signal);
      return this.#play(parsed.data, signal);
    });
    this.#last = played.catch(() => {});
    try {
      return await played;
    } catch (error) {
      // A backend says in its own words that it was interrupted.
      if (signal.aborted) throw interruption(signal);
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #play(request: ReturnType<typeof evaluateRequest.parse>, signal: AbortSignal): Promise<EvaluateAnswer> {
    const { playable, params, episodes, seed, constants } = request;
    if (isModulePath(playable.env)) {
      throw new UsageError(
        'view',
        `expected an environment of this package, got the module "${playable.env}", whose code a page does not run; ` +
          'use "r2po eval --env"',
      );
    }
    const known = findEnv(playable.env, playable.envOptions);
    const env = Object.keys(constants).length === 0 ? known : withConstants(known, constants, 'constants');
    const { kind, options = {} } = playable.policy;
    const text = JSON.stringify({ kind, options, params });
    const loaded = parsePolicy({ name: 'the request', text }, env);
    const { backend } = await this.#backend();
    const maxSteps = playable.maxSteps ?? defaultStepCap(env);
    const job = { env, policy: loaded.policy, candidates: [loaded.params], episodes, seed, maxSteps };
    const result = await evaluate({ ...job, backend, signal, keepOutcomes: true });
    const { returns, lengths } = await result.outcomes();
    const summary = result.summary(0);
    return {
      backend: backend.id,
      adapter: backend.adapter,
      seconds: result.played.seconds,
      summary: { ...summaryStatistics(summary), episodes, steps: summary.steps },
      returns: Array.from(returns),
      lengths: Array.from(lengths),
    };
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    if (opened) await opened.then(({ backend }) => backend.close()).catch(() => {});
  }
}
