/** A table before it is drawn: on a terminal by the command line, in Markdown here. */
import { csvLine } from '../../base/csv-line.ts';

export interface Column {
  readonly title: string;
  /** `right` for numbers; left when left out */
  readonly align?: 'left' | 'right';
}

/** A null cell is drawn as `-`. */
export type Cell = string | number | null;

export interface Table {
  readonly title: string;
  /** what a reader has to know to read it; empty when nothing */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

const cellText = (cell: Cell): string => (cell === null ? '-' : String(cell));

/** What Markdown would take for itself; a name may hold anything. */
export const markdownText = (text: string): string => text.replace(/[\\|`*_[\]<>]/g, '\\$&').replace(/\s*\n\s*/g, ' ');

export function markdownTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => markdownText(title))),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(row.map((cell) => markdownText(cellText(cell))))),
  ].join('\n');
}

export function csvTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  return [columns.map(({ title }) => title), ...rows].map(csvLine).join('');
}

const latexNames: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '±': '$\\pm$',
};

export function latexText(text: string): string {
  return text.replace(/[\\{}$&#%_~^<>±]/g, (c) => latexNames[c] ?? `\\${c}`);
}

/** A `tabular` for the package booktabs. */
export function latexTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly Cell[]): string => {
    const text = cells.map((cell) => latexText(cellText(cell))).join(' & ');
    // The command before would take a bracket for its option.
    return `${text.startsWith('[') ? '{}' : ''}${text} \\\\`;
  };
  return [
    `\\begin{tabular}{${columns.map(({ align }) => (align === 'right' ? 'r' : 'l')).join('')}}`,
    '\\toprule',
    line(columns.map(({ title }) => title)),
    '\\midrule',
    ...rows.map(line),
    '\\bottomrule',
    '\\end{tabular}',
    '',
  ].join('\n');
}

const htmlNames: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (c) => htmlNames[c]);
}

/** Characters beyond which a page may break the text of a cell. */
const longText = 30;

/** An interval at the end of a cell is marked, so that a page can put it below its number. */
const withInterval = (html: string): string => html.replace(/ (\[[-+.e\d]+, [-+.e\d]+\])$/, ' <small>$1</small>');

export function htmlTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const row = (tag: string, cells: readonly Cell[]): string => {
    const inner = cells.map((cell, i) => {
      const text = cellText(cell);
      const kind = columns[i].align === 'right' ? ' class="right"' : text.length > longText ? ' class="long"' : '';
      return `<${tag}${kind}>${withInterval(htmlText(text))}</${tag}>`;
    });
    return `<tr>${inner.join('')}</tr>`;
  };
  const head = row(
    'th',
    columns.map(({ title }) => title),
  );
  return `<table><thead>${head}</thead><tbody>${rows.map((cells) => row('td', cells)).join('\n')}</tbody></table>`;
}
