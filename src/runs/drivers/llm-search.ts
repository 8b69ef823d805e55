/**
 * A search run as a function of its configuration and its step log: warm-up, iterations, re-check. It always starts from
 * the beginning. What the log holds is taken from there without a model call or an episode; the rest is done and
 * recorded. So a resumed run takes the very same path as one that was never broken off.
 */
import { nextTurn, throwIfInterrupted } from '../../base/async.ts';
import { R2poError } from '../../base/errors.ts';
import type { Config } from '../../config/schema.ts';
import type { Env } from '../../envs/env.ts';
import { runIteration } from '../../methods/interpreter.ts';
import {
  type Effects,
  type Method,
  noRemarks,
  type PastTrial,
  type ReplayEpisode,
  type Trial,
} from '../../methods/method.ts';
import { type SearchSettings, sensitivityChanges } from '../../methods/settings.ts';
import { warmupParameters } from '../../methods/warmup.ts';
import type { Policy } from '../../policies/policy.ts';
import { type Backend } from '../../rollout/backend.ts';
import { type Episodes, endCauses, type RolloutJob, type Trace } from '../../rollout/job.ts';
import type { EpisodePick } from '../../rollout/statistics.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { paired } from '../../stats/intervals.ts';
import { sensitivity } from '../../evaluation/sensitivity.ts';
import { pickOf, type Summary } from '../../evaluation/summary.ts';
import { type CallState, RunCalls } from '../models/calls.ts';
import { firstDifference } from '../journal/difference.ts';
import type { EventOf } from '../journal/events.ts';
import { recordedStep, type StepLog } from '../journal/steps.ts';
import type { RunModels } from '../models/models.ts';
import { deriveGenerator, deriveSeed } from '../seeds.ts';

export interface Search {
  readonly config: Config;
  readonly settings: SearchSettings;
  readonly env: Env;
  readonly policy: Policy;
  readonly method: Method;
  readonly models: RunModels;
  readonly backend: Backend;
  readonly steps: StepLog;
  /** of the run; no other run of this process has it; left out where nothing is sent */
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
  /** a line for the user that is more than a log line */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** what a model has to say of a call: waits, parameters left out, who answers instead */
  readonly log?: ((text: string) => void) | undefined;
  /** hears how each call gets on, and null when it has ended */
  readonly onCall?: ((call: CallState | null) => void) | undefined;
  /** Throws when a budget is used up; called before each model call. */
  readonly checkBudget: () => void;
  /**
   * Called after each iteration, a recorded one too; `trace` plays the episode that stands for the kept policy, null
   * when nothing was kept.
   */
  readonly onIteration: (event: EventOf<'iteration'>, trace: (() => Promise<Trace>) | null) => Promise<void>;
}

/**
 * Lets signals and the terminal run: the offline model and short evaluations never wait for anything, so that without
 * this Ctrl-C would take effect at the end of the run.
 */
async function yieldToEventLoop(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn();
  throwIfInterrupted(signal);
}

/** What has to be known to play an episode of an evaluation again. */
interface EvaluatedPolicy {
  readonly params: readonly number[];
  readonly episodes: number;
  readonly seed: number;
  readonly summary: Summary;
}

/** Plays candidates one at a time on given seeds, with the settings of the run. */
function player({ backend, env, policy, settings, signal }: Search) {
  const job = (params: readonly number[], episodes: number, seed: number): RolloutJob => ({
    env,
    policy,
    candidates: [Float64Array.from(params)],
    episodes,
    seed,
    maxSteps: settings.maxSteps,
  });
  return {
    play(params: readonly number[], episodes: number, seed: number) {
      throwIfInterrupted(signal);
      return evaluate({
        ...job(params, episodes, seed),
        backend,
        successThreshold: settings.successThreshold,
        keepOutcomes: settings.selection === 'paired',
        ...(signal && { signal }),
      });
    },
    /** One episode, played now for the first time. */
    record(params: readonly number[], seed: number): Promise<Trace> {
      throwIfInterrupted(signal);
      return backend.trace(job(params, 1, seed), 0, 0);
    },
    /** An episode of an evaluation that is only on record. */
    async replay({ params, episodes, seed, summary }: EvaluatedPolicy, pick: EpisodePick): Promise<Trace> {
      throwIfInterrupted(signal);
      const { index, ...picked } = pickOf(summary, pick);
      const trace = await backend.trace(job(params, episodes, seed), 0, index);
      const difference = firstDifference(picked, { seed: trace.seed, return: trace.return, length: trace.length });
      if (!difference) return trace;
      throw new R2poError(
        'trajectory',
        `expected the recorded ${difference.path} ${difference.expected} for episode seed ${picked.seed}, ` +
          `got ${difference.got}; resume on the machine and backend that played it`,
      );
    },
  };
}

