/** The folder of `r2po report --out`: tables in four formats, curves as pictures with their source, and a page. */

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorDetail } from '../../base/errors.ts';
import { jsonText } from '../../base/json.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { clearDeadDrafts, replaceFile } from '../../base/node/atomic-file.ts';
import { makeFolder } from '../../base/node/make-folder.ts';
import type { LeftOut } from '../../runs/folder/find-runs.ts';
import { StoredRun } from '../../runs/folder/read-run.ts';
import { eventsName } from '../../runs/journal/journal.ts';
import { anytimeStyles, bestSpec, runtimeSpec } from '../anytime/charts.ts';
import { equalBudgetNumbers, equalNames, runtimeNumbers } from '../anytime/tables.ts';
import { curveAxes } from '../curves/average-curves.ts';
import { curveSpec } from '../curves/group-charts.ts';
import { NoPngError, pngProblem, renderPng } from '../curves/png.ts';
import { callsSpec, panelOf, returnsSpec, shownRuns } from '../curves/run-panels.ts';
import { inertSpec, renderChart } from '../curves/svg.ts';
import {
  groupNumbers,
  groupTable,
  leftOutText,
  type Report,
  reportDocument,
  reportTables,
  runTable,
} from '../report.ts';
import { csvTable, latexTable, markdownTable, markdownText } from '../tables/table.ts';
import { curvesNote, reportPage } from './report-page.ts';

/**
 * Writes the files and returns their names. `leave` gets the pictures that could not be drawn; the others are written.
 * Throws a usage error when the folder cannot be written to.
 */
export async function saveReport(
  folder: string,
  report: Report,
  leave: (file: LeftOut) => void = () => {},
): Promise<string[]> {
  const pictures = await drawAll(report, leave);
  const leftOut = report.leftOut.map(({ path, reason }) => `${path}: ${reason}`);
  const files: { readonly name: string; readonly content: string | Uint8Array }[] = [
    { name: 'report.json', content: jsonText(reportDocument(report)) },
    { name: 'report.md', content: markdown(report, pictures, leftOut) },
    { name: 'rewards.csv', content: csvTable(groupNumbers(report)) },
    { name: 'runs.csv', content: csvTable(runTable(report)) },
    ...(report.anytime.length === 0
      ? []
      : [
          { name: 'equal-budgets.csv', content: csvTable(equalBudgetNumbers(report.anytime)) },
          { name: 'runtimes.csv', content: csvTable(runtimeNumbers(report.anytime)) },
        ]),
    { name: 'rewards.tex', content: latexTable(groupTable(report)) },
    { name: 'index.html', content: await reportPage(report, notes(report), leftOut, pictures.filter(isOfRuns)) },
    ...pictures.flatMap(({ name, spec, svg, png }) => [
      { name: `${name}.svg`, content: svg },
      ...(png === null ? [] : [{ name: `${name}.png`, content: png }]),
      { name: `${name}.vl.json`, content: jsonText(spec) },
    ]),
  ];
  try {
    makeFolder(folder);
    clearDeadDrafts(folder);
    removeEarlier(folder, new Set(files.map(({ name }) => name)));
    for (const { name, content } of files) replaceFile(join(folder, name), content, 'rebuildable');
  } catch (cause) {
    throw cannotUse('--out', 'a writable folder', folder, cause);
  }
  return files.map(({ name }) => name);
}

/** Files that only some reports have. */
const ofSome = [
  'equal-budgets.csv',
  'runtimes.csv',
  ...[
    ...curveAxes.flatMap((axis) => [`curves-${axis}`, `best-${axis}`, `runtimes-${axis}`]),
    'returns',
    'calls',
  ].flatMap((name) => [`${name}.svg`, `${name}.png`, `${name}.vl.json`]),
];

/** A page of one report must not lie beside curves of another. */
function removeEarlier(folder: string, written: ReadonlySet<string>): void {
  if (!existsSync(join(folder, 'report.json'))) return;
  for (const name of ofSome) if (!written.has(name)) rmSync(join(folder, name), { force: true });
}

/** Curves and comparisons are drawn by the page itself, in its own colours. */
const isOfRuns = ({ name }: Picture): boolean => !/^(?:curves|best|runtimes)-/.test(name);

interface Picture {
  /** what it shows, in a sentence */
  readonly title: string;
  /** without extension */
  readonly name: string;
  readonly spec: object;
  readonly svg: string;
  /** null: it could not be drawn */
  readonly png: Uint8Array | null;
}

type PlannedPicture = Pick<Picture, 'name' | 'title' | 'spec'>;

