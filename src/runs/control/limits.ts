/** The limits of a run under the names that a command uses, and how they change while the run goes on. */
import { exitCodes, UsageError } from '../../base/errors.ts';
import { significant } from '../../base/plain-number.ts';
import type { RunEvent } from '../journal/events.ts';
import type { BudgetLimits } from '../session/budget.ts';
import type { NewLimits } from './messages.ts';

export type LimitName = Exclude<keyof NewLimits, 'iterations'>;

/** Limits of the configuration by their names in a command. */
const keys = {
  calls: 'max_calls',
  tokens: 'max_tokens',
  episodes: 'max_episodes',
  cost: 'max_cost_usd',
  seconds: 'max_time_s',
} as const satisfies Readonly<Record<LimitName, keyof BudgetLimits>>;

export const limitKeys: Readonly<Record<LimitName, keyof BudgetLimits>> = keys;
const limitNames = Object.keys(keys) as LimitName[];
const ofEveryRun: readonly LimitName[] = ['episodes', 'seconds'];

/** Limits that have a meaning for a run: one without models has no calls, tokens and cost. */
export function namesIn(limits: object): LimitName[] {
  return limitNames.filter((name) => ofEveryRun.includes(name) || Object.hasOwn(limits, keys[name]));
}

export function withLimits(limits: BudgetLimits, asked: NewLimits): BudgetLimits {
  const changed = limitNames.flatMap((name) => (asked[name] === undefined ? [] : [[keys[name], asked[name]]]));
  return { ...limits, ...Object.fromEntries(changed) };
}

/** `calls 50, cost none` */
export function limitsText(limits: NewLimits): string {
  return Object.entries(limits)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value ?? 'none'}`)
    .join(', ');
}

/** Throws a usage error for a limit without meaning for the run, or below what is used. */
export function checkLimits(asked: NewLimits, limits: BudgetLimits, used: (name: LimitName) => number | null): void {
  const known = namesIn(limits);
  for (const name of limitNames) {
    const limit = asked[name];
    if (limit === undefined) continue;
    if (!known.includes(name)) {
      const others = ['iterations', ...known].join(', ');
      throw new UsageError('control', `expected a limit of ${others} for a run that asks no model, got ${name}`);
    }
    const use = used(name) ?? 0;
    if (limit !== null && limit < use) {
      throw new UsageError(
        'control',
        `expected ${name} of at least ${significant(use, 6)}, which the run has used, got ${limit}; "r2po ctl stop" ends it now`,
      );
    }
  }
}

/** The events since the record follows the configuration of its folder. */
function ownEvents(events: readonly RunEvent[]): readonly RunEvent[] {
  return events.slice(events.findLastIndex(({ type }) => type === 'branched') + 1);
}

/**
 * What holds of the changes before; null: nothing was changed. A change directly behind the start of a session states all that
 * holds there of earlier ones.
 */
export function changedLimits(events: readonly RunEvent[]): NewLimits | null {
  const own = ownEvents(events);
  const changes = own.flatMap((event, i) =>
    event.type === 'control' && event.limits
      ? [{ limits: event.limits, isWhole: own[i - 1]?.type === 'run_started' }]
      : [],
  );
  const first = changes.findLastIndex(({ isWhole }) => isWhole);
  const last = changes.slice(Math.max(0, first)).map(({ limits }) => limits);
  return last.length === 0 ? null : Object.assign({}, ...last);
}

/** Whether a session of the run has ended at a limit. */
export function hasStoppedAtBudget(events: readonly RunEvent[]): boolean {
  return ownEvents(events).some((event) => event.type === 'run_stopped' && event.exit_code === exitCodes.budget);
}

export interface LimitsBefore {
  readonly given: BudgetLimits;
  /** of the configuration of the folder */
  readonly written: Readonly<Record<string, unknown>>;
  /** while the run went on; null: nothing */
  readonly changed: NewLimits | null;
  /** Those of some limits that have stopped the run. */
  readonly stopping: (limits: BudgetLimits) => readonly (keyof BudgetLimits)[];
  /** limits of the configuration that hold no more where they have stopped the run */
  readonly lifts: readonly (keyof BudgetLimits)[];
}

export interface ResumedLimits {
  readonly limits: BudgetLimits;
  /** what holds of the changes before; null: nothing was changed */
  readonly kept: NewLimits | null;
  /** in words; null: the limits are those of the configuration */
  readonly notice: string | null;
}

/**
 * The limits that a session begins with. What was changed while the run went on holds, unless the command that resumes the
 * run states another limit than the configuration of the folder, or the limit has stopped the run.
 */
export function resumedLimits({ given, written, changed, stopping, lifts }: LimitsBefore): ResumedLimits {
  const { iterations: _length, ...before } = changed ?? {};
  const names = limitNames.filter((name) => before[name] !== undefined);
  const stated = names.filter((name) => (given[keys[name]] ?? null) !== (written[keys[name]] ?? null));
  const reached = stopping(withLimits({}, before));
  const ended = names.filter((name) => !stated.includes(name) && reached.includes(keys[name]));
  const held = names.filter((name) => !stated.includes(name) && !ended.includes(name));
  const kept: NewLimits = Object.fromEntries(held.map((name) => [name, before[name]]));
  const limits = withLimits(given, kept);
  const lifted = limitNames.filter(
    (name) => !held.includes(name) && lifts.includes(keys[name]) && stopping(limits).includes(keys[name]),
  );
  const texts = [
    held.length > 0 && `limits from "r2po ctl" still hold: ${limitsText(kept)}`,
    stated.length > 0 && `limits from "r2po ctl" hold no more (${stated.join(', ')}): the command states others`,
    ended.length > 0 && `limits from "r2po ctl" hold no more (${ended.join(', ')}): they have stopped the run`,
    lifted.length > 0 &&
      `limits that have stopped the run are lifted: ${limitsText(Object.fromEntries(lifted.map((name) => [name, limits[keys[name]]])))}`,
  ].filter((text) => text !== false);
  return {
    limits: withLimits(limits, Object.fromEntries(lifted.map((name) => [name, null]))),
    kept: names.length === 0 ? null : kept,
    notice: texts.length === 0 ? null : texts.join('; '),
  };
}
