/** Follows a number of a report to its runs: which values, which formula, and where that is documented. */
import { UsageError, unknownName } from '../../base/errors.ts';
import { valuesAt } from '../curves/average-curves.ts';
import { type RewardKind, type RunGroup, rewardKinds, rewardOf, sameSetting, sharedSetting } from '../groups.ts';
import { type Report, reportDocument } from '../report.ts';
import type { ReportRun } from '../run-records.ts';
import { anytimeCell } from './anytime-cells.ts';
import {
  axisColumns,
  comparisonFormulas,
  curveFormulas,
  type Documented,
  interquartileFormulas,
  rewardFields,
  rewardFormulas,
  sections,
  spreadFormulas,
  valueColumns,
} from './formulas.ts';
import { type CellPath, cellText, isNumber, leavesOf, nameOf, parseCell, resolveCell } from './path.ts';

/** What one run, or a published source, adds to a number. */
export interface Input {
  /** run folder, or the name of the source */
  readonly from: string;
  /** file in it, and the field or column */
  readonly field: string;
  /** null: the run does not have it, and is not part of the number */
  readonly value: number | string | null;
}

export interface Explanation {
  /** path in the document of `report --json` */
  readonly cell: string;
  readonly value: unknown;
  readonly formula: string;
  readonly documented: Documented;
  readonly inputs: readonly Input[];
}

export type Explained = Omit<Explanation, 'cell' | 'value'>;

/** Cells that are explained at once. */
const maxCells = 60;

function rewardInputs(runs: readonly ReportRun[], kind: RewardKind, includeUnfinished: boolean): Input[] {
  return runs.map((run) => ({
    from: run.folder,
    field: `summary.json: ${rewardFields[kind]}`,
    value: rewardOf(run, kind, includeUnfinished),
  }));
}

function rewardCell(report: Report, group: RunGroup, [kind, ...part]: CellPath): Explained | null {
  const known = rewardKinds.find((one) => one === kind);
  const formula = spreadFormulas[nameOf(part)];
  if (known === undefined || formula === undefined) return null;
  return {
    formula: `${formula}; ${rewardFormulas[known]}`,
    documented: sections.rewards,
    inputs: rewardInputs(group.runs, known, report.options.includeUnfinished),
  };
}

function groupCell(report: Report, [index, part, ...rest]: CellPath): Explained | null {
  const group = isNumber(index) ? report.groups[index] : undefined;
  if (!group) return null;
  const { reward, includeUnfinished } = report.options;
  switch (part) {
    case 'rewards':
      return rewardCell(report, group, rest);
    case 'interquartile_mean': {
      const formula = interquartileFormulas[nameOf(rest)];
      if (formula === undefined) return null;
      const inputs = rewardInputs(group.runs, reward, includeUnfinished);
      return { formula: `${formula}; ${rewardFormulas[reward]}`, documented: sections.rewards, inputs };
    }
    case 'unfinished':
      return {
        formula: 'the number of runs whose status is not "finished"',
        documented: sections.rewards,
        inputs: group.runs.map(({ folder, summary }) => ({
          from: folder,
          field: 'summary.json: status',
          value: summary.status,
        })),
      };
    case 'runs':
      return runCell(group, rest);
    default:
      return null;
  }
}

/** A number of one run, which stands in its summary. */
function runCell({ runs }: RunGroup, [index, ...field]: CellPath): Explained | null {
  const run = isNumber(index) ? runs[index] : undefined;
  if (!run || field.length === 0) return null;
  const value = resolveCell(run.summary, field);
  const shown = typeof value === 'number' || typeof value === 'string' ? value : null;
  const name = cellText(field);
  return {
    formula: `${name} of this run, as its summary.json has it`,
    documented: sections.summary,
    inputs: [{ from: run.folder, field: `summary.json: ${name}`, value: shown }],
  };
}

function comparisonCell(report: Report, [, index, ...part]: CellPath): Explained | null {
  const { comparison, groups, by, options } = report;
  const line = isNumber(index) ? comparison?.lines[index] : undefined;
  const formula = comparisonFormulas[nameOf(part)];
  if (!comparison || !line || formula === undefined) return null;
  const { method, reward } = comparison.options;
  const methodAt = by.indexOf('method');
  const pair = groups.flatMap((other) =>
    other.values[methodAt] !== line.other
      ? []
      : groups
          .filter((one) => one.values[methodAt] === method && sameSetting(one, other, by))
          .map((one) => [one, other] as const),
  );
  const found = pair.find(([one, other]) => `${sharedSetting(one, other, by)}` === `${line.setting}`) ?? [];
  const family =
    comparison.options.mode === 'best'
      ? comparison.lines.length
      : comparison.lines.filter(({ other }) => other === line.other).length;
  const note = part[0] === 'holmP' ? ` (${family} ${family === 1 ? 'line' : 'lines'}: see docs/report.md)` : '';
  return {
    formula: `${formula}${note}; ${method} compared with ${line.other}; ${rewardFormulas[reward]}`,
    documented: sections.comparison,
    inputs: found.flatMap(({ runs }) => rewardInputs(runs, reward, options.includeUnfinished)),
  };
}

