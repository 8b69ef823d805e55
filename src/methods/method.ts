/** Types of a method, its prompts' facts, and the effects of an iteration. `runIteration` interprets methods. */
import type { z } from 'zod';
import { R2poError } from '../base/errors.ts';
import type { Env } from '../envs/env.ts';
import type { Sensitivity } from '../evaluation/sensitivity.ts';
import type { Summary } from '../evaluation/summary.ts';
import type { ChatReply, Message } from '../llm/chat.ts';
import type { ForbiddenValue, ReplyForm, ReplyText } from '../llm/reply/shape.ts';
import type { Distribution, Optimiser } from '../optimisers/optimiser.ts';
import type { Policy } from '../policies/policy.ts';
import type { Trace } from '../rollout/job.ts';
import type { EpisodePick } from '../rollout/statistics.ts';
import type { PairedTest } from '../stats/intervals.ts';
import type { SearchSettings } from './settings.ts';

/** Purpose of a call. A repair turn has the purpose of the call it repairs. */
export const purposes = ['search', 'critic'] as const;
export type Purpose = (typeof purposes)[number];

/** Name of a candidate of an iteration, as its method gives it; it goes into records, tables and names of files. */
export type CandidateLabel = string;
export const candidateLabelPattern = /^[a-z][a-z0-9-]{0,39}$/;
/** Names of other columns of `metrics.csv` and of other curves, which a label would stand for as well. */
const takenLabels = ['iteration', 'episodes', 'steps', 'kept', 'mean', 'std', 'median', 'min', 'max', 'best'];

/** One line of the optimisation history that the model reads. */
export interface Trial {
  /** warm-up policies come from one episode each, iterations from the evaluation's episodes */
  readonly kind: 'warmup' | 'iteration';
  readonly params: readonly number[];
  readonly mean: number;
}

/** Replays an episode of an evaluation. */
export type ReplayEpisode = (pick: EpisodePick) => Promise<Trace>;

/** Parameters and the mean return that was measured with them. */
export type Measured = Pick<Trial, 'params' | 'mean'>;

/** A line of the history with its representative episode. */
export interface PastTrial extends Trial {
  /** a warm-up's only episode; for an iteration, the one chosen by `Method.representative` */
  readonly trace: () => Promise<Trace>;
  /** candidates of the iteration by label, in the order in which they were played; left out: a warm-up */
  readonly candidates?: readonly (Measured & { readonly label: CandidateLabel })[];
  /** what the model proposed in the iteration, where several candidates were played together; left out: nothing */
  readonly proposed?: readonly Measured[];
}

/** Parameters that a stage made. */
export interface ProposedParameters {
  readonly params: readonly number[];
  /** descriptions of the parser's changes (rounded, clipped); empty: none */
  readonly adjustments: readonly string[];
}

/** The parts of a reply that decide whether it is an answer. */
export type AskedReply = Pick<ChatReply, 'text' | 'reasoning' | 'finish'> & {
  /** completion tokens, reasoning included */
  readonly tokens: number;
  /** the parameters that were read from it and played next, where a record shows them */
  readonly read?: ProposedParameters;
};

/**
 * Everything the interpreter does to the world. The experiment implements it with a journal: on resume each call
 * answers from the record until the record ends, so `prompt` and `trace` are thunks that a recorded call never runs.
 */
