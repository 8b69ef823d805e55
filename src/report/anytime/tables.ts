/** Methods at equal budgets as tables. */
import { estimateText, mirrored, significant } from '../../base/plain-number.ts';
import { type Comparison, pText } from '../comparisons.ts';
import { type Spread, standardError } from '../groups.ts';
import { left, right, type Table, tableOf } from '../tables/table.ts';
import { type AnytimeAxis, type AnytimeLine, type AnytimePanel, comparisonWith } from './anytime.ts';
import type { BudgetAxis } from './course.ts';

/** `4,020 episodes`, `12.5 s`, `0.031 USD` */
export const budgetText: Readonly<Record<BudgetAxis, (budget: number) => string>> = {
  episodes: (budget) => `${Math.round(budget).toLocaleString('en-US')} episodes`,
  time: (budget) => `${significant(budget, 3)} s`,
  cost: (budget) => `${significant(budget, 3)} USD`,
};

/** `equal episodes` */
export const equalNames: Readonly<Record<BudgetAxis, string>> = {
  episodes: 'equal episodes',
  time: 'equal time',
  cost: 'equal cost',
};

/** What a value at a budget is, and where targets come from. */
export const anytimeNote =
  'The highest mean return of a kept policy so far, as the search measured it: mean over runs with its 95 % interval. It is the ' +
  'highest of many means over few episodes and too high, more so for methods that play many policies; the re-checked ' +
  'reward is not. Targets are 51 evenly spaced returns from the lowest first value of a run to the ceiling ' +
  'of the environment, or to the best run where the ceiling is not known for these settings; solved is the share of the pairs of run and target that were reached.';

const axisNotes: Readonly<Record<BudgetAxis, string>> = {
  episodes: '',
  time: 'Wall times of the runs, on the machines that played them.',
  cost: 'Costs of the model calls; methods that cost nothing are not compared.',
};

function noteOf({ axis }: AnytimeAxis, isFirst: boolean): string {
  return [...(isFirst ? [anytimeNote] : []), axisNotes[axis]].filter((text) => text !== '').join(' ');
}

const digits = 4;

function spreadCell(spread: Spread | undefined): string | null {
  return spread ? estimateText(spread.mean, spread.ci95, digits, standardError(spread)) : null;
}

interface Row {
  readonly panel: AnytimePanel;
  readonly line: AnytimeLine;
  /** with the method of the report; null: it is that method, or there is nothing to compare */
  readonly comparison: Comparison | null;
}

/** `isFirst`: with the explanation of its numbers */
export function equalBudgetTable(axis: AnytimeAxis, isFirst: boolean): Table {
  const rows = axis.panels.flatMap((panel): Row[] =>
    panel.lines.map((line) => ({ panel, line, comparison: comparisonWith(axis, line) })),
  );
  const method = axis.comparison?.method;
  const shares = ['1/8', '1/4', '1/2'];
  return tableOf(rows, {
    title: `Best so far at ${equalNames[axis.axis]}`,
    note: noteOf(axis, isFirst),
    columns: [
      left('environment', ({ panel }: Row) => panel.panel),
      left('method', ({ line }) => line.line),
      right('runs', ({ line }) => line.courses.length),
      right('budget', ({ panel }) => budgetText[axis.axis](panel.budget)),
      ...shares.map((share, i) => right(`at ${share}`, ({ line }: Row) => spreadCell(line.at[i]?.spread))),
      right('at the budget', ({ line }) => spreadCell(line.at.at(-1)?.spread)),
      right('solved', ({ line }) => `${significant(100 * line.solved, 3)} %`),
      ...(method === undefined
        ? []
        : [
            right(`minus ${method}`, ({ comparison }: Row) => {
              if (comparison === null) return null;
              const { difference, ci95, stderr } = comparison;
              return estimateText(-difference, mirrored(ci95), digits, stderr);
            }),
            right('Holm p', ({ comparison }: Row) => comparison && pText(comparison.holmP)),
          ]),
    ],
  });
}

/** A row per line and budget with a number per cell, for programs. */
export function equalBudgetNumbers(axes: readonly AnytimeAxis[]): Table {
  const by = axes[0]?.by ?? [];
  const rows = axes.flatMap(({ axis, panels }) =>
    panels.flatMap((panel) =>
      panel.lines.flatMap((line) => line.at.flatMap((at) => (at === null ? [] : [{ axis, panel, line, ...at }]))),
    ),
  );
  type NumberRow = (typeof rows)[number];
  return tableOf(rows, {
    columns: [
      left('axis', ({ axis }) => axis),
      ...by.map((key, i) => left(key, ({ line }: NumberRow) => line.group.values[i]!)),
      left('budget', ({ budget }) => budget),
      left('equal', ({ budget, panel }) => (budget === panel.budget ? 1 : 0)),
      left('runs', ({ spread }) => spread.runs),
      left('mean', ({ spread }) => spread.mean),
      left('std', ({ spread }) => spread.std),
      left('ci95_low', ({ spread }) => spread.ci95?.[0] ?? null),
      left('ci95_high', ({ spread }) => spread.ci95?.[1] ?? null),
      left('min', ({ spread }) => spread.min),
      left('max', ({ spread }) => spread.max),
    ],
  });
}

/** A row per point of the distributions of runtimes. */
export function runtimeNumbers(axes: readonly AnytimeAxis[]): Table {
  const rows = axes.flatMap(({ axis, panels, pooled }) => [
    ...panels.flatMap(({ panel, lines }) =>
      lines.flatMap(({ line, runtimes }) => runtimes.map((step) => ({ axis, panel, line, ...step }))),
    ),
    ...pooled.flatMap(({ line, runtimes }) => runtimes.map((step) => ({ axis, panel: 'all', line, ...step }))),
  ]);
  return tableOf(rows, {
    columns: [
      left('axis', ({ axis }) => axis),
      left('environment', ({ panel }) => panel),
      left('method', ({ line }) => line),
      left('budget', ({ x }) => x),
      left('solved', ({ share }) => share),
    ],
  });
}
