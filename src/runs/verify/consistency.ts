/** Whether the numbers of each event can be: inside what the environment gives, and in agreement with each other. */
import type { Env } from '../../envs/env.ts';
import type { Summary } from '../../evaluation/summary.ts';
import { endCauses } from '../../rollout/job.ts';
import { firstDifference } from '../journal/difference.ts';
import type { EventOf, RunEvent } from '../journal/events.ts';

/** What the environment and the settings of a run allow. */
export interface Limits {
  /** smallest and largest return of an episode */
  readonly returns: readonly [number, number];
  /** steps of an episode; null: no limit */
  readonly steps: number | null;
}

/** `maxSteps`: our cap; null: none */
export function limitsOf({ returnRange, timeLimit }: Env, maxSteps: number | null): Limits {
  const steps = Math.min(timeLimit ?? Infinity, maxSteps ?? Infinity);
  return { returns: returnRange, steps: Number.isFinite(steps) ? steps : null };
}

/** f32 sums of a thousand rewards err by less, relative to the largest one. */
const rounding = 1e-5;

/** Null: a return that the environment can give. */
export function outOfRange(name: string, value: number, [low, high]: Limits['returns']): string | null {
  const slack = (bound: number) => rounding * Math.max(1, Math.abs(bound));
  if (value >= low - slack(low) && value <= high + slack(high)) return null;
  return `expected a return in ${low} ... ${high} as ${name}, got ${value}`;
}

function returnsOf(summary: Summary): [string, number][] {
  const { mean, min, max, median, quantiles } = summary;
  const picks = (['median', 'mean', 'worst', 'best', 'first'] as const).map((pick): [string, number] => [
    `${pick}_episode.return`,
    summary[`${pick}_episode`].return,
  ]);
  const levels = Object.entries(quantiles).map(([level, value]): [string, number] => [`quantiles.${level}`, value]);
  return [...Object.entries({ mean, min, max, median }), ...levels, ...picks];
}

/** The first number of a summary that cannot be; null: none. */
function summaryProblem(summary: Summary, limits: Limits | null): string | null {
  const { episodes, min, max, success, ends, length, steps } = summary;
  for (const [name, value] of returnsOf(summary)) {
    const problem = limits && outOfRange(`summary.${name}`, value, limits.returns);
    if (problem !== null) return problem;
    const slack = rounding * Math.max(1, Math.abs(value));
    if (value < min - slack || value > max + slack) {
      return `expected summary.${name} in summary.min ... summary.max (${min} ... ${max}), got ${value}`;
    }
  }
  const ended = endCauses.reduce((sum, cause) => sum + ends[cause], 0);
  if (ended !== episodes) return `expected as many ends as episodes (${episodes}), got ${ended}`;
  if (success.rate !== success.count / episodes) {
    return `expected summary.success.rate ${success.count / episodes}, got ${success.rate}`;
  }
  if (limits?.steps != null && length.max > limits.steps) {
    return `expected summary.length.max of at most ${limits.steps}, got ${length.max}`;
  }
  // Logs of other programs have means of lengths.
  if (Math.abs(length.mean * episodes - steps) > rounding * Math.max(1, steps) + 1) {
    return `expected summary.steps ${length.mean * episodes}, the sum of the lengths, got ${steps}`;
  }
  return null;
}

/** Checks events in their order; each may refer to those before it. */
export class ConsistencyCheck {
  readonly #limits: Limits | null;
  readonly #isImported: boolean;
  #evaluated = new Map<string, EventOf<'evaluated'>>();
  readonly #kept = new Map<number, readonly number[]>();

  /** `limits`: null where they are not known */
  constructor(limits: Limits | null, isImported: boolean) {
    this.#limits = limits;
    this.#isImported = isImported;
  }

  /** What is wrong with an event, in words; null: nothing. */
  add(event: RunEvent): string | null {
    switch (event.type) {
      case 'warmup':
        if (Number.isNaN(event.return)) return null;
        return this.#limits && outOfRange('return', event.return, this.#limits.returns);
      case 'evaluated':
        this.#evaluated.set(event.candidate, event);
        return summaryProblem(event.summary, this.#limits);
      case 'iteration': {
        const problem = this.#isImported ? null : this.#iterationProblem(event);
        if (event.trial) this.#kept.set(event.iteration, event.trial.params);
        this.#evaluated = new Map();
        return problem;
      }
      case 'rechecked':
        return (
          this.#recheckProblem(event) ??
          summaryProblem(event.summary, this.#limits) ??
          (event.holdout ? summaryProblem(event.holdout.summary, this.#limits) : null)
        );
      default:
        return null;
    }
  }

  /** A log of another program may state a mean without its episodes, or round it. */
  #iterationProblem({ candidates, kept, trial }: EventOf<'iteration'>): string | null {
    for (const { label, mean, params } of candidates) {
      const played = this.#evaluated.get(label);
      if (!played) continue;
      const difference = firstDifference({ mean: played.summary.mean, params: played.params }, { mean, params });
      if (difference) {
        return `expected ${difference.path} ${difference.expected} of "${label}", as it was evaluated, got ${difference.got}`;
      }
    }
    const won = candidates.find(({ label }) => label === kept);
    if (kept !== null && !won) return `expected a played candidate to be kept, got "${kept}"`;
    if (!won || !trial) return null;
    const difference = firstDifference(
      { mean: won.mean, params: won.params },
      { mean: trial.mean, params: trial.params },
    );
    return difference && `expected trial.${difference.path} ${difference.expected}, got ${difference.got}`;
  }

  #recheckProblem({ iteration, params }: EventOf<'rechecked'>): string | null {
    const kept = this.#kept.get(iteration);
    const difference = kept && firstDifference(kept, params, 'params');
    return difference
      ? `expected ${difference.path} ${difference.expected} of the policy that iteration ${iteration} kept, got ${difference.got}`
      : null;
  }
}
