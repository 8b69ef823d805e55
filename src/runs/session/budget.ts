/** The budget of a run: what it may use before it stops, resumable. */
import { exitCodes, R2poError } from '../../base/errors.ts';
import type { Config } from '../../config/schema.ts';
import type { RunTotals } from '../journal/totals.ts';
import { costOfRun } from '../models/cost.ts';

/** Limits as the configuration names them; null or left out: no limit. */
export interface BudgetLimits {
  readonly max_calls?: number | null;
  readonly max_tokens?: number | null;
  readonly max_time_s?: number | null;
  readonly max_cost_usd?: number | null;
  readonly max_episodes?: number | null | undefined;
}

/** What all sessions of a run used so far; null: not known. */
export type BudgetUse = Readonly<Record<keyof BudgetLimits, number | null>>;

const kinds = [
  { key: 'max_calls', what: 'model calls', option: '--max-calls' },
  { key: 'max_tokens', what: 'tokens', option: '--max-tokens' },
  { key: 'max_time_s', what: 'seconds', option: '--max-time' },
  { key: 'max_cost_usd', what: 'USD', option: '--max-cost' },
  { key: 'max_episodes', what: 'episodes', option: '--max-episodes' },
] as const satisfies readonly { readonly key: keyof BudgetLimits; readonly what: string; readonly option: string }[];

/** A limit of a run that was reached. */
export interface Exhausted {
  /** under `budget` in the configuration */
  readonly key: keyof BudgetLimits;
  /** of the command line */
  readonly option: string;
}

/** A budget is used up; the run can be resumed with more. */
export class BudgetError extends R2poError {
  readonly exhausted: Exhausted;

  constructor(exhausted: Exhausted, message: string) {
    super('budget', message, { exitCode: exitCodes.budget });
    this.exhausted = exhausted;
  }
}

/** The command that resumes a run, without the budget that stopped it; null: something else did. */
export type ResumeCommand = (exhausted: Exhausted | null) => string;

/** What a run has used. `pending`: calls that are being made and not recorded yet. */
export function useOf(config: Config, totals: RunTotals, pending = 0): BudgetUse {
  const { answered, tokens, wallSeconds, episodes } = totals;
  return {
    max_calls: answered.calls + pending,
    max_tokens: tokens,
    max_time_s: wallSeconds,
    max_cost_usd: costOfRun(config, totals),
    max_episodes: episodes,
  };
}

function isReached(key: keyof BudgetLimits, limits: BudgetLimits, use: BudgetUse): boolean {
  return (use[key] ?? 0) >= (limits[key] ?? Number.POSITIVE_INFINITY);
}

export function reachedLimits(limits: BudgetLimits, use: BudgetUse): (keyof BudgetLimits)[] {
  return kinds.map(({ key }) => key).filter((key) => isReached(key, limits, use));
}

/** The longest time between two looks at the limit of time, which may be changed meanwhile, s. */
const longestLook = 1;

/**
 * What `waiting` resolves with, or a rejection with `BudgetError` when the time of the run is used up first. `limits`: those
 * that hold now. `used`: by the run so far.
 */
export function withinTime<T>(waiting: Promise<T>, limits: () => BudgetLimits, used: BudgetUse): Promise<T> {
  const start = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    const look = (): void => {
      const max_time_s = limits().max_time_s ?? Number.POSITIVE_INFINITY;
      const seconds = (used.max_time_s ?? 0) + (performance.now() - start) / 1000;
      try {
        checkBudget({ max_time_s }, { ...used, max_time_s: seconds });
      } catch (error) {
        reject(error);
        return;
      }
      timer = setTimeout(look, 1000 * Math.min(longestLook, max_time_s - seconds));
    };
    look();
  });
  return Promise.race([waiting, timeUp]).finally(() => clearTimeout(timer));
}

/** Throws the first limit that is reached, with the option that raises it. */
export function checkBudget(limits: BudgetLimits, use: BudgetUse): void {
  const reached = kinds.find(({ key }) => isReached(key, limits, use));
  if (reached === undefined) return;
  const { key, what, option } = reached;
  throw new BudgetError(
    { key, option },
    `the budget of ${limits[key]} ${what} is used up (${Number((use[key] ?? 0).toPrecision(4))}); allow more with ${option}`,
  );
}
