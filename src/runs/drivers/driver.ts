/** What a driver of runs is: the kind of a method names the one that searches with it. */

import type { FailedRequest } from '../../llm/chat.ts';
import type { Purpose } from '../../methods/method.ts';
import type { Backend } from '../../rollout/backend.ts';
import type { Trace } from '../../rollout/job.ts';
import type { EventOf } from '../journal/events.ts';
import type { StepLog } from '../journal/steps.ts';
import type { CallState } from '../models/calls.ts';
import type { ModelNames, OpenOne, RunModels } from '../models/models.ts';
import type { OpenUnits, RunUnits } from '../resolve-units.ts';
import type { SearchLength } from '../session/search-length.ts';

/** Where a run reports what happens beside its steps. */
export interface RunListeners {
  /** a line for the user that is more than a log line, such as a torn line that was dropped */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** a line of a model: waits, parameters left out, who answers instead */
  readonly log?: ((text: string) => void) | undefined;
  /** progress of each model call; null when it has ended */
  readonly onCall?: ((call: CallState | null) => void) | undefined;
}

/** The first iterations of a branch, which another run made. */
export interface SharedPart {
  /** the last of these iterations */
  readonly until: number;
  /** as those of the run, with the configuration of the other one */
  readonly units: RunUnits;
}

/** A run as its driver sees it. */
export interface DriverRun extends RunListeners {
  readonly units: OpenUnits;
  /** in order; none for a run that is no branch */
  readonly shared?: readonly SharedPart[];
  readonly steps: StepLog;
  /** the warm-ups of the record that is repeated: those of an earlier search may have lost their files; left out: of none */
  readonly recordedWarmups?: readonly EventOf<'warmup'>[];
  /** to be asked before each iteration; left out: the search is as long as configured */
  readonly length?: SearchLength;
  /** of the run; no other run of this process has it; left out where nothing is sent */
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
  /** requests of calls that have no reply yet; they are recorded when the run stops */
  readonly failed?: Set<FailedRequest>;
  /**
   * Throws when a budget is used up; to be called before each step that costs something. `pending`: calls that are being
   * made and not recorded yet.
   */
  readonly checkBudget: (pending?: number) => void;
  /**
   * What `waiting` resolves with, or a rejection when the budget of time is used up first; for steps that others may keep
   * waiting.
   */
  readonly withinTime: <T>(waiting: Promise<T>) => Promise<T>;
  /**
   * To be called after each iteration, a recorded one too; `trace` plays the episode that represents the kept policy, null
   * when nothing was kept.
   */
  readonly onIteration: (event: EventOf<'iteration'>, trace: (() => Promise<Trace>) | null) => Promise<void>;
}

/** How to count tokens, by purpose; left out: by `estimateTokens`. */
export type TokenCounts = Partial<Readonly<Record<Purpose, (text: string) => number>>>;

/** What a run will take. */
export interface CostEstimate {
  /** without repair turns */
  readonly calls: number;
  /** warm-up and evaluations, without the re-check */
  readonly episodes: number;
  readonly recheck_episodes: number;
  readonly prompt_tokens: number;
  /** of replies in the asked-for form; a reasoning model writes many more */
  readonly completion_tokens: number;
  /** of the longest call of each purpose, with the longest episodes: prompt and reply, tokens; null: the method has none */
  readonly longest_call_tokens: Readonly<Record<Purpose, number | null>>;
  /** without what caches save; null: a model has no price */
  readonly cost_usd: number | null;
  /** of the search model's price */
  readonly price_date: string | null;
  readonly price_source: string | null;
}

/**
 * The units that an iteration is made with: those of the run, or of the one that a branch shares it with. Iteration 0 is what
 * comes before the first.
 */
export function unitsAt({ units, shared = [] }: Pick<DriverRun, 'units' | 'shared'>, iteration: number): OpenUnits {
  const part = shared.find(({ until }) => iteration <= until);
  return part ? ({ ...part.units, backend: units.backend, models: units.models } as OpenUnits) : units;
}

/** Whether to play an iteration; `planned`: whether the configuration says so. */
export function goesOn({ length }: Pick<DriverRun, 'length'>, iteration: number, planned: boolean): boolean {
  return length?.goesOn(iteration, planned) ?? planned;
}

export interface Driver {
  /** version of the prompts that it sends; null: it sends none */
  readonly promptVersion: number | null;
  /** least time between two writings of the files that are made from the journal; 0: they are written in each iteration */
  readonly saveIntervalSeconds: number;
  /**
   * Runs to the end, or to what it throws: a model that fails, a budget, an interruption, a damaged journal. It always
   * starts from the beginning and takes each step by `recordedStep`, so that a resumed run takes the very same path as
   * one that was never interrupted.
   */
  run(run: DriverRun): Promise<void>;
  /** Opens what answers the calls of a run; null: it makes none. `used`: what an earlier session used. Throws a usage error. */
  openModels(units: RunUnits, open: OpenOne, used?: ModelNames | null): Promise<RunModels | null>;
  /** Whether a run that has done so much has an iteration left. `episodes`: of the search. */
  goesOn(units: RunUnits, done: { readonly iteration: number; readonly episodes: number }): boolean;
  /** How many iterations a run will take; an estimate where they depend on its course. */
  iterations(units: RunUnits): number;
  /** The most episodes that the search of a run will play, without the re-check. */
  plannedEpisodes(units: RunUnits): number;
  /** Estimates a run from its start. Plays a few episodes on `backend`, and writes nothing. */
  estimate(units: RunUnits, backend: Backend, counts?: TokenCounts): Promise<CostEstimate>;
}