export interface Effects {
  /** One model call, recorded before it returns. `attempt`: 0 for the call itself, 1... for repair turns. */
  ask(call: {
    readonly iteration: number;
    readonly purpose: Purpose;
    readonly attempt: number;
    /** the prompt, worded for a form that the answering model supports */
    readonly messages: (form: ReplyForm) => Promise<readonly Message[]>;
    /** what a reply must not repeat, where the form can keep to that */
    readonly forbidden: readonly ForbiddenValue[];
    /** parameter sets that it is asked for */
    readonly sets: number;
  }): Promise<AskedReply>;
  /**
   * Announces calls whose prompts do not depend on each other's replies, in their order: the next calls of `ask` with attempt 0.
   * They may be made at the same time.
   */
  sideBySide(calls: readonly AskedCall[]): void;
  /** Records an unusable reply, or one whose parameters cannot be played, with the reason. */
  refused(call: {
    readonly iteration: number;
    readonly purpose: Purpose;
    readonly attempt: number;
    readonly problem: string;
  }): Promise<void>;
  /** Notifies the user about the last call; ignored for a recorded call. */
  notice(text: string): void;
  /**
   * Plays a candidate on the seeds of this iteration (the same for both candidates). Null: a return is infinite or NaN, and
   * the candidate is then `refused`.
   */
  evaluate(call: {
    readonly iteration: number;
    readonly candidate: CandidateLabel;
    readonly params: readonly number[];
    /** descriptions of the parser's changes (rounded, clipped); empty: none */
    readonly adjustments: readonly string[];
  }): Promise<Evaluation | null>;
  /** The same with several candidates in one call, the best of which is `candidate`. Null: each of them is to be `refused`. */
  evaluateTogether(call: PlayedTogether): Promise<BestOfSeveral | null>;
  /** The same with the next population of the method's optimiser, of which the proposed candidates take the last places. */
  generation(call: PlayedTogether): Promise<BestOfSeveral | null>;
  /** Refines a candidate by the method's optimiser, on other seeds than those of `evaluate`. */
  refine(call: { readonly iteration: number; readonly params: readonly number[] }): Promise<readonly number[]>;
  /** Plays the proposal with each parameter changed in turn, on the seeds of this iteration. */
  sensitivity(call: { readonly iteration: number; readonly params: readonly number[] }): Promise<Sensitivity>;
}

export type AskedCall = Parameters<Effects['ask']>[0];

export interface PlayedTogether {
  readonly iteration: number;
  readonly candidate: CandidateLabel;
  /** different ones */
  readonly proposed: readonly ProposedParameters[];
}

export interface BestOfSeveral extends Evaluation {
  readonly params: readonly number[];
  /** means of the proposed candidates, in their order; NaN: its episodes broke */
  readonly means: readonly number[];
  /** candidates that were played together */
  readonly among: number;
}

/** A candidate that was played. */
export interface Evaluation {
  readonly summary: Summary;
  /** paired test against the previous candidate of this iteration, if `settings.selection` asks for it */
  readonly paired: PairedTest | null;
  readonly trace: ReplayEpisode;
}

/** Feedback for the model about its replies in the previous iteration, one sentence; null: none. */
export type Remarks = Readonly<Record<Purpose, string | null>>;

/** For a first iteration, and after one without problems. */
export const noRemarks: Remarks = { search: null, critic: null };

/**
 * All facts that prompts may state. `trials` is the history so far, oldest first; it only grows, and not before the end of
 * the iteration. In the prompt of a second search it includes the first proposal once played.
 */
export interface IterationContext {
  readonly env: Env;
  readonly policy: Policy;
  readonly settings: SearchSettings;
  /** 1 ... settings.iterations, as the prompts state it */
  readonly iteration: number;
  readonly trials: readonly PastTrial[];
  /** feedback on the previous iteration, which also makes this iteration's prompts differ from its prompts */
  readonly remarks: Remarks;
  /** the method's optimiser before its next population; left out: the method has none, or none that lasts */
  readonly optimiser?: OptimiserView;
}

/** What an iteration may know of an optimiser. */
export interface OptimiserView {
  /** members of the next population */
  readonly population: number;
  /** of them, those that the model proposes */
  readonly places: number;
  /** null: no normal distribution */
  readonly distribution: () => Distribution | null;
}

export interface PromptContext extends IterationContext {
  /** 1 for the first call of its purpose in this iteration, 2 for a second search */
  readonly callNumber: number;
  /** parameter sets that the reply shall hold */
  readonly sets: number;
  /** calls that ask for a proposal each at the same time, this one included; 1: no others */
  readonly sideBySide: number;
  /** the requested text of the reply; known when the call is made */
  readonly replyText: ReplyText;
}

