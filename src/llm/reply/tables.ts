/** Tables in Markdown or of HTML rows: one row a parameter, or one column a parameter. */
import { classTable, codesOf } from './codes.ts';
import { type Draft, maxDrafts } from './draft.ts';
import { announcesOther } from './labels.ts';
import { readCell } from './lines.ts';
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
/** 1: blank, 2: bar, 3: crossing, 4: dash, 5: the mark of an aligned column; a line of these is a rule. */
const RULE = classTable(' ', '|', '+┼╪', '-=─━', ':');
const [blank, bar, crossing, dash] = [1, 2, 3, 4];
const lineFeed = 0x0a;

interface Line {
  readonly end: number;
  /** the line without blanks around it */
  readonly first: number;
  readonly last: number;
  readonly hasBar: boolean;
  /** nothing but bars, crossings, dashes and colons */
  readonly isRule: boolean;
}

function lineAt(codes: Uint16Array, start: number): Line {
  let [first, last] = [-1, start];
  let [hasBar, hasCrossing, hasDashes, hasText] = [false, false, false, false];
  let before = 0;
  let at = start;
  for (; at < codes.length && codes[at] !== lineFeed; at++) {
    const kind = RULE[codes[at]!]!;
    if (kind !== blank) {
      if (first < 0) first = at;
      last = at + 1;
    }
    if (kind === bar) hasBar = true;
    else if (kind === crossing) hasCrossing = true;
    else if (kind === 0) hasText = true;
    if (kind === dash && before === dash) hasDashes = true;
    before = kind;
  }
  const isRule = !hasText && hasDashes && (hasBar || hasCrossing);
  return { end: at, first: first < 0 ? start : first, last, hasBar, isRule };
}

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
  if (!text.includes('|')) return { drafts, spans };
  // No table of parameters has many more rows than parameters.
  const maxRows = 2 * count + 50;
  let rows: Row[] = [];
  let tableEnd = 0;
  let ruled = false;
  const endTable = () => {
    if (rows.length > 1 || (ruled && rows.length > 0)) {
      const found = readTable(rows, count);
      if (found !== null && drafts.length < maxDrafts) {
        drafts.push(...found);
        spans.push({ start: rows[0]!.start, end: tableEnd });
      }
    }
    if (rows.length > 0) rows = [];
    ruled = false;
  };
  const codes = codesOf(text);
  for (let start = 0, line: Line; start < text.length; start = line.end + 1) {
    line = lineAt(codes, start);
    const { end, first, last, hasBar, isRule } = line;
    if (first === last || end - start > maxRow) {
      if (rows.length === 0 || ruled) endTable();
    } else if (isRule) ruled = true;
    else if (hasBar && (isFramed(codes, line) || ruled || isAboveRule(codes, line))) {
      tableEnd = end;
      if (rows.length >= maxRows) continue;
      const cells = text
        .slice(first, last)
        .replace(/^\||\|$/g, '')
        .split('|');
      rows.push({ cells: cells.map((cell) => cell.trim()), start, end });
    } else endTable();
  }
  endTable();
  return { drafts, spans };
}

const isFramed = (codes: Uint16Array, { first, last }: Line) =>
  last - first > 2 && RULE[codes[first]!] === bar && RULE[codes[last - 1]!] === bar;

/** A rule with bars below a line makes it a table's head. */
function isAboveRule(codes: Uint16Array, { end }: Line): boolean {
  if (RULE[codes[end + 1] ?? 0] === 0) return false;
  const { isRule, hasBar } = lineAt(codes, end + 1);
  return isRule && hasBar;
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
        unfit: measured ? ('old' as const) : null,
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
