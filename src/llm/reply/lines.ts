/** Numbers without brackets and names: a line of them behind a label or alone, one a line, or an index and a value a line. */
import { type Draft, maxDrafts } from './draft.ts';
import { readList } from './lists.ts';
import { matchAt, readNumber, type Slot } from './numbers.ts';

interface Line {
  readonly start: number;
  readonly end: number;
}

/** Labels after which a bare row of numbers is a parameter vector; any other label may announce rewards or bounds. */
const VECTOR_LABEL =
  /\b(?:param(?:eter)?s?|line ?1|answer|values?|proposal|propose|vector|weights|theta|point|solution|output|result|final|choice|new|next|corrected|correction|revised|option|candidate|draft|attempt|alternative|numbers|line 1)\b|[答参案]/i;
const OTHER_QUANTITY =
  /reward|score|return|episode|range|bound|limit|count|seed|step|state|observation|mean|std|deviation|index|indices|allowed|choices|min\b|max\b|line 2|angle|velocity|position/i;

/** True when a label may precede a parameter vector. */
export function announcesVector(label: string): boolean {
  return !OTHER_QUANTITY.test(label) && VECTOR_LABEL.test(label);
}

/** Numbers that come in pairs as vectors do, whatever else the label says. */
const LIMITS = /range|bound|limit|allowed|between|interval|\bmin\b|\bmax\b/i;
/** A label that states a target reward and announces parameters. */
const WISH = /param|value|answer|propos|new|next|final|to (?:get|reach|maximi[sz]e|increase|improve)/i;

/** True when a label says that the numbers are something else. */
export function announcesOther(label: string): boolean {
  return LIMITS.test(label) || (OTHER_QUANTITY.test(label) && !WISH.test(label));
}

const BULLETED = /^[ >]*- +([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ ,]*(?:(?:#|\/\/).*)?$/;
const INDEXED = /^[ >]*(?:[-•] +)?\[?(\d{1,9})\]? ?[:=] ?(?=[+-]? ?\.?\d)/;
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
    const item = itemOf(text, line, taken);
    if (item?.kind === 'bullet') column.add(line, () => item.number);
    else addColumn(drafts, column.take(), count);
    if (item?.kind === 'row') rows.add(line, item.slot);
    else addRows(drafts, rows.take(), count);
    if (item === null) {
      const bare = readBareLine(text, line, count, above, taken);
      if (bare !== null) drafts.push(bare);
    }
    above = line;
  }
  addColumn(drafts, column.take(), count);
  addRows(drafts, rows.take(), count);
  return drafts;
}

type Item = { readonly kind: 'bullet'; readonly number: string } | { readonly kind: 'row'; readonly slot: () => Slot };

/** `- 1.5`, or `0: 1.5`; null for every other line. */
function itemOf(text: string, { start, end }: Line, taken: (at: number) => number): Item | null {
  if (end - start > maxLine) return null;
  let first = start;
  while (first < end && (text.charCodeAt(first) === 0x20 || text.charCodeAt(first) === 0x3e)) first++;
  const character = text[first]!;
  const isDigit = character >= '0' && character <= '9';
  if ((!isDigit && character !== '-' && character !== '[' && character !== '•') || taken(end - 1) >= 0) return null;
  const body = text.slice(start, end);
  const number = character === '-' ? BULLETED.exec(body)?.[1] : undefined;
  if (number !== undefined) return { kind: 'bullet', number };
  const indexed = /[:=]/.test(body) ? INDEXED.exec(body) : null;
  if (indexed === null) return null;
  const slot = () => {
    const cell = readCell(body.slice(indexed[0].length).replace(/[ ,;]+$/, ''));
    return { index: Number(indexed[1]), value: cell?.value ?? Number.NaN, problem: cell?.problem ?? null };
  };
  return { kind: 'row', slot };
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

const isRunCharacter = (code: number) =>
  (code >= 0x30 && code <= 0x39) ||
  code === 0x20 ||
  code === 0x2b ||
  code === 0x2c ||
  code === 0x2d ||
  code === 0x2e ||
  code === 0x3b ||
  code === 0x45 ||
  code === 0x65;

/** The numbers at the end of a line, if only a suitable label precedes them. */
function readBareLine(
  text: string,
  line: Line,
  count: number,
  lineAbove: Line | null,
  taken: (at: number) => number,
): Draft | null {
  let end = line.end;
  while (end > line.start && ' .;,"\')}'.includes(text[end - 1]!)) end--;
  const last = text.charCodeAt(end - 1);
  if (!(last >= 0x30 && last <= 0x39) || taken(end - 1) >= 0) return null;
  let start = end;
  while (start > line.start && isRunCharacter(text.charCodeAt(start - 1))) start--;
  while (start < end && ' ,;'.includes(text[start]!)) start++;
  const isUnlabelled = start === line.start;
  if (start === end || (isUnlabelled && (count === 1 || end - start < 2 * count - 1))) return null;
  const above =
    lineAbove === null ? '' : text.slice(lineAbove.start, Math.min(lineAbove.end, lineAbove.start + maxNames));
  const before = text.slice(Math.max(line.start, start - 120), start);
  const label = before.replace(/^[ >|{}("'•]*/, '').trim();
  const names = label === '' ? (NAMES_ONLY.test(above) ? above : null) : NAMES_ONLY.test(label) ? label : null;
  if (label !== '' && names === null) {
    const opened = /\uE000["'({ ]*$/.test(before);
    if (!opened && !(/[:=]["'({ ]*$/.test(before) && announcesVector(label) && label.length < 100)) return null;
  } else if (names === null && announcesOther(above.slice(0, 120)) && /: *$/.test(above)) return null;
  // "1. 5" may be one number that a space tore apart, and "1." the number of a list.
  const body = text.slice(start, end);
  if (/\d\. +\d/.test(body)) return null;
  const list = readList(body, count);
  if (list === null || (list.length !== count && !/param|line 1|final|answer|correct|revised/i.test(label)))
    return null;
  if (count === 1 && label === '') return null;
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