/** Further facts for a critic call. */
export interface CriticContext extends PromptContext {
  readonly proposal: readonly number[];
  /** the proposals of this iteration that were played beside it and are not kept */
  readonly others: readonly Measured[];
  readonly summary: Summary;
  /** null: not requested */
  readonly sensitivity: Sensitivity | null;
  readonly trace: ReplayEpisode;
}

/**
 * The text of a call in the order in which caches can use it. Endpoints cache prompt prefixes, so constant text comes
 * first, then text that only grows at its end, and last the text that is new in each call.
 */
export interface PromptParts {
  /** the same in all calls of one purpose of a run */
  readonly constant: string;
  /** groups of lines: starts with all lines of the previous call, in the same groups except the last */
  readonly history: readonly string[];
  readonly fresh: string;
}

/** Builds the text of a call; replays episodes if it needs them. */
export type Prompt<C> = (context: C) => PromptParts | Promise<PromptParts>;

/**
 * One step of an iteration. `search` and `critic` each produce a candidate, `evaluate` plays the oldest unplayed
 * candidate; of several proposals of one search it plays all and takes the best. A critic reviews the candidate played
 * last. With an optimiser, `generation` plays its next population together with what was proposed and takes the best, and
 * `refine` produces a candidate from the one played last.
 */
export const stages = ['search', 'critic', 'evaluate', 'generation', 'refine'] as const;
/** One of `stages`. */
export type Stage = (typeof stages)[number];

/** Stages that play a candidate. */
const playingStages: readonly Stage[] = ['evaluate', 'generation'];

/**
 * What a prompt shows only where its method shows it: the description of the environment, statistics of the proposal, the
 * conservative threshold, whole episodes (of each trial, where the policy is a table), and excerpts of past episodes.
 */
export const promptContents = [
  'environment',
  'statistics',
  'threshold',
  'episodes',
  'episodes of tables',
  'excerpts',
] as const;
/** One of `promptContents`. */
export type PromptContent = (typeof promptContents)[number];

/** What every method states, whatever proposes its candidates. */
export interface MethodFacts {
  readonly id: string;
  /** what it does, in a few words */
  readonly title: string;
  /** how it differs from the others, in one sentence */
  readonly about: string;
  /** a label for each candidate that an iteration records, in the order in which it plays them */
  readonly candidates: readonly CandidateLabel[];
  /** `best`: the highest mean, a tie to the later candidate; else the label of the candidate that is always kept */
  readonly keep: 'best' | CandidateLabel;
  /** the episode that represents a kept candidate in later prompts and in the run's trajectories */
  readonly representative: EpisodePick;
}

/** The optimiser of a method that also asks models. */
export interface MethodOptimiser {
  readonly unit: Optimiser;
  /** settings of how it is used, beside its own, by their keys in the section `optimiser` */
  readonly settings: Readonly<Record<string, z.ZodType>>;
  /** its own settings that this use leaves without effect */
  readonly unused: readonly string[];
}

/** A method of language models is this record and nothing else; `runIteration` interprets it. Made by `defineMethod`. */
export interface Method extends MethodFacts {
  /** names the driver of its runs */
  readonly kind: 'llm-search';
  /** what proposes or refines candidates beside the model; left out: nothing */
  readonly optimiser?: MethodOptimiser;
  readonly stages: readonly Stage[];
  readonly prompts: {
    readonly search: Prompt<PromptContext> | null;
    readonly critic: Prompt<CriticContext> | null;
  };
  /** what its prompts show, so that a setting of anything else is refused */
  readonly shows: readonly PromptContent[];
}

/** What is wrong with the order of stages, in the words of `methodProblem`; null: nothing. */
function orderProblem(stages: readonly Stage[]): string | null {
  let made = 0;
  let played = 0;
  for (const stage of stages) {
    if (stage === 'evaluate' && made === 0) {
      return 'expected a search, critic or refine stage for each evaluate stage, before it, got none; add one';
    }
    if ((stage === 'critic' || stage === 'refine') && played === 0) {
      return `expected a stage that plays a candidate before its ${stage} stage, got none; add one`;
    }
    if (playingStages.includes(stage)) {
      played += 1;
      made = Math.max(0, made - 1);
    } else made += 1;
  }
  // A generation takes what was proposed before it.
  if (made === 0 || stages.includes('generation')) return null;
  return `expected an evaluate stage for each candidate, got none for ${made === 1 ? 'one' : made} of them; add one, or remove a stage`;
}

