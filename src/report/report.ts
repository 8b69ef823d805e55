/** The contents of a report over runs: tables, curves and findings. */
import { basename } from 'node:path';
import { UsageError } from '../base/errors.ts';
import { estimateText, roundedBy, significant } from '../base/plain-number.ts';
import { llmMethods } from '../methods/index.ts';
import type { FoundRuns } from '../runs/folder/read-run.ts';
import type { Estimate } from '../stats/bootstrap.ts';
import { type AnytimeAxis, anytimeOf } from './anytime/anytime.ts';
import { anytimeDocument } from './anytime/document.ts';
import { equalBudgetTable } from './anytime/tables.ts';
import {
  type Comparison,
  type ComparisonMode,
  type ComparisonOptions,
  compareGroups,
  comparisonTable,
  interquartileMeans,
} from './comparisons.ts';
import { averageCurve, type CurveAxis, type CurveValue, type LeftOutRun } from './curves/average-curves.ts';
import type { ChartLine } from './curves/group-charts.ts';
import { type Finding, findingsOf } from './findings.ts';
import {
  defaultGroupKeys,
  type GroupOptions,
  groupRuns,
  type RewardKind,
  type RunGroup,
  rewardKinds,
  rewardOf,
  type Spread,
  standardError,
} from './groups.ts';
import { lineNames } from './lines.ts';
import { againstPublished, type PublishedComparison, publishedTable } from './published/against-published.ts';
import { groupValue, nameOf, type ReportRun, refuseUnknownKeys } from './run-records.ts';
import { modelLabel } from './tables/run-table.ts';
import { type Cell, type ColumnOf, left, right, type Table, tableOf } from './tables/table.ts';

export interface ReportOptions extends GroupOptions {
  /** x axes of the curves */
  readonly axes: readonly CurveAxis[];
  readonly value: CurveValue;
  /** the method that the others are compared with; null: R2PO, if there are others */
  readonly compare: string | null;
  /** with which of the others; default: all */
  readonly mode?: ComparisonMode;
  readonly reward: RewardKind;
  /** compare with the published results */
  readonly published: boolean;
  /** compare methods after this many episodes; left out: the most that all runs of an environment have */
  readonly at?: number;
  /** pool runs of the offline optimiser with runs of language models */
  readonly allowMixed: boolean;
}

export const defaultReport: ReportOptions = {
  by: defaultGroupKeys,
  pool: false,
  axes: ['episodes'],
  value: 'kept',
  compare: null,
  reward: 'rechecked',
  published: false,
  includeUnfinished: false,
  allowMixed: false,
};

/** The curves of all groups along one axis. */
export interface AxisCurves {
  readonly axis: CurveAxis;
  readonly lines: readonly ChartLine[];
  readonly leftOut: readonly LeftOutRun[];
}

export interface Report {
  readonly options: ReportOptions;
  /** the grouping keys */
  readonly by: readonly string[];
  /** what differs within groups, as asked for by `pool` */
  readonly pooled: readonly string[];
  readonly groups: readonly RunGroup[];
  readonly findings: readonly Finding[];
  readonly curves: readonly AxisCurves[];
  /** methods at equal budgets, of the environments that have several */
  readonly anytime: readonly AnytimeAxis[];
  /** the models, in lines for pictures */
  readonly context: readonly string[];
  readonly interquartileMeans: readonly (Estimate | null)[];
  /** null: nothing to compare */
  readonly comparison: { readonly options: ComparisonOptions; readonly lines: readonly Comparison[] } | null;
  /** null when not requested */
  readonly published: readonly PublishedComparison[] | null;
  readonly leftOut: FoundRuns<ReportRun>['leftOut'];
}

const digits = 5;
const number = (value: number): string => significant(value, digits);