async function warmUp(search: Search, trials: PastTrial[]): Promise<void> {
  const { config, settings, policy, steps } = search;
  const { play, record } = player(search);
  for (let index = 0; index < settings.warmupPolicies; index++) {
    const params = warmupParameters(policy, settings, deriveGenerator(config.seed, 'warmupParameters', index));
    const seed = deriveSeed(config.seed, 'warmupEpisode', index);
    const event = await recordedStep(steps, 'warmup', { index, params, seed }, async () => {
      const { ends, first_episode: only } = (await play(params, 1, seed)).summaries[0];
      const end = endCauses.find((cause) => ends[cause] > 0) ?? endCauses[0];
      return { type: 'warmup', index, params, seed, return: only.return, length: only.length, end };
    });
    const { params: played, seed: used } = event;
    trials.push({ kind: 'warmup', params: played, mean: event.return, trace: () => record(played, used) });
  }
}

/** Traces of a candidate: within its iteration played once, and later, when nothing of them is kept, again each time. */
interface CandidateTraces {
  readonly now: ReplayEpisode;
  readonly later: ReplayEpisode;
}

/**
 * Plays episodes of a recorded evaluation again. A function of its own: closures of one scope keep alive what any of them
 * uses, and this one lives as long as the run.
 */
function replayer(search: Search, policy: EvaluatedPolicy): ReplayEpisode {
  return (pick) => player(search).replay(policy, pick);
}

/** The effects of one iteration, and the traces that they can make. */
function iterationEffects(search: Search, calls: RunCalls) {
  const { config, settings, steps, signal } = search;
  const { play } = player(search);
  const traces = new Map<string, CandidateTraces>();
  /** of the candidate that was played last in this iteration; one on record is played again when they are needed */
  let before: (() => Promise<Episodes>) | null = null;

  const effects: Effects = {
    async ask({ messages, forbidden, ...call }) {
      const callNumber = calls.count++;
      let live = false;
      const event = await recordedStep(steps, 'llm_call', call, async () => {
        live = true;
        await yieldToEventLoop(signal);
        search.checkBudget();
        const asked = await calls.ask(call, messages, forbidden, callNumber);
        return { type: 'llm_call', ...call, ...asked };
      });
      const { text, reasoning, finish, usage } = event.reply;
      const reply = { text, reasoning, finish, tokens: usage.completionTokens };
      calls.latest = live ? reply : null;
      return reply;
    },

    notice(text) {
      if (calls.latest !== null) search.onNotice?.(text);
    },

    async refused(call) {
      // Another version may say the same thing in other words.
      const { problem: _words, ...known } = call;
      await recordedStep(steps, 'parse_failed', known, async () => ({ type: 'parse_failed', ...call }));
      // A resumed run begins to count anew.
      if (calls.latest !== null) calls.unusable.add(call.problem, calls.latest);
    },

    async evaluate(call) {
      calls.unusable.reset();
      const seed = deriveSeed(config.seed, 'evaluation', call.iteration);
      const episodes = settings.evaluationEpisodes;
      let again: ReplayEpisode | null = null;
      let outcomes = async (): Promise<Episodes> => (await play(event.params, episodes, seed)).outcomes();
      const { adjustments: _words, ...known } = call;
      const event = await recordedStep(steps, 'evaluated', { ...known, seed }, async () => {
        const result = await play(call.params, episodes, seed);
        again = (pick) => result.trace(0, pick);
        outcomes = result.outcomes;
        const pairedWith = settings.selection === 'paired' ? before : null;
        const test = pairedWith && paired((await pairedWith()).returns, (await outcomes()).returns);
        return { type: 'evaluated', ...call, seed, summary: result.summaries[0], paired: test };
      });
      before = outcomes;
      const later = replayer(search, { params: event.params, episodes, seed, summary: event.summary });
      const played = new Map<EpisodePick, Promise<Trace>>();
      const now: ReplayEpisode = (pick) => {
        const known = played.get(pick) ?? (again ?? later)(pick);
        played.set(pick, known);
        return known;
      };
      traces.set(call.candidate, { now, later });
      return { summary: event.summary, paired: event.paired, trace: now };
    },

    async sensitivity({ iteration, params }) {
      const seed = deriveSeed(config.seed, 'evaluation', iteration);
      return recordedStep(steps, 'sensitivity', { iteration, params, seed }, async () => {
        throwIfInterrupted(signal);
        const { env, policy, backend } = search;
        const episodes = settings.sensitivityEpisodes ?? settings.evaluationEpisodes;
        const job = { env, policy, episodes, seed, maxSteps: settings.maxSteps };
        const measured = await sensitivity(backend, job, params, sensitivityChanges(settings), signal);
        return { type: 'sensitivity', iteration, params, seed, ...measured };
      });
    },
  };
  return { effects, traces };
}