/** Settings that the stages of a method read in its section `optimiser`. */
function settingsReadBy(stages: readonly Stage[]): string[] {
  const has = (stage: Stage) => stages.includes(stage);
  return [
    ...(has('search') && has('generation') ? ['share'] : []),
    ...(has('refine') ? ['episodes', 'candidate_episodes'] : []),
  ];
}

/** What is wrong with the optimiser of a method, in the words of `methodProblem`; null: nothing. */
function optimiserProblem({ unit, settings }: MethodOptimiser, stages: readonly Stage[]): string | null {
  const missing = settingsReadBy(stages).filter((key) => !Object.hasOwn(settings, key));
  if (missing.length > 0) {
    const names = missing.map((key) => `"${key}"`).join(' and ');
    return `expected ${names} under "optimiser.settings" for its stages ${stages.join(', ')}, got none; add what centaur or tuned has there`;
  }
  if (unit.takesOutside || !stages.includes('generation') || stages.every((stage) => stage === 'generation'))
    return null;
  return `expected an optimiser whose generations take candidates of others, got ${unit.id}; use another, such as cma-es`;
}

/** What is wrong with a method, as `expected X, got Y; do Z`; null: nothing. */
function methodProblem({ stages, candidates, keep, prompts, optimiser }: Omit<Method, 'kind'>): string | null {
  const played = stages.filter((stage) => playingStages.includes(stage)).length;
  const quoted = candidates.map((label) => `"${label}"`).join(', ');
  if (played !== candidates.length) {
    return `expected a label under "candidates" for each of its ${played} stages that play, got ${candidates.length}; name each candidate`;
  }
  if (new Set(candidates).size !== played || !candidates.every((label) => candidateLabelPattern.test(label))) {
    return `expected different plain names such as "proposal" under "candidates", got ${quoted}; rename them`;
  }
  const taken = candidates.find((label) => takenLabels.includes(label));
  if (taken !== undefined) {
    return `expected a name under "candidates" that no column of metrics.csv and no curve has, got "${taken}"; rename it`;
  }
  if (keep !== 'best' && !candidates.includes(keep)) {
    return `expected "best" or one of ${quoted} under "keep", got "${keep}"; name a candidate`;
  }
  if (!optimiser && (stages.includes('generation') || stages.includes('refine'))) {
    return 'expected an optimiser for its generation or refine stage, got none; add one';
  }
  const unusable = orderProblem(stages) ?? (optimiser ? optimiserProblem(optimiser, stages) : null);
  if (unusable !== null) return unusable;
  const unprompted = purposes.find((purpose) => stages.includes(purpose) && prompts[purpose] === null);
  return unprompted ? `expected a ${unprompted} prompt for its ${unprompted} stage, got none; add one` : null;
}

/** A method, checked. Throws where its stages, candidates and prompts contradict one another. */
export function defineMethod(method: Omit<Method, 'kind'>): Method {
  const problem = methodProblem(method);
  if (problem !== null) throw new R2poError(`method ${method.id}`, problem);
  return { kind: 'llm-search', ...method };
}

/** What an iteration decided. Null candidates: their replies stayed unusable after all repair turns. */
export interface IterationOutcome {
  readonly iteration: number;
  readonly kept: CandidateLabel | null;
  /** one sentence: why this one was kept */
  readonly why: string;
  readonly candidates: readonly {
    readonly label: CandidateLabel;
    readonly params: readonly number[];
    readonly mean: number;
  }[];
  /** the trial added to the history; null: nothing usable was produced */
  readonly trial: Trial | null;
}

/** An iteration's outcome, with feedback for the next iteration's prompts. */
export type PlayedIteration = IterationOutcome & {
  readonly remarks: Remarks;
  /** what the model proposed where several candidates were played together; left out: nothing */
  readonly proposed?: readonly Measured[];
};