/** Throws a usage error for runs that must not be pooled. */
export function makeReport({ runs, leftOut }: FoundRuns<ReportRun>, options: ReportOptions): Report {
  if (runs.length === 0) {
    const why = leftOut.map(({ path, reason }) => `\n  ${path}: ${reason}`).join('');
    throw new UsageError('report', `expected readable runs, found none${why}`);
  }
  refuseMixed(runs, options.allowMixed);
  refuseUnknownKeys(runs, options.by);
  if (options.published && !defaultGroupKeys.every((key) => options.by.includes(key))) {
    throw new UsageError(
      '--against',
      `expected --by with ${defaultGroupKeys.join(', ')}, got ${options.by.join(', ')}`,
    );
  }
  const { by, groups, pooled } = groupRuns(runs, options);
  const { reward } = options;
  const comparison = comparisonOf(groups, by, options);
  return {
    options,
    by,
    pooled,
    groups,
    findings: findingsOf(groups, {
      by,
      reward,
      comparison: comparison && { method: comparison.options.method, lines: comparison.lines },
    }),
    interquartileMeans: interquartileMeans(groups, reward, options.includeUnfinished),
    comparison,
    curves: options.axes.map((axis) => curvesAgainst(axis, groups, by, options.value)),
    anytime: anytimeOf(groups, { by, at: options.at ?? null, compare: comparison?.options ?? null }),
    context: modelLines(runs),
    published: options.published ? againstPublished(groups) : null,
    leftOut,
  };
}

type Summary = ReportRun['summary'];

/** The models that answered; one that never did may have used tokens all the same. */
function answering({ by_model: models }: Summary['llm']): string[] {
  return Object.keys(models).filter((name) => models[name]!.calls > 0);
}

/** The models that answered for the configured ones. */
function fallbacksOf({ model_kind: kind, models, llm }: Pick<Summary, 'model_kind' | 'models' | 'llm'>): string[] {
  if (kind !== 'model') return [];
  return answering(llm).filter((name) => name !== models.search && name !== models.critic);
}

function fallbackText({ models, llm }: Pick<Summary, 'models' | 'llm'>): string {
  const others = fallbacksOf({ model_kind: 'model', models, llm });
  const share = others.length === answering(llm).length ? 'all' : 'some';
  return `${share} calls were answered by ${others.join(', ')}`;
}

/** The model, that of the critic if it differs, and a note about fallback models. */
function markedLabel({ model, model_kind: kind, models, llm }: ReportRun['summary']): string {
  const { critic } = models;
  const both = critic === model ? model : `${model} for search, ${critic} for critics`;
  const mark =
    fallbacksOf({ model_kind: kind, models, llm }).length === 0 ? '' : ` (*${fallbackText({ models, llm })})`;
  return `${modelLabel(both, kind)}${mark}`;
}

/** A few models by name; of many, only those that are not language models. */
function modelLines(runs: readonly ReportRun[]): string[] {
  const asked = runs.filter(({ summary }) => summary.model_kind !== 'none');
  const labels = new Map(asked.map(({ summary }) => [markedLabel(summary), summary.model_kind]));
  if (labels.size <= 3) return [...labels.keys()].map((label) => `model: ${label}`);
  const special = [...labels].flatMap(([label, kind]) => (kind === 'model' ? [] : [label]));
  return [`${labels.size} models${special.length > 0 ? `, among them ${special.join(', ')}` : ''}`];
}

function curvesAgainst(
  axis: CurveAxis,
  groups: readonly RunGroup[],
  by: readonly string[],
  value: CurveValue,
): AxisCurves {
  const names = lineNames(groups, by);
  const curves = groups.map((group) => ({ curve: averageCurve(group, axis, value) }));
  return {
    axis,
    lines: curves.map(({ curve }, i) => ({ ...names[i]!, steps: curve.steps })),
    leftOut: curves.flatMap(({ curve }) => curve.leftOut),
  };
}

function comparisonOf(
  groups: readonly RunGroup[],
  by: readonly string[],
  { reward, mode = 'all', includeUnfinished, ...options }: ReportOptions,
): Report['comparison'] {
  const found = new Set(groups.map(({ values }) => values[by.indexOf('method')]));
  const [ours] = llmMethods;
  const method = options.compare ?? (found.size > 1 && found.has(ours!.id) ? ours!.id : null);
  if (method === null) return null;
  const asked = { by, mode, method, reward, includeUnfinished };
  return { options: asked, lines: compareGroups(groups, asked, (run) => rewardOf(run, reward, includeUnfinished)) };
}

/**
 * Throws a usage error for runs of the offline optimiser together with runs of language models. Trainings without a model
 * may be in one report with either.
 */
function refuseMixed(runs: readonly ReportRun[], allowed: boolean): void {
  const offline = runs.find(({ summary }) => summary.model_kind === 'offline');
  const model = runs.find(({ summary }) => summary.model_kind !== 'offline' && summary.model_kind !== 'none');
  if (allowed || !offline || !model) return;
  throw new UsageError(
    'report',
    `expected runs of language models or of the offline optimiser, got both ("${model.folder}", "${offline.folder}"); ` +
      'report on them separately, or use --allow-mixed',
  );
}

