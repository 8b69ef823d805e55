/** The limits of a run under the names that a command uses, and how they change while the run goes on. */
import { UsageError } from '../../base/errors.ts';
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

/** What was changed since the record follows the configuration of its folder; null: nothing. */
export function changedLimits(events: readonly RunEvent[]): NewLimits | null {
  const own = events.slice(events.findLastIndex(({ type }) => type === 'branched') + 1);
  const changes = own.flatMap((event) => (event.type === 'control' && event.limits ? [event.limits] : []));
  return changes.length === 0 ? null : Object.assign({}, ...changes);
}

export interface ResumedLimits {
  readonly limits: BudgetLimits;
  /** in words; null: nothing was changed before */
  readonly notice: string | null;
}

/**
 * The limits that a session begins with. What was changed while the run went on holds, unless the command that resumes the
 * run states another limit than the configuration of the folder, or the limits have just stopped the run.
 */
export function resumedLimits(
  given: BudgetLimits,
  written: Readonly<Record<string, unknown>>,
  changed: NewLimits,
  stoppedByBudget: boolean,
): ResumedLimits {
  const { iterations: _length, ...before } = changed;
  const names = limitNames.filter((name) => before[name] !== undefined);
  if (names.length === 0) return { limits: given, notice: null };
  const isStated = (name: LimitName) => (given[keys[name]] ?? null) !== (written[keys[name]] ?? null);
  const kept: NewLimits = Object.fromEntries(
    names.filter((name) => !stoppedByBudget && !isStated(name)).map((name) => [name, before[name]]),
  );
  const dropped = names.filter((name) => kept[name] === undefined);
  const texts = [
    ...(dropped.length < names.length ? [`limits from "r2po ctl" still hold: ${limitsText(kept)}`] : []),
    ...(dropped.length === 0
      ? []
      : [
          `limits from "r2po ctl" hold no more (${dropped.join(', ')}): ` +
            (stoppedByBudget ? 'the run had stopped at its budget' : 'the command states others'),
        ]),
  ];
  return { limits: withLimits(given, kept), notice: texts.join('; ') };
}
