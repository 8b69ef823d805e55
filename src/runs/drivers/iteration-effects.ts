/** What an iteration of a method does to the world, as steps of a run. */
import { throwIfInterrupted, yieldToEventLoop } from '../../base/async.ts';
import { sensitivity } from '../../evaluation/sensitivity.ts';
import type { BestOfSeveral, CandidateLabel, Effects, PlayedTogether, ReplayEpisode } from '../../methods/method.ts';
import { sensitivityChanges } from '../../methods/settings.ts';
import type { Episodes, Trace } from '../../rollout/job.ts';
import { type EpisodePick, unlessBroken } from '../../rollout/statistics.ts';
import { paired } from '../../stats/intervals.ts';
import type { EventOf } from '../journal/events.ts';
import { recordedStep } from '../journal/steps.ts';
import type { RunCalls } from '../models/calls.ts';
import { deriveSeed } from '../seeds.ts';
import type { LlmRun } from './llm-run.ts';
import { type MethodOptimiser, refine } from './method-optimiser.ts';
import { type EvaluatedPolicy, type Player, playedEpisode } from './player.ts';
import { playTogether } from './population.ts';

/** A candidate that was played in this iteration, and its traces, each played once. */
interface PlayedCandidate {
  readonly policy: EvaluatedPolicy;
  readonly trace: ReplayEpisode;
}

/** Plays episodes of a recorded evaluation again. */
function replayer(player: Player, policy: EvaluatedPolicy): ReplayEpisode {
  return (pick) => player.replay(policy.params, playedEpisode(policy, pick));
}

/** The same episode is played once, however often it is asked for. */
function remembered(play: ReplayEpisode): ReplayEpisode {
  const played = new Map<EpisodePick, Promise<Trace>>();
  return (pick) => {
    const known = played.get(pick) ?? play(pick);
    played.set(pick, known);
    return known;
  };
}

/** The calls of an iteration, `calls` being those of the run. */
function callEffects(run: LlmRun, calls: RunCalls): Pick<Effects, 'ask' | 'sideBySide' | 'notice' | 'refused'> {
  const { steps, signal } = run;
  return {
    async ask(asked) {
      const { messages: _prompt, forbidden: _values, sets: _count, ...call } = asked;
      const answer = calls.next(run, asked);
      let live = false;
      const event = await recordedStep(steps, 'llm_call', call, async () => {
        live = true;
        await yieldToEventLoop(signal);
        run.checkBudget();
        return { type: 'llm_call', ...call, ...(await run.withinTime(answer())) };
      });
      const { text, reasoning, finish, usage } = event.reply;
      const reply = { text, reasoning, finish, tokens: usage.completionTokens };
      calls.latest = live ? reply : null;
      // A reply that could not be used is followed by parse_failed.
      const following = steps.upcoming();
      if (following?.type !== 'evaluated') return reply;
      return { ...reply, read: { params: following.params, adjustments: following.adjustments } };
    },

    sideBySide: (asked) => calls.announce(asked),

    notice(text) {
      if (calls.latest !== null) run.onNotice?.(text);
    },

    async refused(call) {
      // Another version may say the same thing in other words.
      const { problem: _words, ...known } = call;
      await recordedStep(steps, 'parse_failed', known, async () => ({ type: 'parse_failed', ...call }));
      // A resumed run counts from 0.
      const limit = run.units.config.llm.max_unusable_in_a_row;
      if (calls.latest !== null) calls.unusable.add(call.problem, calls.latest, limit);
    },
  };
}

