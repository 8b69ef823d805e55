/** Runs of `params[i]: v` pairs in a text without markup. */
import { type Draft, maxDrafts, maxPairs } from './draft.ts';
import { readList } from './lists.ts';
import { matchAt, readNumber, type Slot } from './numbers.ts';

/**
 * `params[3]: `, `Parameter[3] = "`, `params[3] (bias) := `, `params_3 = `, `param3: `, `[3]: `, `"params[3]:": `,
 * `params[3] | `, `set params[3] to `, `index: 3, value: `.
 */
const PAIR_HEAD = new RegExp(
  '(?:' +
    '(?<![A-Za-z0-9_])(?:param(?:eter)?s?|参数) ?' +
    '(?:\\[ ?(\\d{1,9}) ?\\]|[_ .#]?(\\d{1,9})(?![\\d.])|_?\\{(\\d{1,9})\\}|\\((\\d{1,9})\\))' +
    '|(?<![\\w\\])\\u0370-\\u03ff])\\[(\\d{1,9})\\]' +
    '|(?<![\\w])index["\']? ?[:=] ?(\\d{1,9})(?=[,;\\s"\']{1,12}value)' +
    ')' +
    '["\']?(?: ?\\([^()\\n]{0,60}\\))?(?:[,;\\s"\']{0,12}\\bvalue["\']?)?' +
    ' ?(?::=|={1,2}|: ?["\'] ?:|:|\\||(?<=[\\])])((?: (?:is|are|should|must|will))?(?: be)?(?: set)? (?:to|is|becomes|equals|be|as)(?= ))|为)' +
    '\\s{0,3}["\']?(?:(?:np\\.|numpy\\.)?float\\d{0,3}\\(|\\((?=-))?',
  'gi',
);

/**
 * Joins neighbouring pairs to drafts. `taken(at)`: end of a span at the position that another finder read, or -1.
 * Returns null for too many pairs.
 */
export function findPairs(text: string, count: number, taken: (at: number) => number): Draft[] | null {
  const drafts: Draft[] = [];
  let pairs = 0;
  let open: OpenDraft | null = null;
  let resume = 0;
  PAIR_HEAD.lastIndex = 0;
  for (let match = PAIR_HEAD.exec(text); match !== null && drafts.length < maxDrafts; match = PAIR_HEAD.exec(text)) {
    if (match.index < resume) continue;
    const outside = taken(match.index);
    if (outside >= 0) {
      open = null;
      PAIR_HEAD.lastIndex = outside;
      continue;
    }
    const verb = match[7];
    const index = Number(match[1] ?? match[2] ?? match[3] ?? match[4] ?? match[5] ?? match[6]);
    const head = PAIR_HEAD.lastIndex;
    const series = index === 0 && verb === undefined ? readSeries(text, head, count) : null;
    if (series !== null) {
      drafts.push({ ...series, start: match.index });
      open = null;
      resume = series.end;
      continue;
    }
    const read = readNumber(text, head);
    if (read === null) {
      open = null;
      continue;
    }
    // A bullet on the next line may be a minus sign or none; nobody can tell.
    const bullet = /^[+-] /.test(text.slice(head, head + 2)) && text.slice(match.index, head).includes('\n');
    if (
      bullet ||
      (read.problem !== null && NAMES_BEFORE.test(text.slice(Math.max(0, match.index - 40), match.index)))
    ) {
      open = null;
      continue;
    }
    pairs++;
    if (pairs > maxPairs + 10 * count) return null;
    const remark = matchAt(REMARK, text, read.end) ?? '';
    const slot = { index, value: read.value, problem: read.problem ?? problemOfRemark(remark, read.value) };
    const joined =
      skipSeparators(text, resume, match.index) >= match.index ||
      (index === (open?.slots.at(-1)?.index ?? index) + 1 && isSubheading(text, resume, match.index));
    if (open !== null && joined && !startsAnew(text, open, slot.index, match.index, count)) {
      open.slots.push(slot);
      open.length++;
      open.end = read.end;
    } else {
      open = { kind: 'pairs', slots: [slot], length: 1, start: match.index, end: read.end, named: new Set() };
      drafts.push(open);
    }
    if (index < count) open.named.add(index);
    resume = read.end + remark.length;
  }
  return drafts;
}

/** `params[0], params[1] = 1.5, -0.5` gives all names first; those lines are read elsewhere. */
const NAMES_BEFORE = /param(?:eter)?s?[ _]?\[?\d{1,9}\]? ?, ?$/i;

