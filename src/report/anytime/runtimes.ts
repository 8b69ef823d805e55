/**
 * Runtimes to targets, as COCO draws them (Hansen et al., "COCO: a platform for comparing continuous optimizers in a
 * black-box setting", 2021): each pair of a run and a target is one problem, solved when the best value so far reaches
 * the target. The empirical distribution is the share of solved pairs against the budget.
 */
import type { Ceiling } from '../published/ceilings.ts';
import { bestAt, type Course } from './course.ts';

/** Targets of an environment. */
const targetCount = 51;

/** Where the highest target comes from: the ceiling of the environment, else the best run of the report. */
export type HighestTarget = 'ceiling' | 'rechecked' | 'search';

/** Evenly spaced returns above `low`, up to `high`. */
export interface Targets {
  /** the lowest first value of a run */
  readonly low: number;
  readonly high: number;
  readonly count: number;
  readonly high_from: HighestTarget;
}

/** `courses`: of all runs of an environment, one or more. */
export function targetsOf(courses: readonly Course[], ceiling: Ceiling | null): Targets {
  const low = Math.min(...courses.map(({ points }) => points[0]!.best));
  const rechecked = courses.flatMap(({ run }) => run.summary.best?.rechecked?.mean ?? []);
  const candidates: readonly (readonly [HighestTarget, number])[] = [
    ...(ceiling ? [['ceiling', ceiling.mean] as const] : []),
    ...(rechecked.length > 0 ? [['rechecked', Math.max(...rechecked)] as const] : []),
    ['search', Math.max(...courses.map(({ points }) => points.at(-1)!.best))],
  ];
  // A re-check below every first value leaves no room for targets.
  const [high_from, high] = candidates.find(([, value]) => value > low) ?? candidates.at(-1)!;
  return { low, high, count: high > low ? targetCount : 1, high_from };
}

/** Number of targets that a value reaches. */
export function reachedBy({ low, high, count }: Targets, value: number | null): number {
  if (value === null) return 0;
  if (value >= high) return count;
  // Target i = 1 ... count is low + (high - low) i / count.
  const guess = Math.max(0, Math.min(count - 1, Math.floor(((value - low) / (high - low)) * count)));
  const target = (i: number): number => low + ((high - low) * i) / count;
  if (guess < count - 1 && target(guess + 1) <= value) return guess + 1;
  return guess > 0 && target(guess) > value ? guess - 1 : guess;
}

/** Share of the pairs of run and target that are solved after `x`. */
export function solvedShare(courses: readonly Course[], targets: Targets, x: number): number {
  const solved = courses.reduce((sum, course) => sum + reachedBy(targets, bestAt(course, x)), 0);
  return solved / (courses.length * targets.count);
}
