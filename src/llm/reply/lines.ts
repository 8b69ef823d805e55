/** Numbers without brackets and names: a line of them behind a label or alone, one a line, or an index and a value a line. */
import { type Draft, mostDrafts } from './draft.ts';
import { readList } from './lists.ts';
import { matchAt, readNumber, type Slot } from './numbers.ts';

interface Line {
  readonly start: number;
  readonly end: number;
}

/** Labels behind which a bare row of numbers is a vector of parameters; any other label may announce rewards or bounds. */
const VECTOR_LABEL =
  /\b(?:param(?:eter)?s?|line ?1|answer|values?|proposal|propose|vector|weights|theta|point|solution|output|result|final|choice|new|next|corrected|correction|revised|option|candidate|draft|attempt|alternative|numbers|line 1)\b|[答参案]/i;
const OTHER_QUANTITY =
  /reward|score|return|episode|range|bound|limit|count|seed|step|state|observation|mean|std|deviation|index|indices|allowed|choices|min\b|max\b|line 2|angle|velocity|position/i;

/** True when a label may stand before a vector of parameters. */
export function announcesVector(label: string): boolean {
  return !OTHER_QUANTITY.test(label) && VECTOR_LABEL.test(label);
}

/** Numbers that come in pairs as vectors do, whatever else the label says. */
const LIMITS = /range|bound|limit|allowed|between|interval|\bmin\b|\bmax\b/i;
/** A label that wishes for a reward and announces parameters. */
const WISH = /param|value|answer|propos|new|next|final|to (?:get|reach|maximi[sz]e|increase|improve)/i;

/** True when a label says that the numbers are something else. */
export function announcesOther(label: string): boolean {
  return LIMITS.test(label) || (OTHER_QUANTITY.test(label) && !WISH.test(label));
}

const BULLETED = /^[ >]*- +([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ ,]*(?:(?:#|\/\/).*)?$/;
const INDEXED = /^[ >]*(?:[-•] +)?\[?(\d{1,9})\]? ?[:=] ?(?=[+-]? ?\.?\d)/;
const NAMES_ONLY = /^[ >|#]*(?:param(?:eter)?s?[ _]?\[?\d{1,9}\]?[ ,;|=:]*){2,2000}$/i;

export function findLines(text: string, count: number, taken: (at: number) => number): Draft[] {
  const drafts: Draft[] = [];
  let column: { line: Line; number: string }[] = [];
  let rows: { line: Line; slot: Slot }[] = [];
  let above = '';
  const endColumn = () => {
    if (column.length > 1 || (column.length === 1 && count === 1)) {
      const list = readList(column.map(({ number }) => number).join(', '), count);
      if (list !== null)
        drafts.push({ kind: 'line', ...list, start: column[0].line.start, end: column.at(-1)!.line.end });
    }
    column = [];
  };
  const endRows = () => {
    if (rows.length >= count) {
      const slots = rows.map(({ slot }) => slot);
      // A list that is numbered from 1, or with gaps, is no list of all indices.
      if (slots.every(({ index }, i) => index === i || index === i + 1)) {
        drafts.push({
          kind: 'pairs',
          slots,
          length: slots.length,
          start: rows[0].line.start,
          end: rows.at(-1)!.line.end,
        });
      }
    }
    rows = [];
  };
  for (const line of linesOf(text)) {
    if (drafts.length >= mostDrafts) break;
    const outside = taken(line.start);
    const body = line.end - line.start < 400 && outside < 0 ? text.slice(line.start, line.end) : null;
    const bulleted = body === null ? null : BULLETED.exec(body);
    const indexed = body === null ? null : INDEXED.exec(body);
    const read = indexed === null ? null : readNumber(body!, indexed[0].length);
    if (bulleted !== null) column.push({ line, number: bulleted[1] });
    else endColumn();
    if (read !== null && /^[ ,;.]*$/.test(body!.slice(read.end))) {
      rows.push({ line, slot: { index: Number(indexed![1]), value: read.value, problem: read.problem } });
    } else endRows();
    if (outside < 0 && bulleted === null && indexed === null) {
      const bare = readBareLine(text, line, count, above, taken);
      if (bare !== null) drafts.push(bare);
    }
    if (body === null || body.trim() !== '') above = body ?? '';
  }
  endColumn();
  endRows();
  return drafts;
}

function* linesOf(text: string): Generator<Line> {
  let start = 0;
  while (start <= text.length) {
    const next = text.indexOf('\n', start);
    const end = next < 0 ? text.length : next;
    if (end > start) yield { start, end };
    start = end + 1;
  }
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

/** The numbers at the end of a line, when nothing but a label that fits stands before them. */
function readBareLine(
  text: string,
  line: Line,
  count: number,
  above: string,
  taken: (at: number) => number,
): Draft | null {
  let end = line.end;
  while (end > line.start && ' .;,"\')}'.includes(text[end - 1])) end--;
  const last = text.charCodeAt(end - 1);
  if (!(last >= 0x30 && last <= 0x39) || taken(end - 1) >= 0) return null;
  let start = end;
  while (start > line.start && isRunCharacter(text.charCodeAt(start - 1))) start--;
  while (start < end && ' ,;'.includes(text[start])) start++;
  if (start === end) return null;
  const before = text.slice(Math.max(line.start, start - 120), start);
  const label = before.replace(/^[ >|{}("'•]*/, '').trim();
  const names = label === '' ? (NAMES_ONLY.test(above) ? above : null) : NAMES_ONLY.test(label) ? label : null;
  if (label !== '' && names === null) {
    const opened = /\uE000["'({ ]*$/.test(before);
    if (!opened && !(/[:=]["'({ ]*$/.test(before) && announcesVector(label) && label.length < 100)) return null;
  } else if (names === null && announcesOther(above.slice(0, 120)) && /:\s*$/.test(above)) return null;
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
  return { ...draft, kind: 'pairs', slots: draft.slots.map((slot, i) => ({ ...slot, index: indices[i] })) };
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