interface OpenDraft extends Draft {
  slots: Slot[];
  length: number;
  end: number;
  /** indices in it that exist */
  named: Set<number>;
}

// ---- between pairs ----

const SEPARATOR = new Set(' \n\r,;|&"\'{}()[]•·>.-');

/** Position behind separators, quotes, brackets, list marks and "and"; never other prose. */
function skipSeparators(text: string, from: number, limit: number): number {
  let at = from;
  while (at < limit) {
    const character = text[at]!;
    if (SEPARATOR.has(character)) at++;
    else if (text.startsWith('and', at) && !/[A-Za-z]/.test(text[at + 3] ?? '')) at += 3;
    else if (character === '和' || character === '与') at++;
    else if (/[xX]/.test(character) && text[at - 1] === '[' && text[at + 1] === ']') at++;
    else {
      const number = matchAt(LIST_NUMBER, text, at);
      if (number === null) return at;
      at += number.length;
    }
  }
  return at;
}

/** A heading on a line of its own, or a label, that says which part of the parameters comes next. */
const SUBHEADING =
  /^[\s,;.]*\n[\s>#-]*(?:row|line|action|weights?|bias(?:es)?|layer|hidden|output|input|states?|group|block|part|section|for)\b[^\n[\]=]{0,50}(?:: ?|\n\s*)[>-]? ?$/i;
const maxSubheading = 100;

function isSubheading(text: string, from: number, to: number): boolean {
  return to - from <= maxSubheading && SUBHEADING.test(text.slice(from, to));
}

const LIST_NUMBER = /(?<=\n[ ]{0,8})\d{1,3}[.)] /y;
/** A remark behind a value: in brackets, or up to the end of the line. A pair inside a remark is not part of the draft. */
const REMARK = /[ ,;.]{0,4}(?:\([^()\n]{0,200}\)|(?:#|\/\/|--|<-|←|—)[^\n]*|[-:] (?![^\n]{0,200}?param)[^\n]*)/y;

const OTHER_VALUE =
  /\b(?:no[:,;]|actually|(?:should|must) be|correct(?:ed)?(?: to)?|changed? to|now|instead|rather|revised(?: to)?|updated? to)[ :=,]{1,3}([+-]?(?:\d+(?:\.\d+)?|\.\d+))(?![\d.]*\d|[A-Za-z%]| (?:times|x|percent|points?|of|steps?|trials?|lower|higher|larger|smaller|more|less|above|below)\b)/i;

/** "3 (should be 1.5)": the remark behind a value gives another one. */
function problemOfRemark(remark: string, value: number): string | null {
  const other = OTHER_VALUE.exec(remark);
  if (other === null || Number(other[1]) === value) return null;
  return `is given as ${value} and, in a remark behind it, as ${Number(other[1])}`;
}

/**
 * A pair on a new line that repeats an index may belong to a second listing. It does when the first one is complete
 * and either fills one line, or ends before a blank line, or begins with the same index; an incomplete listing ends
 * only where a blank line and its own first index follow. Any other repetition is a contradiction inside the draft.
 */
function startsAnew(text: string, open: OpenDraft, index: number, at: number, count: number): boolean {
  const sameStart = index === open.slots[0]!.index;
  const complete = open.named.size === count;
  const repeated = sameStart || (complete && index < count);
  if (!repeated) return false;
  const between = text.slice(open.end, at);
  if (!between.includes('\n')) return false;
  const blankLine = /\n *\n/.test(between);
  if (!complete) return blankLine && sameStart;
  return blankLine || sameStart || !text.slice(open.start, open.end).includes('\n');
}

// ---- all numbers behind the first name ----

const SERIES = /[+-]? ?\.?\d[\d.eE+-]*(?:(?:, {1,3}| {1,3})[+-]?\.?\d[\d.eE+-]*)+/y;

/** `params[0]: 1.5, -0.5, 0.2`: exactly `count` numbers, a space behind each comma, and no name behind them. */
function readSeries(text: string, at: number, count: number): Omit<Draft, 'start'> | null {
  if (count < 2) return null;
  const series = matchAt(SERIES, text, at);
  if (series === null) return null;
  // "1. 5" may be one number that a space tore apart.
  if (/\d\. +\d/.test(series)) return null;
  const end = at + series.length - (series.endsWith('.') ? 1 : 0);
  if (/^[ ,;.|"'\]})]{0,6}(?:param|\[\d|[A-Za-z%^*/±])/i.test(text.slice(end, end + 16))) return null;
  const list = readList(series, count);
  return list === null || list.length !== count ? null : { kind: 'list', ...list, end };
}
