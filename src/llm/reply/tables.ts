/** Tables in Markdown or of HTML rows: one row a parameter, or one column a parameter. */
import { type Draft, maxDrafts } from './draft.ts';
import { announcesOther, readCell } from './lines.ts';
import type { Slot } from './numbers.ts';

interface Row {
  readonly cells: readonly string[];
  readonly start: number;
  readonly end: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

const maxRow = 20_000;
const RULE = /^[|\s:+=─━┼╪-]+$/;
const isRule = (line: string) => RULE.test(line) && /[|+┼╪]/.test(line) && /[-=─━]{2}/.test(line);
const NAME = /^["']?(?:param(?:eter)?s?|参数)[ _.]?(?:\[ ?(\d{1,9}) ?\]|\(?(\d{1,9})\)?)(?!["' ]*[:=] ?[+-]?\.?\d)/i;
const INDEX_TITLE = /^(?:#|i|id|idx|index|no\.?|nr\.?|param(?:eter)?s?(?: (?:index|no\.?|#))?|序号|索引)$/i;
const VALUE_TITLE =
  /^(?:(?:new|final|proposed|next|chosen|suggested|recommended|revised|updated|corrected|my) ?)?(?:values?|parameters?|params?|v|值)?$/i;
const OTHER_TITLE =
  /current|previous|old|before|last|from|change|delta|diff|Δ|step|note|reason|why|comment|remark|best so far|trial|initial|original/i;

/** The tables of a text, and where they stand: nothing else may read a row of theirs. */
export function findTables(text: string, count: number): { readonly drafts: Draft[]; readonly spans: Span[] } {
  const drafts: Draft[] = [];
  const spans: Span[] = [];
  // No table of parameters has many more rows than parameters.
  const maxRows = 2 * count + 50;
  let rows: Row[] = [];
  let ruled = false;
  const endTable = () => {
    if (rows.length > 1 || (ruled && rows.length > 0)) {
      const found = readTable(rows.slice(0, maxRows), count);
      if (found !== null && drafts.length < maxDrafts) {
        drafts.push(...found);
        spans.push({ start: rows[0]!.start, end: rows.at(-1)!.end });
      }
    }
    rows = [];
    ruled = false;
  };
  if (!text.includes('|')) return { drafts, spans };
  let start = 0;
  while (start < text.length) {
    const next = text.indexOf('\n', start);
    const end = next < 0 ? text.length : next;
    const line = end - start > maxRow ? '' : text.slice(start, end).trim();
    const framed = line.length > 2 && line.startsWith('|') && line.endsWith('|');
    if (!line.includes('|') && !line.includes('+') && !line.includes('┼') && !line.includes('╪')) {
      if (line !== '' || rows.length === 0 || ruled) endTable();
    } else if (isRule(line)) ruled = true;
    else if (framed || (line.includes('|') && (ruled || isHead(text, end)))) {
      const cells = rows.length > maxRows ? [] : line.replace(/^\||\|$/g, '').split('|');
      rows.push({ cells: cells.map((cell) => cell.trim()), start, end });
    } else endTable();
    start = end + 1;
  }
  endTable();
  return { drafts, spans };
}

/** The line below is a rule, so this one is a table's head without outer bars. */
function isHead(text: string, end: number): boolean {
  const below = text
    .slice(end + 1, end + 200)
    .split('\n', 1)[0]!
    .trim();
  return below.includes('|') && isRule(below);
}

function nameIndex(cell: string): number | null {
  const match = NAME.exec(cell);
  return match === null ? null : Number(match[1] ?? match[2]);
}

/** Null when it is no table of parameters. */
function readTable(rows: readonly Row[], count: number): Draft[] | null {
  const head = rows.find(({ cells }) => cells.filter((cell) => nameIndex(cell) !== null).length > 1);
  return head === undefined ? readRows(rows, count) : readColumns(rows, head);
}

/** `| params[0] | params[1] |` above rows of numbers; the text in a row names it. */
function readColumns(rows: readonly Row[], head: Row): Draft[] {
  const indices = head.cells.map(nameIndex);
  return rows.slice(rows.indexOf(head) + 1).flatMap((row, i) => {
    const slots = row.cells.flatMap((cell, column) => {
      const index = indices[column] ?? null;
      const value = index === null ? null : readCell(cell);
      return value === null ? [] : [{ index: index!, ...value }];
    });
    if (slots.length === 0) return [];
    const label = row.cells.filter((cell, column) => (indices[column] ?? null) === null && cell !== '').join(' ');
    const measured = row.cells.some(
      (cell, column) =>
        (indices[column] ?? null) === null && readCell(cell) !== null && announcesOther(head.cells[column] ?? ''),
    );
    return [
      {
        kind: 'pairs' as const,
        slots,
        length: slots.length,
        start: i === 0 ? rows[0]!.start : row.start,
        end: row.end,
        label,
        measured,
      },
    ];
  });
}

/** One row a parameter; of several columns of numbers each is a draft of its own, named by its title. */
function readRows(rows: readonly Row[], count: number): Draft[] | null {
  const titles = rows[0]!.cells;
  const named = rows.filter(({ cells }) => nameIndex(cells[0]!) !== null);
  const byIndex = INDEX_TITLE.test(titles[0]!)
    ? rows.slice(1).filter(({ cells }) => /^\[?\d{1,9}\]?$/.test(cells[0]!))
    : [];
  const body = named.length > 0 ? named : byIndex;
  if (body.length === 0 || body.every(({ cells }) => cells.length < 2)) return null;
  const hasTitles = body[0] !== rows[0];
  const width = Math.max(...body.map(({ cells }) => cells.length));
  const drafts: Draft[] = [];
  for (let column = 1; column < Math.min(width, 20); column++) {
    const title = hasTitles ? (titles[column] ?? '') : '';
    if (hasTitles && (OTHER_TITLE.test(title) || announcesOther(title)) && !VALUE_TITLE.test(title)) continue;
    const slots: Slot[] = body.flatMap(({ cells }) => {
      const index = nameIndex(cells[0]!) ?? Number(cells[0]!.replace(/\D/g, ''));
      const value = column < cells.length ? readCell(cells[column]!) : null;
      return value === null ? [] : [{ index, ...value }];
    });
    // Remarks and empty columns hold no numbers.
    if (slots.length < Math.min(count, body.length)) continue;
    drafts.push({
      kind: 'pairs',
      slots,
      length: slots.length,
      start: rows[0]!.start,
      end: rows.at(-1)!.end,
      label: title,
    });
  }
  return drafts;
}
