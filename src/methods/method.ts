/** What a method is, what its prompts may state, and what an iteration does to the world. `runIteration` interprets it. */
import type { Env } from '../envs/env.ts';
import type { Message } from '../llm/chat.ts';
import type { Policy } from '../policies/policy.ts';
import type { Trace } from '../rollout/backend.ts';
import type { Summary } from '../stats/summary.ts';
import type { SearchSettings } from './settings.ts';

/** What a call is for. A repair turn keeps the purpose of the call it repairs. */
export type Purpose = 'search' | 'critic';
export type CandidateLabel = 'proposal' | 'revision';

/** One line of the optimisation history that the model reads. */
export interface Trial {
  /** warm-up policies come from one episode each, iterations from the evaluation's episodes */
  readonly kind: 'warmup' | 'iteration';
  readonly params: readonly number[];
  readonly mean: number;
}

/**
 * Everything the interpreter does to the world. The experiment implements it with a journal: on resume each call
 * answers from the record until the record ends, so `prompt` and `trace` are thunks that a recorded call never runs.
 */
export interface Effects {
  /** One model call, on the record before it returns. `attempt` 0 is the call itself, 1... are repair turns. */
  ask(call: {
    readonly iteration: number;
    readonly purpose: Purpose;
    readonly attempt: number;
    readonly messages: () => Promise<readonly Message[]>;
  }): Promise<{ readonly text: string }>;
  /** A reply that could not be used, on the record with its reason. */
  refused(call: {
    readonly iteration: number;
    readonly purpose: Purpose;
    readonly attempt: number;
    readonly problem: string;
  }): Promise<void>;
  /** Plays a candidate on the seeds of this iteration (the same for both candidates). */
  evaluate(call: {
    readonly iteration: number;
    readonly candidate: CandidateLabel;
    readonly params: readonly number[];
    /** what the parser changed (rounded, clipped), in words; empty when nothing */
    readonly adjustments: readonly string[];
  }): Promise<{ readonly summary: Summary; readonly medianTrace: () => Promise<Trace> }>;
}

/** Everything that the prompts of a run may state; `trials` is the history so far, oldest first. */
export interface PromptContext {
  readonly env: Env;
  readonly policy: Policy;
  readonly settings: SearchSettings;
  /** 1 ... settings.iterations, as the prompts state it */
  readonly iteration: number;
  readonly trials: readonly Trial[];
}

/** What a critic call sees beside that. */
export interface CriticContext extends PromptContext {
  readonly proposal: readonly number[];
  readonly summary: Summary;
  readonly medianTrace: Trace;
}

/**
 * One step of an iteration. `search` and `critic` each produce a candidate, `evaluate` plays the newest one.
 */
export type Stage = 'search' | 'critic' | 'evaluate';

/** A method is this record and nothing else; `runIteration` interprets it. */
export interface Method {
  readonly id: string;
  readonly title: string;
  readonly stages: readonly Stage[];
  readonly prompts: {
    readonly search: ((context: PromptContext) => string) | null;
    readonly critic: ((context: CriticContext) => string) | null;
  };
  /** `best`: the higher mean, a tie to the later candidate */
  readonly keep: 'best' | 'revision' | 'proposal';
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
  /** what enters the history; null when the iteration produced nothing usable */
  readonly trial: Trial | null;
}
