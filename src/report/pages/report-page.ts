/** A report as one HTML page without scripts or external files, for light and dark, wide and narrow screens. */
import { counted } from '../../base/plain-number.ts';
import { anytimeStyles, bestPanels, runtimePanels } from '../anytime/charts.ts';
import { anytimeNote, equalNames } from '../anytime/tables.ts';
import {
  type ChartOptions,
  curveColors,
  curveMeanings,
  drawPanel,
  drawUnit,
  type LineStyle,
  lineStyles,
} from '../curves/group-charts.ts';
import { type AxisCurves, leftOutText, type Report, reportTables } from '../report.ts';
import { htmlTable, htmlText, type Table } from '../tables/table.ts';

export const curvesNote =
  'Each point is the mean over all runs of a group, with its 95 % interval; a run has the value of its last iteration ' +
  'before that point. Curves cover only the range shared by all runs. Intervals are cut at the lowest and the highest run of a panel; there ' +
  'their edge is dotted.';

/** Longer tables are collapsed. */
const openRows = 100;

const colorNames = curveColors.map((_, i) => `--line-${i}`);
const palette = (kind: 'light' | 'dark'): string =>
  curveColors.map((color, i) => `${colorNames[i]}: ${color[kind]};`).join(' ');

const style = `
:root { color-scheme: light dark; --ink: #1c2329; --paper: #ffffff; --soft: #55626b; --edge: #d8dee2; --note: #fff4df; --mark: #eef3f5; ${palette('light')} }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8eb; --paper: #14191d; --soft: #a3b0b8; --edge: #35404a; --note: #3a2f1a; --mark: #1e262c; ${palette('dark')} }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .25rem; } h3 { font-size: 1rem; margin: 0; }
p { color: var(--soft); max-width: 60rem; margin: .5rem 0; }
body * { box-sizing: border-box; }
.note { color: var(--ink); background: var(--note); padding: .5rem .75rem; border-radius: .4rem; }
.findings { background: var(--mark); border-radius: .4rem; padding: .75rem .75rem .75rem 2rem; margin: 0 0 .75rem; max-width: 60rem; }
.findings li + li { margin-top: .35rem; }
.wide { overflow-x: auto; background:
  linear-gradient(to right, var(--paper) 40%, transparent) left / 2rem 100%, linear-gradient(to left, var(--paper) 40%, transparent) right / 2rem 100%,
  linear-gradient(to right, var(--edge), transparent) left / .8rem 100%, linear-gradient(to left, var(--edge), transparent) right / .8rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem; border-bottom: 1px solid var(--edge); white-space: nowrap; }
th { border-bottom-width: 2px; white-space: normal; vertical-align: bottom; } .right { text-align: right; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 20rem; }
td small { display: block; color: var(--soft); }
summary { cursor: pointer; color: var(--soft); margin: .5rem 0; }
:is(.axes, .budgets) > input { position: absolute; opacity: 0; }
:is(.axes, .budgets) > label { display: inline-block; padding: .2rem .8rem; margin: .5rem .3rem .5rem 0; border: 1px solid var(--edge); border-radius: 1rem; cursor: pointer; }
:is(.axes, .budgets) > input:checked + label { background: var(--ink); color: var(--paper); border-color: var(--ink); }
:is(.axes, .budgets) > input:focus-visible + label { outline: 2px solid var(--line-0); outline-offset: 2px; }
:is(.axes, .budgets) > section { display: none; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 1.5rem; }
img { max-width: 100%; height: auto; }
figure { margin: 0; max-width: 34rem; } figure.large { max-width: 44rem; } p.main { color: var(--ink); font-weight: 600; margin: .1rem 0 .4rem; } figure svg { width: 100%; height: auto; display: block; }
figure text { fill: var(--ink); } figure .role-axis-domain line, figure .role-axis-tick line { stroke: var(--soft); }
figure .role-axis-grid line { stroke: var(--edge); }
.lines { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .75rem 0; }
.lines svg { width: 1.6rem; height: .7rem; margin-right: .4rem; vertical-align: middle; }
${curveColors.map(({ light }, i) => `[stroke="${light}"] { stroke: var(${colorNames[i]}); } [fill="${light}"] { fill: var(${colorNames[i]}); }`).join('\n')}
@media print { :is(.axes, .budgets) > section { display: block; } :is(.axes, .budgets) > :is(label, input) { display: none; } }
`;

const section = ({ title, note }: Pick<Table, 'title' | 'note'>, inner: string): string =>
  `<h2>${htmlText(title)}</h2>\n<p>${htmlText(note)}</p>\n${inner}`;

function tableSection(table: Table): string {
  const drawn = `<div class="wide" tabindex="0" role="region" aria-label="${htmlText(table.title)}">${htmlTable(table)}</div>`;
  const inner =
    table.rows.length <= openRows
      ? drawn
      : `<details><summary>${counted(table.rows.length, 'line')}</summary>${drawn}</details>`;
  return section(table, inner);
}

function legend(styles: readonly LineStyle[]): string {
  const entries = styles.map(({ name, color, dash }) => {
    const dashed = dash.length > 0 ? ` stroke-dasharray="${dash.join(' ')}"` : '';
    const stroke = `stroke="${curveColors[color]!.light}" stroke-width="3"${dashed}`;
    return `<li><svg viewBox="0 0 32 14" aria-hidden="true"><path d="M0 7H32" ${stroke}/></svg>${htmlText(name)}</li>`;
  });
  return `<ul class="lines">${entries.join('')}</ul>`;
}

