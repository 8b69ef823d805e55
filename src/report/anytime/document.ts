/** Methods at equal budgets in the document of `report --json`. */
import type { AnytimeAxis } from './anytime.ts';

/** A value of a curve is of the search: the highest kept mean so far. */
export function anytimeDocument(axes: readonly AnytimeAxis[]) {
  return axes.map(({ axis, by, panels, pooled, comparison, leftOut }) => ({
    axis,
    value: 'search',
    panels: panels.map(({ panel, budget, limitedBy, budgets, ceiling, targets, lines }) => ({
      panel,
      budget,
      limited_by: limitedBy?.run.folder ?? null,
      budgets,
      ceiling: ceiling && { mean: ceiling.mean, exact: ceiling.exact },
      targets,
      lines: lines.map(({ line, group, curve, runtimes, at, solved }) => ({
        line,
        group: Object.fromEntries(by.map((key, i) => [key, group.values[i]])),
        at: at.map((one) => one && { budget: one.budget, ...one.spread }),
        solved,
        curve,
        runtimes,
      })),
    })),
    pooled,
    comparison,
    left_out: leftOut.map(({ folder, reason }) => ({ path: folder, reason })),
  }));
}