function curveCell(report: Report, [at, , index, , step, ...part]: CellPath): Explained | null {
  const curve = isNumber(at) ? report.curves[at] : undefined;
  const group = isNumber(index) ? report.groups[index] : undefined;
  const point = isNumber(index) && isNumber(step) ? curve?.lines[index]?.steps[step] : undefined;
  const formula = curveFormulas[nameOf(part)];
  if (!curve || !group || !point || formula === undefined) return null;
  const { value } = report.options;
  const columns = `metrics.csv: ${valueColumns[value]} at ${axisColumns[curve.axis]} <= ${point.x}`;
  return {
    formula,
    documented: sections.curves,
    inputs: valuesAt(group, curve.axis, value, point.x).map((one) => ({
      from: one.run.folder,
      field: columns,
      value: one.value,
    })),
  };
}

function publishedCell(report: Report, [index, ...part]: CellPath): Explained | null {
  const group = isNumber(index) ? report.groups[index] : undefined;
  if (!group) return null;
  const [first, second, ...rest] = part;
  if (first === 'runs') {
    return { formula: 'the number of runs of the group', documented: sections.published, inputs: [] };
  }
  if (second === 'ours') return rewardCell(report, group, [first!, ...rest]);
  // A reward of ours without a published one beside it.
  const own = first === undefined ? null : rewardCell(report, group, [first, ...part.slice(1)]);
  if (own !== null) return own;
  const source = 'src/report/published/r2po-paper.json';
  if (second === 'p') {
    const kind = rewardKinds.find((one) => one === first);
    return {
      formula: "the two-sided p of Welch's test between our runs and the published mean, deviation and number of runs",
      documented: sections.published,
      inputs: [
        ...(kind ? rewardInputs(group.runs, kind, report.options.includeUnfinished) : []),
        { from: source, field: `${group.values.join(', ')}: ${first}`, value: null },
      ],
    };
  }
  return {
    formula: 'a published number, as its source prints it',
    documented: sections.published,
    inputs: [{ from: source, field: cellText(part), value: null }],
  };
}

const explainers: Readonly<Record<string, (report: Report, rest: CellPath) => Explained | null>> = {
  groups: groupCell,
  comparison: comparisonCell,
  curves: curveCell,
  anytime: anytimeCell,
  published: publishedCell,
};

/** `r2po:rechecked` as a path: a word of the group's keys and a kind of reward. */
function shorthand(report: Report, cell: string): string {
  const [, words, kind] = /^(.+):([a-z]+)$/.exec(cell) ?? [];
  if (words === undefined || !rewardKinds.some((one) => one === kind)) return cell;
  const wanted = words.split(',').map((word) => word.trim());
  const found = report.groups.flatMap(({ values }, i) => (wanted.every((word) => values.includes(word)) ? [i] : []));
  if (found.length === 1) return `groups[${found[0]}].rewards.${kind}.mean`;
  const names = report.groups.map(({ values }) => values.join(','));
  throw new UsageError(
    '--explain',
    `expected the values of one group before the colon, got "${words}", which ${found.length} groups have; groups: ${names.join('; ')}`,
  );
}

/**
 * The numbers at and below a path of the document, such as `groups[0].rewards.best.mean`, or of a group and a kind of reward,
 * such as `r2po:best`. Throws a usage error for a path without numbers, with the names that it could go on with.
 */
export function explainCell(report: Report, cell: string): Explanation[] {
  const document = reportDocument(report);
  const path = parseCell(shorthand(report, cell));
  const value = resolveCell(document, path);
  const cells = value === undefined ? [] : leavesOf(value, path);
  if (cells.length === 0 || cells.length > maxCells) throw notOneCell(document, cell, path, cells.length);
  return cells.map(({ path: [section, ...rest], value: number }) => {
    const explained = explainers[String(section)]?.(report, rest);
    const name = cellText([section!, ...rest]);
    if (explained) return { cell: name, value: number, ...explained };
    throw new UsageError('--explain', `expected a number of the report, got "${name}", which says itself what it is`);
  });
}

function notOneCell(document: object, cell: string, path: CellPath, cells: number): UsageError {
  // The part that exists, and what stands below it.
  let known = 0;
  while (known < path.length && resolveCell(document, path.slice(0, known + 1)) !== undefined) known++;
  const before = path.slice(0, known);
  const inner = resolveCell(document, before);
  const where = before.length === 0 ? 'the report' : cellText(before);
  if (cells > maxCells) {
    return new UsageError(
      '--explain',
      `expected up to ${maxCells} numbers, got "${cell}", which has ${cells}; go on: ${keysText(inner)}`,
    );
  }
  const wrong = path[known];
  if (wrong === undefined) return new UsageError('--explain', `expected a number, got "${cell}", which has none`);
  if (Array.isArray(inner)) {
    return new UsageError(
      '--explain',
      `expected ${where}[0 ... ${inner.length - 1}], got "${cell}"; choose one of these`,
    );
  }
  const keys = inner !== null && typeof inner === 'object' ? Object.keys(inner) : [];
  return new UsageError('--explain', `in "${cell}", ${unknownName(`part of ${where}`, String(wrong), keys)}`);
}

function keysText(inner: unknown): string {
  if (Array.isArray(inner)) return `[0 ... ${inner.length - 1}]`;
  return Object.keys(inner as object).join(', ');
}
