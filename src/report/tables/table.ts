/** Tables, and their text in terminals, Markdown, CSV, LaTeX and HTML. */
import { inertCsvLine } from '../../base/csv-line.ts';
import { inertLine, inertText, printable } from '../../base/printable.ts';

export interface Column {
  readonly title: string;
  /** `right` for numbers; default: left */
  readonly align?: 'left' | 'right';
}

/** A null cell is drawn as `-`. */
export type Cell = string | number | null;

export interface Table {
  readonly title: string;
  /** explanation below the title; may be empty */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A column with the function for its cells. */
export interface ColumnOf<Row> extends Column {
  readonly cell: (row: Row) => Cell;
}

/** A column of texts. */
export const left = <Row>(title: string, cell: (row: Row) => Cell): ColumnOf<Row> => ({ title, cell });

/** A column of numbers. */
export const right = <Row>(title: string, cell: (row: Row) => Cell): ColumnOf<Row> => ({ title, align: 'right', cell });

export function tableOf<Row>(
  rows: readonly Row[],
  { title = '', note = '', columns }: { title?: string; note?: string; columns: readonly ColumnOf<Row>[] },
): Table {
  return {
    title,
    note,
    columns: columns.map(({ cell: _, ...column }) => column),
    rows: rows.map((row) => columns.map(({ cell }) => cell(row))),
  };
}

const cellText = (cell: Cell): string => (cell === null ? '-' : String(cell));

/** Colour codes, which have no width on the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an ANSI sequence starts with ESC
const ansi = /\x1b\[[0-9;]*m/g;

export const withoutColors = (text: string): string => text.replace(ansi, '');

/** Width of a text on a terminal, characters. */
export const textWidth = (text: string): number => [...withoutColors(text)].length;

/** Words up to this length are not broken. */
const maxWholeWord = 32;
const gap = '  ';

/** What stays on one line where it fits into `most` characters: words, `251 ± 13`, `1 ... 9` and `[242, 261]`. */
const wordsOf = (text: string, most: number): string[] =>
  text
    .split(/(?<!±)(?<!\.\.\.)(?<!\d,) (?!±|\.\.\.)/)
    .flatMap((words) => (textWidth(words) > most ? words.split(' ') : [words]));

/** Lines of at most `width` characters, broken between words if possible. Coloured text is not broken. */
function wrapText(text: string, width: number): string[] {
  if (textWidth(text) <= width || text !== withoutColors(text)) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(text, width)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const letters = [...word];
    let from = 0;
    for (; letters.length - from > width; from += width) lines.push(letters.slice(from, from + width).join(''));
    line = letters.slice(from).join('');
  }
  return line === '' ? lines : [...lines, line];
}

/** Of any number of values; a call can have some 100,000 arguments at most. */
const greatest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);

/** Column widths in a terminal line: columns shrink to their longest words, the widest first. */
function fittedWidths(lines: readonly (readonly string[])[], columns: readonly Column[], width: number): number[] {
  const sizes = columns.map((_, i) => {
    const cells = lines.map((line) => line[i] ?? '');
    const most = Math.min(maxWholeWord, width);
    const words = cells.flatMap((cell) => wordsOf(cell, most)).map((word) => Math.min(textWidth(word), most));
    return { natural: greatest(cells.map(textWidth)), min: greatest(words) };
  });
  const capped = (cap: number) => sizes.map(({ natural, min }) => Math.max(min, Math.min(natural, cap)));
  const room = width - gap.length * (columns.length - 1);
  let cap = greatest(sizes.map(({ natural }) => natural));
  while (cap > 1 && capped(cap).reduce((a, b) => a + b, 0) > room) cap--;
  return capped(cap);
}

interface TextOptions {
  readonly width?: number | null;
  readonly bold?: (text: string) => string;
}

/**
 * Aligned text columns, two spaces apart, below a line of titles. `width`: characters of a terminal line, into which cells
 * are wrapped; where that is not enough, the table continues below with its first columns repeated. null: cells stay whole.
 */
