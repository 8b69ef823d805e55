/** A rollout job and its results, as plain records. */
import { UsageError } from '../base/errors.ts';
import type { Env } from '../envs/env.ts';
import type { Policy } from '../policies/policy.ts';

/** Why an episode stopped; the position is the code in `Episodes.ends`. */
export const endCauses = ['terminated', 'truncated', 'capped'] as const;
/** one of `endCauses` */
export type EndCause = (typeof endCauses)[number];

/** P candidates times E episodes of one environment and policy. */
export interface RolloutJob {
  /** environment that is played */
  readonly env: Env;
  /** policy that the candidates are parameters of */
  readonly policy: Policy;
  /** P parameter vectors, each `[paramCount]` */
  readonly candidates: readonly Float64Array[];
  /** E: every candidate plays the episode seeds `seed ... seed + E - 1` */
  readonly episodes: number;
  /** one for all candidates, so that they can be compared pair by pair; or one for each `[P]` */
  readonly seed: number | readonly number[];
  /** our own step cap (`capped`), on top of the environment's limit (`truncated`); null for none */
  readonly maxSteps: number | null;
}

/** What a call took. */
export interface Played {
  /** environment steps really played */
  readonly steps: number;
  /** wall time of the call, s */
  readonly seconds: number;
  /** time that the GPU spent in its dispatches, s; null when not asked for or not measurable */
  readonly gpuSeconds: number | null;
  /** the part of `seconds` spent on compiling; near 0 when the program was compiled before, null without a program */
  readonly compileSeconds: number | null;
}

/** Raw outcomes, candidate-major: entry `candidate * episodes + episode`. */
export interface Episodes extends Played {
  /** sum of the rewards of each episode `[P * E]` */
  readonly returns: Float64Array;
  /** steps of each episode `[P * E]` */
  readonly lengths: Uint32Array;
  /** indices into `endCauses` */
  readonly ends: Uint8Array;
}

/** One step of a recorded episode. */
export interface TraceStep {
  /** before the step */
  readonly state: readonly number[];
  /** what the policy saw */
  readonly obs: readonly number[];
  /** after argmax or clip */
  readonly action: readonly number[];
  /** reward of the step */
  readonly reward: number;
}

/** One whole episode. */
export interface Trace {
  /** id of the environment */
  readonly env: string;
  /** episode seed */
  readonly seed: number;
  /** sum of the rewards */
  readonly return: number;
  /** number of steps */
  readonly length: number;
  /** what ended it */
  readonly end: EndCause;
  /** its steps, in order */
  readonly steps: readonly TraceStep[];
  /** state after the last step */
  readonly finalState: readonly number[];
}

/** A state and an action, in the units of the environment, to step from. */
export interface ProbeInput {
  readonly state: readonly number[];
  readonly action: readonly number[];
  /** the random numbers that the step draws, in their order; needed where a step draws any */
  readonly draws?: readonly number[];
}

/** After one step from the given state. */
export interface ProbeOutput {
  readonly state: readonly number[];
  readonly obs: readonly number[];
  readonly reward: number;
  readonly terminated: boolean;
}

/** The default step cap: 1000 where the environment has no limit of its own. */
export function defaultStepCap(env: Env): number | null {
  return env.timeLimit === null ? 1000 : null;
}

/**
 * Steps after which an episode is stopped, and whose limit that is: the environment's own or our cap.
 * Throws a usage error when there is neither.
 */
export function stepLimit(job: RolloutJob): { readonly steps: number; readonly cause: EndCause } {
  const own = job.env.timeLimit ?? Infinity;
  const cap = job.maxSteps ?? Infinity;
  if (own === Infinity && cap === Infinity) {
    throw new UsageError('evaluate', `${job.env.id} has no step limit of its own; set max-steps`);
  }
  return own <= cap ? { steps: own, cause: 'truncated' } : { steps: cap, cause: 'capped' };
}

/** The episode seed of the first episode of a candidate. */
export function firstSeed({ seed }: Pick<RolloutJob, 'seed'>, candidate: number): number {
  return typeof seed === 'number' ? seed : seed[candidate]!;
}

/** The same job for the candidates `from ... to - 1`. */
export function partOfJob(job: RolloutJob, from: number, to: number): RolloutJob {
  const seed = typeof job.seed === 'number' ? job.seed : job.seed.slice(from, to);
  return { ...job, candidates: job.candidates.slice(from, to), seed };
}