/** Apart, so that it keeps nothing else of the iteration alive. */
function pastTrial(trial: Trial, later: ReplayEpisode, { representative }: Method): PastTrial {
  return { ...trial, trace: () => later(representative) };
}

async function iterate(search: Search, trials: PastTrial[]): Promise<readonly EventOf<'iteration'>[]> {
  const { env, policy, settings, method, steps, signal } = search;
  const done: EventOf<'iteration'>[] = [];
  const calls = new RunCalls(search);
  let remarks = noRemarks;
  for (let iteration = 1; iteration <= settings.iterations; iteration++) {
    throwIfInterrupted(signal);
    const { effects, traces } = iterationEffects(search, calls);
    const context = { env, policy, settings, iteration, trials: [...trials], remarks };
    const { remarks: next, ...outcome } = await runIteration(method, context, effects);
    remarks = next;
    const event = await recordedStep(steps, 'iteration', outcome, async () => ({ type: 'iteration', ...outcome }));
    const played = event.kept === null ? undefined : traces.get(event.kept);
    if (event.trial && played) trials.push(pastTrial(event.trial, played.later, method));
    done.push(event);
    await search.onIteration(event, played ? () => played.now(method.representative) : null);
  }
  return done;
}

/**
 * The kept policy with the highest mean; null when no iteration kept any. Of equal ones the last, which had the longest
 * history to learn from: 20 perfect episodes are soon reached, and say little about which policy is the better one.
 */
function bestKept(iterations: readonly EventOf<'iteration'>[]) {
  const kept = iterations.flatMap(({ iteration, trial }) => (trial ? [{ iteration, ...trial }] : []));
  return kept.reduce<(typeof kept)[number] | null>((a, b) => (a === null || b.mean >= a.mean ? b : a), null);
}

async function recheck(search: Search, iterations: readonly EventOf<'iteration'>[]): Promise<void> {
  const { config, steps } = search;
  const best = bestKept(iterations);
  if (!best) return;
  const { iteration, params } = best;
  const seed = deriveSeed(config.seed, 'recheck', 0);
  await recordedStep(steps, 'rechecked', { iteration, params, seed }, async () => {
    const { summaries } = await player(search).play(params, config.recheck.episodes, seed);
    return { type: 'rechecked', iteration, params, seed, summary: summaries[0] };
  });
}

/** Runs a search to its end, or to what it throws: a model that fails, a budget, an interruption, a broken record. */
export async function runSearch(search: Search): Promise<void> {
  const trials: PastTrial[] = [];
  await warmUp(search, trials);
  const iterations = await iterate(search, trials);
  await recheck(search, iterations);
}
