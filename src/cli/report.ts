/** `r2po report`: summarises runs as tables, curves and a page. */
import type { Command } from 'commander';
import { knownName, UsageError } from '../base/errors.ts';
import { prepareOutputFolder } from '../base/node/output-folder.ts';
import { equalNames } from '../report/anytime/tables.ts';
import { type ComparisonMode, comparisonModes } from '../report/comparisons.ts';
import { type CurveAxis, type CurveValue, curveAxes, curveValues } from '../report/curves/average-curves.ts';
import { defaultGroupKeys, type RewardKind, rewardKinds } from '../report/groups.ts';
import { leftOutText, makeReport, reportDocument } from '../report/report.ts';
import { findReportRuns, withVariants } from '../report/run-records.ts';
import type { Io } from './io.ts';
import { brokenError } from './left-out.ts';
import { addOutputOptions, wholeNumber } from './options.ts';
import { defaultAxes, printReport, saveReportIn } from './show-report.ts';

interface Options {
  readonly by?: readonly string[];
  readonly curves?: readonly CurveAxis[];
  readonly value: CurveValue;
  readonly compare?: string;
  readonly comparisonMode?: ComparisonMode;
  readonly reward: RewardKind;
  readonly against?: 'published';
  readonly includeUnfinished?: boolean;
  readonly at?: number;
  readonly allowMixed?: boolean;
  readonly out?: string;
  readonly explain?: string;
  readonly json?: boolean;
}

function oneOf<T extends string>(option: string, choices: readonly T[]): (text: string) => T {
  return (text) => knownName(option, 'choice', text, choices);
}

/** Distinct words, separated by commas. */
function readList(option: string, words: string, example: string, text: string): string[] {
  const list = text.split(',').map((word) => word.trim());
  if (list.some((word) => word === '') || new Set(list).size !== list.length) {
    throw new UsageError(option, `expected different ${words} separated by commas, such as ${example}, got "${text}"`);
  }
  return list;
}

const readKeys = (text: string): string[] => readList('--by', 'keys', 'env,method', text);
const readAxes = (text: string): CurveAxis[] =>
  readList('--curves', 'axes', 'episodes,calls', text).map(oneOf('--curves', curveAxes));

export function define(command: Command, io: Io): void {
  command
    .description(
      'Groups runs and summarises them: rewards as the reference defines them, the best policies on fresh episodes, ' +
        'intervals over runs, and reward curves.',
    )
    .argument('<run...>', 'run folders, or folders of run folders')
    .option(
      '--by <keys>',
      'group by env, method, model, seed or configuration keys (default: env, method, model and settings that differ)',
      readKeys,
    )
    .option(
      '--curves <axes>',
      `x axes of the curves: ${curveAxes.join(', ')} (default: all with --out, else ${curveAxes[0]})`,
      readAxes,
    )
    .option('--value <which>', `curves of ${curveValues.join(' or ')} rewards`, oneOf('--value', curveValues), 'kept')
    .option('--compare <method>', 'compare the others with this method (default: r2po, if there are others)')
    .option(
      '--comparison-mode <mode>',
      'all: with every other method; best: in each environment with the best of the others only (default: all)',
      oneOf('--comparison-mode', comparisonModes),
    )
    .option(
      '--reward <kind>',
      `compare by ${rewardKinds.join(', ')} rewards`,
      oneOf('--reward', rewardKinds),
      'rechecked',
    )
    .option(
      '--at <episodes>',
      'compare methods after this many episodes (default: the most that all runs of an environment have)',
      wholeNumber('--at', 1, Number.MAX_SAFE_INTEGER),
    )
    .option('--against <what>', 'compare with the results of the paper: published', oneOf('--against', ['published']))
    .option('--include-unfinished', 'use the last reward of unfinished runs as the final reward')
    .option('--allow-mixed', 'report on runs of the offline optimiser and of language models together')
    .option(
      '--explain <cell>',
      'follow a number to its runs: a path in the document of --json (groups[0].rewards.best.mean), or a group and a reward (r2po:best)',
    )
    .option(
      '--out <dir>',
      'write tables (Markdown, CSV, LaTeX, JSON), curves (SVG, PNG, Vega-Lite) and a page into this folder',
    );
  addOutputOptions(command, io).action(async (paths: string[], options: Options) => run(paths, options, io));
}

async function run(paths: readonly string[], options: Options, io: Io): Promise<void> {
  if (options.explain !== undefined && options.out !== undefined) {
    throw new UsageError('--explain', 'expected it without --out, got both; --explain writes no files');
  }
  if (options.out !== undefined) prepareOutputFolder('--out', options.out);
  const report = makeReport(await withVariants(findReportRuns(paths)), {
    by: options.by ?? defaultGroupKeys,
    pool: options.by !== undefined,
    axes: options.curves ?? defaultAxes(options.out),
    value: options.value,
    compare: options.compare ?? null,
    mode: options.comparisonMode ?? 'all',
    reward: options.reward,
    published: options.against === 'published',
    ...(options.at !== undefined && { at: options.at }),
    includeUnfinished: options.includeUnfinished ?? false,
    allowMixed: options.allowMixed ?? false,
  });
  if (options.comparisonMode !== undefined && report.comparison === null) {
    throw new UsageError('--comparison-mode', 'expected several methods to compare, got none; add --compare METHOD');
  }
  for (const { path, reason } of report.leftOut) io.warn(`left out: ${path}: ${reason}`);
  if (report.pooled.length > 0) {
    io.warn(`--by pools runs that differ in ${report.pooled.join(', ')}; without --by they are groups of their own`);
  }
  for (const { axis, leftOut } of report.curves) {
    if (leftOut.length > 0) io.warn(`not in the curves against ${axis}: ${leftOutText(leftOut)}`);
  }
  for (const { axis, leftOut } of report.anytime) {
    if (leftOut.length > 0) io.warn(`not compared at ${equalNames[axis]}: ${leftOutText(leftOut)}`);
  }
  if (options.at !== undefined && !report.anytime.some(({ axis }) => axis === 'episodes')) {
    throw new UsageError(
      '--at',
      `expected two methods of one environment with ${options.at} episodes or more, got fewer; ask for fewer episodes`,
    );
  }
  if (options.explain !== undefined) {
    const { showExplanation } = await import('./show-explanation.ts');
    showExplanation(report, options.explain, options.json ?? false, io);
  } else if (options.json) io.printJson(reportDocument(report));
  else printReport(report, io);
  const files = options.out === undefined ? [] : await saveReportIn(options.out, report, io);
  const broken = brokenError('report', [...report.leftOut, ...files]);
  if (broken) throw broken;
}
