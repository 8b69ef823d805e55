/** Methods compared at equal budgets: what each had found after the same number of episodes, the same time, the same money. */
import type { Comparison, ComparisonOptions } from '../comparisons.ts';
import { compareGroups } from '../comparisons.ts';
import type { CurveStep, LeftOutRun } from '../curves/average-curves.ts';
import { bandOf, isOpen, type RunGroup, type Spread, spreadOf } from '../groups.ts';
import { type LineName, lineNames } from '../lines.ts';
import { type Ceiling, ceilingFor } from '../published/ceilings.ts';
import type { ReportRun } from '../run-records.ts';
import { environmentOf, unset } from '../settings.ts';
import { type BudgetAxis, bestAt, budgetAxes, type Course, courseOf, firstX, lastX } from './course.ts';
import { solvedShare, type Targets, targetsOf } from './runtimes.ts';

export interface RuntimeStep {
  readonly x: number;
  /** of the pairs of run and target that are solved after `x`, 0 ... 1 */
  readonly share: number;
}

export interface AnytimeLine {
  readonly line: string;
  readonly group: RunGroup;
  readonly courses: readonly Course[];
  /** where all its runs are */
  readonly curve: readonly CurveStep[];
  readonly runtimes: readonly RuntimeStep[];
  /** at the budgets of the panel; null: a run had ended no iteration yet */
  readonly at: readonly ({ readonly budget: number; readonly spread: Spread } | null)[];
  /** of the pairs of run and target at the equal budget */
  readonly solved: number;
}

/** The methods of one environment. */
export interface AnytimePanel {
  readonly panel: string;
  /** the equal budget: the most that all runs used, or what was asked for */
  readonly budget: number;
  /** the run that used the least; null: the budget was asked for */
  readonly limitedBy: Course | null;
  /** parts of the budget and the budget, increasing */
  readonly budgets: readonly number[];
  /** the highest mean return of a policy; null: not known for these settings */
  readonly ceiling: Ceiling | null;
  readonly targets: Targets;
  /** two or more, the highest at the budget first */
  readonly lines: readonly AnytimeLine[];
}

/** All environments together. */
export interface PooledRuntimes {
  readonly line: string;
  readonly runtimes: readonly RuntimeStep[];
}

export interface AnytimeAxis {
  readonly axis: BudgetAxis;
  /** the grouping keys */
  readonly by: readonly string[];
  readonly panels: readonly AnytimePanel[];
  /** lines that every panel has, where there are several; each pair of run and target counts the same */
  readonly pooled: readonly PooledRuntimes[];
  /** at the equal budgets; null: no method to compare with */
  readonly comparison: { readonly method: string; readonly lines: readonly Comparison[] } | null;
  readonly leftOut: readonly LeftOutRun[];
}

export interface AnytimeOptions {
  /** compares with the others; null: no method does */
  readonly compare: Pick<ComparisonOptions, 'by' | 'mode' | 'method'> | null;
  readonly by: readonly string[];
  /** the budget in episodes; null: the most that all runs used */
  readonly at: number | null;
}

/** Points of a curve, evenly spaced on a logarithmic axis. */
const gridPoints = 61;
/** Parts of the equal budget that tables show. */
const parts = [1 / 8, 1 / 4, 1 / 2, 1] as const;

/** Only axes along which an environment has two methods or more. */
export function anytimeOf(groups: readonly RunGroup[], options: AnytimeOptions): AnytimeAxis[] {
  const names = panelNames(groups, options.by);
  return budgetAxes.flatMap((axis) => {
    const one = axisOf(axis, groups, names, options);
    return one.panels.length === 0 ? [] : [one];
  });
}

function axisOf(
  axis: BudgetAxis,
  groups: readonly RunGroup[],
  names: readonly LineName[],
  { by, at, compare }: AnytimeOptions,
): AnytimeAxis {
  const leftOut: LeftOutRun[] = [];
  const least = axis === 'episodes' ? at : null;
  const found = groups.map((group, i) => {
    const courses = group.runs.flatMap((run) => {
      const course = courseOf(run, axis);
      if (course === null) return [];
      const reason = typeof course === 'string' ? course : tooShort(course, least);
      if (typeof course !== 'string' && reason === null) return [course];
      leftOut.push({ folder: run.folder, reason: reason! });
      return [];
    });
    return { ...names[i]!, group, courses };
  });
  const panels = [...new Set(names.map(({ panel }) => panel))].flatMap((panel) => {
    const lines = found.filter((one) => one.panel === panel && one.courses.length > 0);
    return lines.length < 2 ? [] : [panelOf(panel, lines, least)];
  });
  const comparison =
    compare === null || !by.includes('method')
      ? null
      : { method: compare.method, lines: compareGroups(groups, compare, valuesAtBudget(panels)) };
  return { axis, by, panels, pooled: pooledOf(panels), comparison, leftOut };
}

function tooShort(course: Course, least: number | null): string | null {
  const last = lastX(course);
  return least === null || last >= least ? null : `it has ${last} episodes, fewer than ${least}`;
}