/** `a, b and 3 more: its metrics.csv does not count calls` */
export function leftOutText(runs: readonly LeftOutRun[]): string {
  const named = 5;
  const reasons = [...new Set(runs.map(({ reason }) => reason))];
  const lists = reasons.map((reason) => {
    const names = runs.filter((run) => run.reason === reason).map(({ folder }) => basename(folder));
    const more = names.length > named ? ` and ${names.length - named} more` : '';
    return `${names.slice(0, named).join(', ')}${more}: ${reason}`;
  });
  return lists.join('; ');
}

const rewardTitles: Readonly<Record<RewardKind, string>> = {
  rechecked: 're-checked',
  holdout: 'held-out seeds',
  best: 'highest of the search',
  mean: 'mean reward',
  final: 'final reward',
};

/** `251.4 ± 13.1 [242.0, 260.8]`, rounded by the standard error */
export function spreadText(spread: Spread | null): string {
  if (spread === null) return '-';
  const { mean, std, ci95 } = spread;
  const text = roundedBy(standardError(spread), digits);
  const interval = ci95 === null ? '' : ` [${text(ci95[0])}, ${text(ci95[1])}]`;
  return `${text(mean)}${std === null ? '' : ` ± ${text(std)}`}${interval}`;
}

const groupNote =
  'Means over runs ± sample standard deviation, with the 95 % interval of the mean (Student t; none for one run, or equal ones). Re-checked: ' +
  'the best policy of a run on fresh episodes; compare this number. The others are computed from the means during the ' +
  'search, whose highest is that of many noisy means and too high. IQM: the mean of the middle half of the ' +
  'runs, with a bootstrap interval, which is too narrow for few runs.';

/** The value of a grouping key; a model is marked where others answered for it. */
const markedValue = (key: string, value: string, runs: readonly ReportRun[]): string =>
  key === 'model' && runs.some(({ summary }) => fallbacksOf(summary).length > 0) ? `${value}*` : value;

const keyColumns = (by: readonly string[]): ColumnOf<Pick<RunGroup, 'values' | 'runs'>>[] =>
  by.map((key, i) => left(key, ({ values, runs }) => markedValue(key, values[i]!, runs)));

/** What the mark of a model means. */
function fallbackNote(groups: readonly RunGroup[]): string {
  const marked = groups.map(({ runs }) =>
    runs.map(({ summary }) => summary).filter((one) => fallbacksOf(one).length > 0),
  );
  const notes = marked.flatMap((summaries) => summaries.map((one) => `${one.model}: ${fallbackText(one)}`));
  return notes.length === 0 ? '' : ` * ${[...new Set(notes)].join('; ')}.`;
}

/** A column of held-out seeds only where a run has played some. */
const shownKinds = (groups: readonly RunGroup[]): RewardKind[] =>
  rewardKinds.filter((kind) => kind !== 'holdout' || groups.some(({ rewards }) => rewards.holdout !== null));

/** The kind of rewards of trainings, whose iterations are not those of a search. */
function trainingNote(groups: readonly RunGroup[]): string {
  const notes = groups.flatMap(({ values, runs }) =>
    runs.flatMap(({ manifest }) => {
      const training = manifest.imported?.training;
      if (!training) return [];
      return [` ${[`${values.join(', ')}: ${training.rewards}`, ...(training.flags ?? [])].join('; ')}.`];
    }),
  );
  return [...new Set(notes)].join('');
}

/** What really played the episodes. */
function backendsOf({ runs }: Pick<RunGroup, 'runs'>): string {
  const used = runs.map(({ summary: { backend, adapter } }) => (adapter ? `${backend} on ${adapter}` : backend));
  return [...new Set(used)].join('; ');
}

export function groupTable({ groups, by, interquartileMeans, options: { reward } }: Report): Table {
  const rows = groups.map((group, i) => ({ ...group, interquartileMean: interquartileMeans[i] }));
  return tableOf(rows, {
    title: 'Rewards',
    note: `${groupNote}${trainingNote(groups)}${fallbackNote(groups)}`,
    columns: [
      ...keyColumns(by),
      right('runs', ({ runs, unfinished }) =>
        unfinished === 0 ? runs.length : `${runs.length} (${unfinished} unfinished)`,
      ),
      left('backend', backendsOf),
      ...shownKinds(groups).map((kind) =>
        right(rewardTitles[kind], ({ rewards }: RunGroup) => spreadText(rewards[kind])),
      ),
      right(`IQM, ${rewardTitles[reward]}`, ({ interquartileMean }) =>
        interquartileMean ? estimateText(interquartileMean.value, interquartileMean.ci95, digits) : null,
      ),
    ],
  });
}

