/** Settings of a search run; the configuration resolves to this type. */
import type { Changes } from '../evaluation/sensitivity.ts';

/**
 * What prompts that describe the environment state about it. `full`: all known facts. `reference`: the facts in the
 * reference's texts. `none`: nothing, without names of observations and actions.
 */
export const knowledgeLevels = ['full', 'reference', 'none'] as const;
export type Knowledge = (typeof knowledgeLevels)[number];

/** `sentence`: one short sentence that says why. `reasoning`: what was changed and why, as long as it takes. */
export const explanations = ['sentence', 'reasoning'] as const;
export type Explanation = (typeof explanations)[number];

/** `call`: one call that asks for all of them. `calls`: a call for each, at the same time. */
export const proposalForms = ['call', 'calls'] as const;
export type ProposalForm = (typeof proposalForms)[number];

/** Parameter sets that one search may ask for. */
export const mostProposals = 64;

/** How prompts are worded. */
export interface PromptSettings {
  readonly knowledge: Knowledge;
  /** what a reply contains besides its parameters */
  readonly explanation: Explanation;
  /** decimals of returns; null: six significant digits */
  readonly rewardDecimals: number | null;
  /** number of the first trial and of the first iteration */
  readonly countFrom: 0 | 1;
}

export interface SearchSettings {
  readonly prompt: PromptSettings;
  readonly iterations: number;
  /** range of proposals; values outside are refused with a reason, or clipped with a note */
  readonly parameters: {
    readonly low: number;
    readonly high: number;
    /** null: any number of decimals */
    readonly decimals: number | null;
    readonly outOfRange: 'refuse' | 'clip';
  };
  /** target return stated in the search prompt; null: unknown */
  readonly optimum: number | null;
  /** exploration step stated in the prompts; null: not stated */
  readonly stepSize: number | null;
  /** tau_c: at or above this mean the critic is asked to change nothing or one thing slightly; null: no such rule */
  readonly conservativeThreshold: number | null;
  /** an episode with at least this return counts as a success in the statistics that the critic reads */
  readonly successThreshold: number;
  /** longer trajectories are shortened to about this many tokens, with a note of what was omitted; null: no limit */
  readonly trajectoryTokens: number | null;
  /** `full`: spread, quantiles and end causes beside means, extremes and successes */
  readonly statistics: 'basic' | 'full';
  /** number of last trials shown with an episode excerpt, for methods that show any */
  readonly historyExcerpts: number;
  /** episodes per parameter change in the sensitivity shown to the critic; null: not shown */
  readonly sensitivityEpisodes: number | null;
  /** `paired`: the lower mean loses only if a paired test on the common seeds distinguishes the two */
  readonly selection: 'mean' | 'paired';
  /** maximum number of trials in the history of a prompt; null: all */
  readonly historyWindow: number | null;
  /** `repair`: a proposal that repeats a trial is sent back once */
  readonly duplicates: 'allow' | 'repair';
  /** parameter sets that a search asks for, of which the best is kept; left out: one, or what an optimiser leaves to it */
  readonly proposals?: number;
  /** how several are asked for; left out: by one call */
  readonly proposalsBy?: ProposalForm;
  /** maximum repair turns after an unusable reply, each stating the reason */
  readonly repairTurns: number;
  /** warm-up policies, one episode each */
  readonly warmupPolicies: number;
  /** standard deviation of their parameters before rounding */
  readonly warmupSpread: number;
  /** true: within the range and with no more decimals than the model may write */
  readonly warmupInside: boolean;
  /** folder of recorded trials in place of drawn policies; null: none */
  readonly warmupDir: string | null;
  readonly evaluationEpisodes: number;
  /** our own step cap per episode; null: only the environment's */
  readonly maxSteps: number | null;
}

/** Size of a change without an exploration step, as a share of the range. */
const shareOfRange = 1 / 20;

/** The changes of a parameter that the sensitivity tries. */
export function sensitivityChanges({ parameters: { low, high }, stepSize }: SearchSettings): Changes {
  return { low, high, step: stepSize ?? (high - low) * shareOfRange };
}
