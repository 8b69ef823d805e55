/** The folder that `r2po report --out` leaves: tables in four forms, curves with their source, and a page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../base/errors.ts';
import { curveSpec, drawCurves } from './learning-curves.ts';
import { groupNumbers, groupTable, type Report, reportDocument, reportTables, runTable } from './report.ts';
import { csvTable, htmlTable, htmlText, latexTable, markdownTable } from './table.ts';

/** Writes the files and returns their names. Throws a usage error when the folder cannot be written to. */
export async function saveReport(folder: string, report: Report): Promise<string[]> {
  const drawn = report.curves.filter(({ steps }) => steps.length > 1);
  const spec = drawn.length > 0 ? curveSpec(drawn, report.options) : null;
  const svg = spec && (await drawCurves(spec));
  const files = [
    { name: 'report.json', text: `${JSON.stringify(reportDocument(report), null, 2)}\n` },
    { name: 'report.md', text: markdown(report, svg !== null) },
    { name: 'rewards.csv', text: csvTable(groupNumbers(report)) },
    { name: 'runs.csv', text: csvTable(runTable(report)) },
    { name: 'rewards.tex', text: latexTable(groupTable(report)) },
    { name: 'index.html', text: page(report, svg) },
    ...(spec && svg
      ? [
          { name: 'curves.svg', text: svg },
          { name: 'curves.vl.json', text: `${JSON.stringify(spec, null, 2)}\n` },
        ]
      : []),
  ];
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, text } of files) writeFileSync(join(folder, name), text);
  } catch (cause) {
    throw new UsageError(
      '--out',
      `expected a folder that can be written to, got "${folder}": ${(cause as Error).message}; choose another one`,
      cause,
    );
  }
  return files.map(({ name }) => name);
}

const curvesNote =
  'The mean over runs at each place, with the 95 % interval of that mean; every run is in every mean, with the value that ' +
  'it held there. The line ends where the first run ends.';

/** Who reads the page or the tables has to know what they are not about. */
function warnings({ groups, leftOut }: Report): string[] {
  const offline = groups.some(({ runs }) => runs.some(({ summary }) => summary.model_kind === 'offline'));
  return [
    ...(offline
      ? ['Runs of the model "offline" are those of a numeric optimiser, which is not a language model.']
      : []),
    ...leftOut.map(({ path, reason }) => `Left out: ${path}: ${reason}`),
  ];
}

function markdown(report: Report, hasCurves: boolean): string {
  const tables = reportTables(report).map((table) => `## ${table.title}\n\n${table.note}\n\n${markdownTable(table)}`);
  const curves = hasCurves ? [`## Curves\n\n${curvesNote}\n\n![Reward curves](curves.svg)`] : [];
  const notes = warnings(report).map((text) => `> ${text}`);
  return `${['# Report', ...notes, ...tables, ...curves].join('\n\n')}\n`;
}

const style = `
:root { color-scheme: light dark; --ink: #1c2329; --paper: #ffffff; --soft: #5c6a73; --line: #d8dee2; --note: #fff4df; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8eb; --paper: #14191d; --soft: #9aa7af; --line: #2e373d; --note: #3a2f1a; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p { color: var(--soft); max-width: 60rem; }
p.note { color: var(--ink); background: var(--note); padding: .5rem .75rem; border-radius: .4rem; overflow-wrap: anywhere; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { border-bottom-width: 2px; } .right { text-align: right; }
figure { margin: 0; } svg { max-width: 100%; height: auto; border-radius: .4rem; }
`;

/** One file that opens from disk: no script, nothing fetched. */
function page(report: Report, svg: string | null): string {
  const section = (title: string, note: string, inner: string): string =>
    `<h2>${htmlText(title)}</h2>\n<p>${htmlText(note)}</p>\n${inner}`;
  const table = (of: ReturnType<typeof groupTable>): string =>
    section(of.title, of.note, `<div class="wide">${htmlTable(of)}</div>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>r2po report</title>
<style>${style}</style>
</head>
<body>
<h1>Report over ${report.groups.reduce((sum, { runs }) => sum + runs.length, 0)} runs</h1>
${warnings(report)
  .map((text) => `<p class="note">${htmlText(text)}</p>`)
  .join('\n')}
${svg === null ? '' : section('Curves', curvesNote, `<figure>${svg}</figure>`)}
${reportTables(report).map(table).join('\n')}
</body>
</html>
`;
}