/** One picture for each axis along which there is a line to draw. */
function curvePictures({ curves, options, context }: Report): PlannedPicture[] {
  return curves.flatMap(({ axis, lines }) => {
    const drawn = lines.filter(({ steps }) => steps.length > 1);
    if (drawn.length === 0) return [];
    const spec = curveSpec(drawn, { axis, value: options.value, context });
    return [{ name: `curves-${axis}`, title: `Reward against ${axis}`, spec }];
  });
}

/** Of each budget, the best value so far and the runtimes to targets. */
function anytimePictures({ anytime, context }: Report): PlannedPicture[] {
  const styles = anytimeStyles(anytime);
  return anytime.flatMap((axis) => [
    {
      name: `best-${axis.axis}`,
      title: `Best so far at ${equalNames[axis.axis]}`,
      spec: bestSpec(axis, styles, { context }),
    },
    {
      name: `runtimes-${axis.axis}`,
      title: `Runtimes to targets against ${axis.axis}`,
      spec: runtimeSpec(axis, styles, { context }),
    },
  ]);
}

/** Returns per iteration and time per call, of as many runs as there is room for. */
function runPictures({ groups, context }: Report, leave: (file: LeftOut) => void): PlannedPicture[] {
  const all = groups.reduce((sum, { runs }) => sum + runs.length, 0);
  // Runs without a journal were read from other files, or are older than it.
  const runs = shownRuns(groups).filter(({ folder }) => existsSync(join(folder, eventsName)));
  const panels = runs.flatMap((run) => {
    try {
      return [panelOf(run, new StoredRun(run.folder, run.manifest).events().events)];
    } catch (error) {
      leave({ path: run.folder, reason: errorDetail(error), broken: true });
      return [];
    }
  });
  const notes = [...context, ...(panels.length < all ? [`${panels.length} of ${all} runs`] : [])];
  const planned = [
    { name: 'returns', title: 'Returns per iteration', spec: returnsSpec(panels, notes) },
    { name: 'calls', title: 'Time per model call', spec: callsSpec(panels, notes) },
  ];
  return planned.flatMap(({ spec, ...picture }) => (spec === null ? [] : [{ ...picture, spec }]));
}

async function drawAll(report: Report, leave: (file: LeftOut) => void): Promise<Picture[]> {
  const pictures: Picture[] = [];
  const all = [...anytimePictures(report), ...curvePictures(report), ...runPictures(report, leave)];
  const noPng = all.length === 0 ? null : await pngProblem();
  if (noPng) leave({ path: 'PNG files', reason: noPng.detail, broken: !(noPng instanceof NoPngError) });
  for (const { name, title, spec: planned } of all) {
    const attempt = async <T>(file: string, draw: () => Promise<T>): Promise<T | null> => {
      try {
        return await draw();
      } catch (error) {
        leave({ path: file, reason: errorDetail(error), broken: true });
        return null;
      }
    };
    const spec = inertSpec(planned);
    const svg = await attempt(`${name}.svg`, () => renderChart(spec));
    if (svg === null) continue;
    const png = noPng ? null : await attempt(`${name}.png`, () => renderPng(svg));
    pictures.push({ title, name, spec, svg, png });
  }
  return pictures;
}

/** Notes about the offline optimiser and unfinished runs. */
function notes({ groups }: Report): string[] {
  const runs = groups.flatMap((group) => group.runs);
  const unfinished = groups.reduce((sum, group) => sum + group.unfinished, 0);
  return [
    ...(runs.some(({ summary }) => summary.model_kind === 'offline')
      ? ['The model "offline" is a numeric optimiser, not a language model.']
      : []),
    ...(unfinished > 0 ? [`${unfinished} of ${runs.length} runs are not finished.`] : []),
  ];
}

function markdown(report: Report, pictures: readonly Picture[], leftOut: readonly string[]): string {
  const [rewards, ...others] = reportTables(report).map(
    (table) => `## ${table.title}\n\n${table.note}\n\n${markdownTable(table)}`,
  );
  const findings = report.findings.map(({ setting, text }) => `- **${markdownText(setting)}**: ${markdownText(text)}`);
  const missing = report.curves.flatMap(({ axis, leftOut: runs }) =>
    runs.length > 0 ? [`Not in the curves against ${axis}: ${markdownText(leftOutText(runs))}`] : [],
  );
  const [main] = report.anytime;
  const first = pictures.filter(({ name }) => main && name === `best-${main.axis}`);
  const image = ({ title, name }: Picture): string => `![${title}](${name}.svg)`;
  const images = pictures.filter((picture) => !first.includes(picture)).map(image);
  return `${[
    '# Report',
    ...first.map(image),
    findings.join('\n'),
    ...notes(report).map((text) => `> ${text}`),
    ...leftOut.map((text) => `> Left out: ${markdownText(text)}`),
    rewards,
    ...(images.length > 0 ? [`## Curves\n\n${curvesNote}`, ...missing, ...images] : []),
    ...others,
  ].join('\n\n')}\n`;
}