export function textTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>, options: TextOptions = {}): string {
  const shown = (text: string) => printable(text).replace(/[\t\n]/g, ' ');
  const lines = [
    columns.map(({ title }) => shown(title)),
    ...rows.map((row) => row.map((cell) => shown(cellText(cell)))),
  ];
  const parts = columnParts(lines, columns, options.width ?? Number.POSITIVE_INFINITY).map((places) =>
    alignedText(
      lines.map((line) => places.map((i) => line[i] ?? '')),
      places.map((i) => columns[i]!),
      options,
    ),
  );
  return parts.join('\n\n');
}

/** Places of the columns of each part of a table: all where they fit; else the columns that identify a row and some others. */
function columnParts(lines: readonly (readonly string[])[], columns: readonly Column[], width: number): number[][] {
  const all = columns.map((_, i) => i);
  const widthOf = (places: readonly number[]): number => {
    const of = places.map((i) => columns[i]!);
    const widths = fittedWidths(
      lines.map((line) => places.map((i) => line[i] ?? '')),
      of,
      width,
    );
    return widths.reduce((a, b) => a + b, 0) + gap.length * Math.max(0, places.length - 1);
  };
  if (columns.length < 2 || widthOf(all) <= width) return [all];
  const texts = all.slice(
    0,
    columns.findIndex(({ align }) => align === 'right'),
  );
  // Room for the others is needed, too.
  const keys = texts.filter((_, i) => widthOf(texts.slice(0, i + 1)) <= width / 2);
  const parts: number[][] = [];
  for (const place of all.slice(keys.length)) {
    const last = parts.at(-1);
    if (last && widthOf([...last, place]) <= width) last.push(place);
    else parts.push(widthOf([...keys, place]) <= width ? [...keys, place] : [place]);
  }
  // No other column has room beside them.
  if (!parts.some((places) => keys.every((key) => places.includes(key)))) parts.unshift(keys);
  return parts;
}

function alignedText(
  lines: readonly (readonly string[])[],
  columns: readonly Column[],
  { width, bold = (text) => text }: TextOptions,
): string {
  const [titles, ...cells] = lines;
  const widths = fittedWidths(lines, columns, width ?? Number.POSITIVE_INFINITY);
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const space = ' '.repeat(Math.max(0, widths[i]! - textWidth(cell)));
        return columns[i]!.align === 'right' ? space + cell : cell + space;
      })
      .join(gap)
      .trimEnd();
  const linesOf = (row: readonly string[]): string[] => {
    const wrapped = row.map((cell, i) => wrapText(cell, widths[i]!));
    const height = Math.max(1, ...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, k) => lineOf(wrapped.map((lines) => lines[k] ?? '')));
  };
  return [...linesOf(titles!).map(bold), ...cells.flatMap(linesOf)].join('\n');
}

/** A text in lines of at most `width` characters; null: one line. */
export const wrappedText = (text: string, width: number | null): string =>
  width === null ? text : wrapText(text, width).join('\n');

/** Escapes the special characters of Markdown, and those of formulas and HTML in it. */
export const markdownText = (text: string): string => inertLine(text).replace(/[\\|`*_[\]<>$&]/g, '\\$&');

export function markdownTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => markdownText(title))),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(row.map((cell) => markdownText(cellText(cell))))),
  ].join('\n');
}

export function csvTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  return [columns.map(({ title }) => title), ...rows].map(inertCsvLine).join('');
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
  return inertLine(text).replace(/[\\{}$&#%_~^<>±]/g, (c) => latexNames[c] ?? `\\${c}`);
}

/** A `tabular` for the package booktabs. */
export function latexTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const line = (cells: readonly Cell[]): string => {
    const text = cells.map((cell) => latexText(cellText(cell))).join(' & ');
    // A bracket would be read as an option of the previous command.
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
  return inertText(text).replace(/[&<>"']/g, (c) => htmlNames[c]!);
}

/** Characters beyond which a page may break the text of a cell. */
const longText = 30;

/** Marks an interval at the end of a cell, so that a page can put it below its number. */
const withInterval = (html: string): string => html.replace(/ (\[[-+.e\d]+, [-+.e\d]+\])$/, ' <small>$1</small>');

export function htmlTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const row = (tag: string, cells: readonly Cell[]): string => {
    const inner = cells.map((cell, i) => {
      const text = cellText(cell);
      const kind = columns[i]!.align === 'right' ? ' class="right"' : text.length > longText ? ' class="long"' : '';
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
