/** The folder of `r2po report --out`: tables in four formats, curves as pictures with their source, and a page. */

import { join } from 'node:path';
import { errorDetail } from '../../base/errors.ts';
import { jsonText } from '../../base/json.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { clearDeadDrafts, replaceFile } from '../../base/node/atomic-file.ts';
import { makeFolder } from '../../base/node/make-folder.ts';
import type { LeftOut } from '../../runs/folder/find-runs.ts';
import type { CurveAxis } from '../curves/average-curves.ts';
import { curveSpec } from '../curves/group-charts.ts';
import { renderPng } from '../curves/png.ts';
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
    { name: 'rewards.tex', content: latexTable(groupTable(report)) },
    { name: 'index.html', content: await reportPage(report, notes(report), leftOut) },
    ...pictures.flatMap(({ name, spec, svg, png }) => [
      { name: `${name}.svg`, content: svg },
      ...(png === null ? [] : [{ name: `${name}.png`, content: png }]),
      { name: `${name}.vl.json`, content: jsonText(spec) },
    ]),
  ];
  try {
    makeFolder(folder);
    clearDeadDrafts(folder);
    for (const { name, content } of files) replaceFile(join(folder, name), content, 'rebuildable');
  } catch (cause) {
    throw cannotUse('--out', 'a writable folder', folder, cause);
  }
  return files.map(({ name }) => name);
}

interface Picture {
  readonly axis: CurveAxis;
  /** without extension */
  readonly name: string;
  readonly spec: object;
  readonly svg: string;
  /** null: it could not be drawn */
  readonly png: Uint8Array | null;
}

/** One picture for each axis along which there is a line to draw. */
async function drawAll({ curves, options, context }: Report, leave: (file: LeftOut) => void): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const { axis, lines } of curves) {
    const drawn = lines.filter(({ steps }) => steps.length > 1);
    if (drawn.length === 0) continue;
    const name = `curves-${axis}`;
    const attempt = async <T>(file: string, draw: () => Promise<T>): Promise<T | null> => {
      try {
        return await draw();
      } catch (error) {
        leave({ path: file, reason: errorDetail(error), broken: true });
        return null;
      }
    };
    const spec = inertSpec(curveSpec(drawn, { axis, value: options.value, context }));
    const svg = await attempt(`${name}.svg`, () => renderChart(spec));
    if (svg === null) continue;
    pictures.push({ axis, name, spec, svg, png: await attempt(`${name}.png`, () => renderPng(svg)) });
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
  const images = pictures.map(({ axis, name }) => `![Reward against ${axis}](${name}.svg)`);
  return `${[
    '# Report',
    findings.join('\n'),
    ...notes(report).map((text) => `> ${text}`),
    ...leftOut.map((text) => `> Left out: ${markdownText(text)}`),
    rewards,
    ...(images.length > 0 ? [`## Curves\n\n${curvesNote}`, ...missing, ...images] : []),
    ...others,
  ].join('\n\n')}\n`;
}