/** The effects of one iteration, and the candidates that they played. */
export function iterationEffects(run: LlmRun, player: Player, calls: RunCalls, optimiser: MethodOptimiser | null) {
  const { steps, signal, units } = run;
  const { config, settings } = units;
  const played = new Map<CandidateLabel, PlayedCandidate>();
  /** of the candidate that was played last in this iteration; a recorded one is played again when they are needed */
  let before: (() => Promise<Episodes>) | null = null;

  /** Plays an evaluated policy again, for prompts and files. */
  const remember = (candidate: CandidateLabel, policy: EvaluatedPolicy, again: ReplayEpisode | null): ReplayEpisode => {
    const trace = remembered(again ?? replayer(player, policy));
    played.set(candidate, { policy, trace });
    return trace;
  };

  /** `members`: those that are played, of which the proposed are the last. `played` null: all broke. */
  const best = async (
    { iteration, candidate, proposed }: PlayedTogether,
    members: readonly Float64Array[],
  ): Promise<{ readonly played: BestOfSeveral | null; readonly event: EventOf<'generation'> }> => {
    const { generation, best: policy } = await playTogether(run, player, { iteration, candidate, members, proposed });
    if (policy === null) return { played: null, event: generation };
    if (proposed.length > 0) calls.unusable.reset();
    const { params, episodes, seed, summary } = policy;
    before = async () => (await player.play(params, episodes, seed)).outcomes();
    const means = proposed.length === 0 ? [] : generation.means.slice(-proposed.length);
    const trace = remember(candidate, policy, null);
    return { played: { params, means, among: members.length, summary, paired: null, trace }, event: generation };
  };

  /** The record has it that the candidate that is to be played could not be. */
  const isRefusedNext = (): boolean => steps.upcoming()?.type === 'parse_failed';

  const effects: Effects = {
    ...callEffects(run, calls),

    async evaluate(call) {
      if (isRefusedNext()) return null;
      const seed = deriveSeed(config.seed, 'evaluation', call.iteration);
      const episodes = settings.evaluationEpisodes;
      let again: ReplayEpisode | null = null;
      let outcomes = async (): Promise<Episodes> => (await player.play(call.params, episodes, seed)).outcomes();
      const { adjustments: _words, ...known } = call;
      const event = await unlessBroken(
        recordedStep(steps, 'evaluated', { ...known, seed }, async () => {
          const result = await player.play(call.params, episodes, seed);
          again = (pick) => result.trace(0, pick);
          outcomes = result.outcomes;
          const pairedWith = settings.selection === 'paired' ? before : null;
          const test = pairedWith && paired((await pairedWith()).returns, (await outcomes()).returns);
          return { type: 'evaluated', ...call, seed, summary: result.summaries[0]!, paired: test };
        }),
      );
      if (event === null) return null;
      calls.unusable.reset();
      before = outcomes;
      const { params, summary } = event;
      const trace = remember(call.candidate, { params, episodes, seed, summary }, again);
      return { summary, paired: event.paired, trace };
    },

    async evaluateTogether(call) {
      const members = call.proposed.map(({ params }) => Float64Array.from(params));
      return (await best(call, members)).played;
    },

    async generation(call) {
      const { played, event } = await best(call, optimiser!.ask(call.proposed));
      optimiser!.tell(event);
      return played;
    },

    async refine({ iteration, params }) {
      const seed = deriveSeed(config.seed, 'refinement', iteration);
      const event = await recordedStep(steps, 'refined', { iteration, seed }, async () => {
        await yieldToEventLoop(signal);
        run.checkBudget();
        return refine(run, iteration, params);
      });
      return event.params;
    },

    async sensitivity({ iteration, params }) {
      const seed = deriveSeed(config.seed, 'evaluation', iteration);
      return recordedStep(steps, 'sensitivity', { iteration, params, seed }, async () => {
        throwIfInterrupted(signal);
        const { env, policy, backend } = units;
        const episodes = settings.sensitivityEpisodes ?? settings.evaluationEpisodes;
        const job = { env, policy, episodes, seed, maxSteps: settings.maxSteps };
        const measured = await sensitivity(backend, job, params, sensitivityChanges(settings), signal);
        return { type: 'sensitivity', iteration, params, seed, ...measured };
      });
    },
  };
  return { effects, played };
}