const spreadParts: Readonly<Record<string, (spread: Spread) => Cell>> = {
  runs: ({ runs }) => runs,
  mean: ({ mean }) => mean,
  std: ({ std }) => std,
  ci95_low: ({ ci95 }) => ci95?.[0] ?? null,
  ci95_high: ({ ci95 }) => ci95?.[1] ?? null,
  min: ({ min }) => min,
  max: ({ max }) => max,
};

/** The same with a number per cell, for programs. */
export function groupNumbers({ groups, by }: Report): Table {
  const parts = Object.entries(spreadParts);
  return tableOf(groups, {
    columns: [
      ...keyColumns(by),
      left('runs', ({ runs }) => runs.length),
      left('unfinished', ({ unfinished }) => unfinished),
      left('backend', backendsOf),
      ...shownKinds(groups).flatMap((kind) =>
        parts.map(([name, part]) =>
          left(`${kind}_${name}`, ({ rewards }: RunGroup) => rewards[kind] && part(rewards[kind])),
        ),
      ),
    ],
  });
}

export function runTable({ groups, by }: Report): Table {
  const keys = by.filter((key) => key !== 'seed');
  const cell = (value: number | null): Cell => (value === null ? null : number(value));
  const runs = groups.flatMap((group) => group.runs);
  return tableOf(runs, {
    title: 'Runs',
    note: `One line per run.${fallbackNote(groups)}`,
    columns: [
      ...keys.map((key) => left(key, (run: ReportRun) => markedValue(key, groupValue(run, key), [run]))),
      right('seed', ({ summary }) => summary.seed),
      left('status', ({ summary }) => summary.status),
      left('backend', (run) => backendsOf({ runs: [run] })),
      right('iterations', ({ summary }) => summary.iterations),
      right(rewardTitles.rechecked, ({ summary: { best } }) =>
        best?.rechecked ? estimateText(best.rechecked.mean, best.rechecked.ci95, digits) : null,
      ),
      ...(shownKinds(groups).includes('holdout')
        ? [
            right(rewardTitles.holdout, ({ summary: { best } }: ReportRun) =>
              best?.holdout ? estimateText(best.holdout.mean, best.holdout.ci95, digits) : null,
            ),
          ]
        : []),
      right(rewardTitles.best, ({ summary }) => cell(summary.best_reward)),
      right(rewardTitles.mean, ({ summary }) => cell(summary.mean_reward)),
      right(rewardTitles.final, ({ summary }) => cell(summary.final_reward)),
      left('folder', nameOf),
    ],
  });
}

export function reportTables(report: Report): Table[] {
  const { comparison } = report;
  const compared =
    comparison && comparison.lines.length > 0 ? [comparisonTable(comparison.lines, comparison.options)] : [];
  return [
    groupTable(report),
    ...report.anytime.map((axis, i) => equalBudgetTable(axis, i === 0)),
    ...compared,
    ...(report.published ? [publishedTable(report.published)] : []),
    runTable(report),
  ];
}

/** Everything as one JSON value. */
export function reportDocument(report: Report) {
  const { options, by, pooled, groups, findings, curves, comparison, published, leftOut } = report;
  return {
    by,
    ...(pooled.length > 0 && { pooled }),
    reward: options.reward,
    findings,
    groups: groups.map(({ values, runs, unfinished, rewards }, i) => ({
      group: Object.fromEntries(by.map((key, i) => [key, values[i]])),
      runs: runs.map(({ folder, summary }) => ({ folder, ...summary })),
      unfinished,
      rewards,
      interquartile_mean: report.interquartileMeans[i],
    })),
    ...(comparison && {
      comparison: { method: comparison.options.method, mode: comparison.options.mode, lines: comparison.lines },
    }),
    curves: curves.map(({ axis, lines, leftOut: missing }) => ({
      axis,
      value: options.value,
      lines,
      left_out: missing.map(({ folder, reason }) => ({ path: folder, reason })),
    })),
    anytime: anytimeDocument(report.anytime),
    ...(published && { published }),
    left_out: leftOut,
  };
}