async function axisPanels({ lines, leftOut }: AxisCurves, options: ChartOptions): Promise<string> {
  const drawn = lines.filter(({ steps }) => steps.length > 1);
  const styles = lineStyles(lines);
  const figures: string[] = [];
  for (const panel of new Set(drawn.map((line) => line.panel))) {
    const own = drawn.filter((line) => line.panel === panel);
    figures.push(`<figure><h3>${htmlText(panel)}</h3>${await drawPanel(own, styles, options)}</figure>`);
  }
  const missing =
    leftOut.length > 0 ? `<p class="note">Not in these curves: ${htmlText(leftOutText(leftOut))}</p>` : '';
  return `${legend(styles)}\n<div class="panels">${figures.join('\n')}</div>\n${missing}`;
}

async function curveSection({ options, curves, context }: Report): Promise<string> {
  const drawn = curves.filter(({ lines }) => lines.some(({ steps }) => steps.length > 1));
  if (drawn.length === 0) return '';
  const rules = drawn.map(({ axis }) => `#axis-${axis}:checked ~ #curves-${axis} { display: block; }`);
  const tabs = drawn.map(
    ({ axis }, i) =>
      `<input type="radio" name="axis" id="axis-${axis}"${i === 0 ? ' checked' : ''}><label for="axis-${axis}">against ${axis}</label>`,
  );
  const panels: string[] = [];
  for (const one of drawn) {
    const inner = await axisPanels(one, { axis: one.axis, value: options.value, context });
    panels.push(`<section id="curves-${one.axis}" aria-label="Curves against ${one.axis}">\n${inner}\n</section>`);
  }
  const all = `<style>${rules.join(' ')}</style>\n<div class="axes">${tabs.join('')}\n${panels.join('\n')}\n</div>`;
  return section({ title: 'Curves', note: `${curveMeanings[options.value]}. ${curvesNote}` }, all);
}

/** The comparison at equal budgets: the best value so far, one tab for each kind of budget; the runtimes below. */
async function anytimeSection({ anytime }: Report): Promise<string> {
  if (anytime.length === 0) return '';
  const styles = anytimeStyles(anytime);
  const draw = async (panels: ReturnType<typeof bestPanels>): Promise<string> => {
    const figures: string[] = [];
    for (const { title, summary, spec } of panels) {
      const text = `<h3>${htmlText(title)}</h3><p class="main">${summary.map(htmlText).join('<br>')}</p>`;
      figures.push(`<figure class="large">${text}${await drawUnit(spec)}</figure>`);
    }
    return `<div class="panels">${figures.join('\n')}</div>`;
  };
  const rules = anytime.map(({ axis }) => `#equal-${axis}:checked ~ #at-${axis} { display: block; }`);
  const tabs = anytime.map(
    ({ axis }, i) =>
      `<input type="radio" name="equal" id="equal-${axis}"${i === 0 ? ' checked' : ''}><label for="equal-${axis}">${equalNames[axis]}</label>`,
  );
  const sections: string[] = [];
  for (const axis of anytime) {
    const missing =
      axis.leftOut.length > 0 ? `<p class="note">Not compared: ${htmlText(leftOutText(axis.leftOut))}</p>` : '';
    const best = await draw(bestPanels(axis, styles));
    const runtimes = await draw(runtimePanels(axis, styles));
    const inner = `${best}\n<h3>Share of runs and targets reached</h3>\n${runtimes}\n${missing}`;
    sections.push(`<section id="at-${axis.axis}" aria-label="${equalNames[axis.axis]}">\n${inner}\n</section>`);
  }
  const chosen = anytime.length === 1 ? '' : tabs.join('');
  const shown =
    anytime.length === 1
      ? sections.join('').replace('<section', '<section style="display: block"')
      : sections.join('\n');
  return `<h2>Best policy so far at equal budgets</h2>
<style>${rules.join(' ')}</style>
${legend(styles)}
<div class="budgets">${chosen}
${shown}
</div>
<p>${htmlText(anytimeNote)}</p>`;
}

/** A picture with its own colours, as part of the page. */
function pictureSection({ title, svg }: { readonly title: string; readonly svg: string }): string {
  const data = Buffer.from(svg).toString('base64');
  return `<h2>${htmlText(title)}</h2>\n<img class="wide" alt="${htmlText(title)}" src="data:image/svg+xml;base64,${data}">`;
}

/** `notes` come before the numbers; `leftOut` lists excluded runs. */
export async function reportPage(
  report: Report,
  notes: readonly string[],
  leftOut: readonly string[],
  pictures: readonly { readonly title: string; readonly svg: string }[] = [],
): Promise<string> {
  const runs = report.groups.reduce((sum, group) => sum + group.runs.length, 0);
  const [rewards, ...others] = reportTables(report);
  const notice = (text: string): string => `<p class="note">${htmlText(text)}</p>`;
  const missing =
    leftOut.length === 0
      ? ''
      : `<details class="note"><summary>${leftOut.length} left out</summary><ul>${leftOut
          .map((text) => `<li>${htmlText(text)}</li>`)
          .join('')}</ul></details>`;
  const findings = report.findings.map(
    ({ setting, text }) => `<li><strong>${htmlText(setting)}</strong>: ${htmlText(text)}</li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>r2po report</title>
<style>${style}</style>
</head>
<body>
<h1>Report over ${counted(runs, 'run')}</h1>
<ul class="findings">${findings.join('\n')}</ul>
${notes.map(notice).join('\n')}
${missing}
${await anytimeSection(report)}
${tableSection(rewards!)}
${await curveSection(report)}
${others.map(tableSection).join('\n')}
${pictures.map(pictureSection).join('\n')}
</body>
</html>
`;
}
