/** Numbers without brackets and names: a line of them behind a label or alone, one a line, or an index and a value a line. */
import { classTable, codesOf } from './codes.ts';
import { type Draft, maxDrafts } from './draft.ts';
import { announcesOther, announcesVector } from './labels.ts';
import { readList } from './lists.ts';
import { matchAt, readNumber, type Slot, testAt } from './numbers.ts';

interface Line {
  readonly start: number;
  readonly end: number;
}

const BULLETED = /[ >]*- +([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ ,]*(?:(?:#|\/\/).*)?$/my;
const INDEXED = /[ >]*(?:[-•] +)?\[?(\d{1,9})\]? ?[:=] ?(?=[+-]? ?\.?\d)/y;
const NAMES_ONLY = /^[ >|#]*(?:param(?:eter)?s?[ _]?\[?\d{1,9}\]?[ ,;|=:]*){2,2000}$/i;
const maxLine = 400;
const maxNames = 20_000;

/** A run of lines of one kind. All lines are counted, but only one more than needed is kept. */
class Run<T> {
  private kept: T[] = [];
  private start = 0;
  private end = 0;
  private length = 0;
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  add(line: Line, item: () => T): void {
    if (this.length === 0) this.start = line.start;
    this.end = line.end;
    this.length++;
    if (this.length <= this.max) this.kept.push(item());
  }

  /** The run that ends here; null when there is none. */
  take(): { items: T[]; length: number; start: number; end: number } | null {
    if (this.length === 0) return null;
    const taken = { items: this.kept, length: this.length, start: this.start, end: this.end };
    this.kept = [];
    this.length = 0;
    return taken;
  }
}

export function findLines(text: string, count: number, taken: (at: number) => number): Draft[] {
  const drafts: Draft[] = [];
  const source = { text, codes: codesOf(text), taken };
  const column = new Run<string>(count + 1);
  const rows = new Run<Slot>(count + 1);
  let above: Line | null = null;
  for (let start = 0; start < text.length && drafts.length < maxDrafts; ) {
    const next = text.indexOf('\n', start);
    const line = { start, end: next < 0 ? text.length : next };
    start = line.end + 1;
    if (line.end - line.start < 3) {
      // Too short for a row or a label and a number; a blank line ends nothing.
      if (line.end > line.start) above = line;
      continue;
    }
    const item = kindOf(source, line);
    if (item === 'bullet') column.add(line, () => bulletNumber(text, line));
    else addColumn(drafts, column.take(), count);
    if (item === 'row') rows.add(line, () => rowSlot(text, line));
    else addRows(drafts, rows.take(), count);
    if (item === null) {
      const bare = readBareLine(source, line, count, above);
      if (bare !== null) drafts.push(bare);
    }
    above = line;
  }
  addColumn(drafts, column.take(), count);
  addRows(drafts, rows.take(), count);
  return drafts;
}

interface Source {
  readonly text: string;
  readonly codes: Uint16Array;
  readonly taken: (at: number) => number;
}

const [blank, quoteMark, minus, squareOpen, bullet] = [0x20, 0x3e, 0x2d, 0x5b, 0x2022];
const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
/** What a number or an index in brackets begins with. */
const beginsNumber = (code: number) => isDigit(code) || '+-.['.includes(String.fromCharCode(code));

/** `- 1.5`, or `0: 1.5`; null for every other line. */
function kindOf({ text, codes, taken }: Source, { start, end }: Line): 'bullet' | 'row' | null {
  if (end - start > maxLine) return null;
  let first = start;
  while (first < end && (codes[first] === blank || codes[first] === quoteMark)) first++;
  if (first === end) return null;
  const code = codes[first]!;
  if (!isDigit(code)) {
    if (code !== minus && code !== squareOpen && code !== bullet) return null;
    // Most bullets are followed by prose.
    let next = first + 1;
    while (next < end && codes[next] === blank) next++;
    if (next === end || !beginsNumber(codes[next]!)) return null;
  }
  if (taken(end - 1) >= 0) return null;
  if (code === minus && testAt(BULLETED, text, start)) return 'bullet';
  return testAt(INDEXED, text, start) ? 'row' : null;
}

function bulletNumber(text: string, { start }: Line): string {
  BULLETED.lastIndex = start;
  return BULLETED.exec(text)![1]!;
}

function rowSlot(text: string, { start, end }: Line): Slot {
  INDEXED.lastIndex = start;
  const index = Number(INDEXED.exec(text)![1]);
  const cell = readCell(text.slice(INDEXED.lastIndex, end).replace(/[ ,;]+$/, ''));
  return { index, value: cell?.value ?? Number.NaN, problem: cell?.problem ?? null };
}

function addColumn(drafts: Draft[], run: ReturnType<Run<string>['take']>, count: number): void {
  if (run === null || (run.length === 1 && count > 1)) return;
  const list = readList(run.items.join(', '), count);
  if (list !== null)
    drafts.push({ kind: 'line', slots: list.slots, length: run.length, start: run.start, end: run.end });
}

function addRows(drafts: Draft[], run: ReturnType<Run<Slot>['take']>, count: number): void {
  if (run === null || run.length < count) return;
  // Numbered from 0 or from 1; anything else is no list of all indices.
  if (!run.items.every(({ index }, i) => index === i || index === i + 1)) return;
  drafts.push({ kind: 'pairs', slots: run.items, length: run.length, start: run.start, end: run.end });
}

/** 1: digits and what may stand among numbers; 2: blanks and separators among them. */
const RUN = classTable('0123456789+-.Ee', ' ,;');
/** What may follow the last number. */
const CLOSING = classTable(' .;,"\')}');

/** Labels after which another number of values is a wrong answer. */
const ANSWER_WORD = /param|line 1|final|answer|correct|revised/i;

/** An upper bound of the elements of a list, which commas separate where there are any. */
function maxElements(codes: Uint16Array, start: number, end: number): number {
  let [commas, blanks] = [0, 0];
  for (let at = start; at < end; at++) {
    if (RUN[codes[at]!] !== 2) continue;
    if (codes[at] === blank) blanks++;
    else commas++;
  }
  return (commas > 0 ? commas : blanks) + 1;
}

/** The numbers at the end of a line, if only a suitable label precedes them. */
function readBareLine({ text, codes, taken }: Source, line: Line, count: number, lineAbove: Line | null): Draft | null {
  let end = line.end;
  while (end > line.start && CLOSING[codes[end - 1]!] === 1) end--;
  if (end === line.start || !isDigit(codes[end - 1]!) || taken(end - 1) >= 0) return null;
  let start = end;
  while (start > line.start && RUN[codes[start - 1]!] !== 0) start--;
  while (start < end && RUN[codes[start]!] === 2) start++;
  const isUnlabelled = start === line.start;
  if (start === end || (isUnlabelled && (count === 1 || end - start < 2 * count - 1))) return null;
  const before = isUnlabelled ? '' : text.slice(Math.max(line.start, start - 120), start);
  if (maxElements(codes, start, end) < count && !ANSWER_WORD.test(before)) return null;
  const label = before.replace(/^[ >|{}("'•]*/, '').trim();
  if (count === 1 && label === '') return null;
  const above =
    lineAbove === null ? '' : text.slice(lineAbove.start, Math.min(lineAbove.end, lineAbove.start + maxNames));
  const names = label === '' ? (NAMES_ONLY.test(above) ? above : null) : NAMES_ONLY.test(label) ? label : null;
  if (label !== '' && names === null) {
    const opened = /\uE000["'({ ]*$/.test(before);
    if (!opened && !(/[:=]["'({ ]*$/.test(before) && announcesVector(label) && label.length < 100)) return null;
  } else if (names === null && announcesOther(above.slice(0, 120)) && /: *$/.test(above)) return null;
  // "1. 5" may be one number that a space tore apart, and "1." the number of a list.
  const body = text.slice(start, end);
  if (/\d\. +\d/.test(body)) return null;
  const list = readList(body, count);
  if (list === null || (list.length !== count && !ANSWER_WORD.test(before))) return null;
  const draft = { kind: 'line' as const, ...list, start, end };
  return names === null ? draft : ordered(draft, names);
}

/** Numbers under or behind a row of names take the indices of the names. */
function ordered(draft: Draft, names: string): Draft {
  const indices = [...names.matchAll(/param(?:eter)?s?[ _]?\[?(\d{1,9})/gi)].map((match) => Number(match[1]));
  if (indices.length !== draft.length) return { ...draft, slots: [], length: -1 };
  return { ...draft, kind: 'pairs', slots: draft.slots.map((slot, i) => ({ ...slot, index: indices[i]! })) };
}

/** The text of one cell or item when it is one number and at most a remark in brackets; null otherwise. */
export function readCell(cell: string): Omit<Slot, 'index'> | null {
  const read = readNumber(cell, 0);
  if (read === null) return null;
  const rest = read.problem === null ? cell.slice(read.end).trim() : '';
  if (rest === '' || rest === '.' || matchAt(/\([^()]{0,80}\)$/y, rest, 0) !== null) {
    return { value: read.value, problem: read.problem };
  }
  return { value: Number.NaN, problem: `is written "${cell.slice(0, 24)}", which is no number` };
}