function valuesAtBudget(panels: readonly AnytimePanel[]): (run: ReportRun) => number | null {
  const values = new Map(
    panels.flatMap(({ budget, lines }) =>
      // Of runs of which some have no value yet, the others would stand for all.
      lines.flatMap(({ courses, at }) =>
        at.at(-1) === null ? [] : courses.map((course) => [course.run.folder, bestAt(course, budget)] as const),
      ),
    ),
  );
  return ({ folder }) => values.get(folder) ?? null;
}

type FoundLine = Pick<AnytimeLine, 'line' | 'group' | 'courses'>;

function panelOf(panel: string, found: readonly FoundLine[], asked: number | null): AnytimePanel {
  const courses = found.flatMap((line) => line.courses);
  const shortest = courses.reduce((a, b) => (lastX(b) < lastX(a) ? b : a));
  const budget = asked ?? lastX(shortest);
  const budgets = parts.map((part) => part * budget);
  const ceiling = ceilingFor(courses.map(({ run }) => run));
  const targets = targetsOf(courses, ceiling);
  const lines = found.map((line): AnytimeLine => {
    const grid = gridOf(line.courses);
    return {
      ...line,
      curve: grid.map((x) => stepAt(line.courses, x)),
      runtimes: grid.map((x) => ({ x, share: solvedShare(line.courses, targets, x) })),
      at: budgets.map((part) => spreadAt(line.courses, part)),
      solved: solvedShare(line.courses, targets, budget),
    };
  });
  const height = ({ at }: AnytimeLine): number => at.at(-1)?.spread.mean ?? Number.NEGATIVE_INFINITY;
  lines.sort((a, b) => height(b) - height(a) || b.solved - a.solved);
  return { panel, budget, limitedBy: asked === null ? shortest : null, budgets, ceiling, targets, lines };
}

/** From where the first iteration of the last run ends to where the first run ends; empty if that is no range. */
function gridOf(courses: readonly Course[]): number[] {
  return logGrid(Math.max(...courses.map(firstX)), Math.min(...courses.map(lastX)));
}

function logGrid(from: number, to: number): number[] {
  if (to < from) return [];
  if (to === from) return [to];
  const ratio = to / from;
  const inner = Array.from({ length: gridPoints - 2 }, (_, i) => from * ratio ** ((i + 1) / (gridPoints - 1)));
  return [from, ...inner, to];
}

function stepAt(courses: readonly Course[], x: number): CurveStep {
  const spread = spreadOf(courses.map((course) => bestAt(course, x)!))!;
  const { mean, min, max, runs } = spread;
  const [low, high] = bandOf(spread);
  return { x, mean, low, high, min, max, runs };
}

function spreadAt(courses: readonly Course[], budget: number): AnytimeLine['at'][number] {
  const values = courses.map((course) => bestAt(course, budget));
  return values.includes(null) ? null : { budget, spread: spreadOf(values as number[])! };
}

function pooledOf(panels: readonly AnytimePanel[]): PooledRuntimes[] {
  if (panels.length < 2) return [];
  const [first, ...others] = panels;
  const shared = first!.lines.filter(({ line }) => others.every(({ lines }) => lines.some((one) => one.line === line)));
  return shared.map(({ line }) => {
    const members = panels.map(({ lines, targets }) => ({ targets, ...lines.find((one) => one.line === line)! }));
    const pairs = members.map(({ courses, targets }) => courses.length * targets.count);
    const all = members.flatMap(({ courses }) => courses);
    const grid = logGrid(Math.min(...all.map(firstX)), Math.min(...all.map(lastX)));
    return {
      line,
      runtimes: grid.map((x) => {
        const solved = members.map(({ courses, targets }, i) => solvedShare(courses, targets, x) * pairs[i]!);
        return { x, share: solved.reduce((a, b) => a + b, 0) / pairs.reduce((a, b) => a + b, 0) };
      }),
    };
  });
}

/** Panels by environment; one whose options differ between runs is several, which are named apart. */
function panelNames(groups: readonly RunGroup[], by: readonly string[]): LineName[] {
  const names = lineNames(groups, by);
  const own = groups.map(({ runs }) => environmentOf(runs[0]!));
  return names.map(({ panel, line }, i) => {
    const same = own.filter((_, j) => names[j]!.panel === panel);
    const keys = [...new Set(same.flatMap((settings) => settings.map(([key]) => key)))];
    const jsonOf = (settings: [string, string][], key: string) => settings.find(([name]) => name === key)?.[1] ?? null;
    const varying = keys.filter((key) => new Set(same.map((settings) => jsonOf(settings, key))).size > 1);
    const apart = varying.map((key) => `${key.replace('env_options.', '')} ${jsonOf(own[i]!, key) ?? unset}`);
    return { panel: [panel, ...apart].join(', '), line };
  });
}

/** The comparison of a line with the method of the report; null: it is that method, or there is none or more than one. */
export function comparisonWith({ by, comparison }: AnytimeAxis, { group }: AnytimeLine): Comparison | null {
  const methodAt = by.indexOf('method');
  const setting = group.values.filter((_, i) => i !== methodAt);
  const isAny = by.flatMap((_, i) => (i === methodAt ? [] : [isOpen(group, by, i)]));
  const fits = (one: Comparison): boolean =>
    one.other === group.values[methodAt] && one.setting.every((value, i) => value === setting[i] || isAny[i]);
  const found = comparison?.lines.filter(fits) ?? [];
  return found.length === 1 ? found[0]! : null;
}
