/** What a search run may be told; the configuration resolves to this record. */
import type { Changes } from '../evaluation/sensitivity.ts';

/**
 * What prompts that describe the environment say of it. `full`: all that is known of it. `reference`: the facts that the
 * texts of the reference hold. `none`: nothing, and no names of what is observed and done.
 */
export const knowledgeLevels = ['full', 'reference', 'none'] as const;
export type Knowledge = (typeof knowledgeLevels)[number];

/** `sentence`: one short sentence that says why. `reasoning`: what was changed and why, as long as it takes. */
export const explanations = ['sentence', 'reasoning'] as const;
export type Explanation = (typeof explanations)[number];

/** How prompts are worded. */
export interface PromptSettings {
  readonly knowledge: Knowledge;
  /** what a reply holds beside its parameters */
  readonly explanation: Explanation;
  /** decimals of returns; null: six significant digits */
  readonly rewardDecimals: number | null;
  /** number of the first trial and of the first iteration */
  readonly countFrom: 0 | 1;
}

export interface SearchSettings {
  readonly prompt: PromptSettings;
  readonly iterations: number;
  /** what the model may propose; values outside are refused with a reason, or clipped and said so */
  readonly parameters: {
    readonly low: number;
    readonly high: number;
    /** null: any number of decimals */
    readonly decimals: number | null;
    readonly outOfRange: 'refuse' | 'clip';
  };
  /** the return that the search is told to aim for; null: unknown */
  readonly optimum: number | null;
  /** exploration step named in the prompts; null: not named */
  readonly stepSize: number | null;
  /** tau_c: at or above this mean the critic is told to change nothing or one thing slightly; null: no such rule */
  readonly conservativeThreshold: number | null;
  /** an episode with at least this return counts as a success in the statistics that the critic reads */
  readonly successThreshold: number;
  /** a longer trajectory is shortened to about this many tokens, with a note of what was left out; null: none is */
  readonly trajectoryTokens: number | null;
  /** `full`: spread, quantiles and end causes beside means, extremes and successes */
  readonly statistics: 'basic' | 'full';
  /** the last so many trials are shown with an excerpt of an episode, to methods that show any */
  readonly historyExcerpts: number;
  /** the critic is shown what a change of each parameter does, over so many episodes each; null: it is not */
  readonly sensitivityEpisodes: number | null;
  /** `paired`: the lower mean is left only if a paired test on the common seeds can tell the two apart */
  readonly selection: 'mean' | 'paired';
  /** `repair`: a proposal that the history holds already is sent back, once */
  readonly duplicates: 'allow' | 'repair';
  /** further turns after an unusable reply, each quoting the reason */
  readonly repairTurns: number;
  /** warm-up policies, one episode each */
  readonly warmupPolicies: number;
  /** standard deviation of their parameters before rounding */
  readonly warmupSpread: number;
  /** true: they lie inside the range and have no more decimals than the model may write */
  readonly warmupInside: boolean;
  readonly evaluationEpisodes: number;
  /** our own step cap per episode; null: only the environment's */
  readonly maxSteps: number | null;
}

/** Without a step to name, a change is this share of the range. */
const shareOfRange = 1 / 20;

/** What the sensitivity tries in place of a parameter. */
export function sensitivityChanges({ parameters: { low, high }, stepSize }: SearchSettings): Changes {
  return { low, high, step: stepSize ?? (high - low) * shareOfRange };
}
