/**
 * Finds the parameter blocks of a reply: runs of `params[i]: v` pairs, and lists. Only shapes are judged here; which
 * block is the answer, and whether its numbers may be used, is decided in parse.ts.
 */

/** One `params[i]: v`, or one element of a list. */
export interface Slot {
  readonly index: number;
  readonly value: number;
  /** why the text is no plain number, as the end of a sentence that starts with the name; null when it is one */
  readonly problem: string | null;
}

export interface Block {
  readonly kind: 'pairs' | 'list';
  /** in the order of the text; an index may stand in it twice */
  readonly slots: readonly Slot[];
  readonly start: number;
  /** position after the block */
  readonly end: number;
  /** nothing but a label stands before it on its line, and nothing but a remark after it */
  readonly alone: boolean;
  /** its label says that these numbers are not the answer ("previous best: ...") */
  readonly old: boolean;
}

interface Draft {
  readonly kind: Block['kind'];
  readonly slots: Slot[];
  readonly start: number;
  end: number;
}

/** All blocks, in the order of the text. `text` comes from `withoutMarkup`, `count` is the number of parameters. */
export function findBlocks(text: string, count: number): Block[] {
  const drafts = [...collectPairs(text, PAIR_HEAD, 0, text.length, count), ...lists(text)];
  for (const object of text.matchAll(KEYED_OBJECT)) {
    drafts.push(...collectPairs(text, KEY_HEAD, object.index, object.index + object[0].length, count));
  }
  drafts.sort((a, b) => a.start - b.start);
  return drafts.map(({ kind, slots, start, end }) => ({ kind, slots, start, end, ...surroundings(text, start, end) }));
}

/** True when every index from 0 to count - 1 is named, whatever its value. */
export function namesAll(block: Pick<Block, 'kind' | 'slots'>, count: number): boolean {
  if (block.kind === 'list') return block.slots.length === count;
  const named = new Set(block.slots.map((slot) => slot.index).filter((index) => index < count));
  return named.size === count;
}

// ---- numbers ----

const NUMBER = /[+-]? ?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NOT_FINITE = /[+-]?(?:nan|inf(?:inity)?|∞|null|none|undefined|n\/a)(?![A-Za-z0-9_])/iy;
/**
 * What may not follow a number, because it changes the meaning: more digits behind a separator ("1,000", "1 000",
 * "1.2.3", "1,5"), a letter or a percent sign ("0x10", "5%"), an operator ("1/2", "2*3", "1 - 2", "1 ± 0.1"), or a
 * change ("1.0 -> 1.5", "1.0 to 1.5").
 */
const SPOILER =
  /[A-Za-z0-9_%^*]|\.{1,3}\d|['’]\d|,? {0,2}[+-]?\.?\d| {0,2}(?:->|=|→|⇒|±|\+\/-|\/ ?\.?\d|to [+-]?\.?\d|[-+*×·] ?\.?\d)/y;

interface Value {
  readonly value: number;
  readonly problem: string | null;
  readonly end: number;
}

/** The value at `at`; null when no number stands there but prose ("params[0]: the weight of x"). */
function readValue(text: string, at: number): Value | null {
  const word = matchAt(NOT_FINITE, text, at);
  if (word !== null) {
    return { value: Number.NaN, problem: `is "${word}", which is no finite number`, end: at + word.length };
  }
  const number = matchAt(NUMBER, text, at);
  if (number === null) return null;
  // "1." at the end of a sentence: the point is the sentence's, and the value is the same without it.
  const end = at + number.length - (number.endsWith('.') ? 1 : 0);
  if (matchAt(SPOILER, text, end) !== null) {
    const shown = text
      .slice(at, at + 24)
      .split(/[\n;]| ?(?=param)/i, 1)[0]
      .replace(/[ ,]+$/, '');
    const problem = `is written "${shown}", which is no plain number (${PLAIN})`;
    return { value: Number.NaN, problem, end: at + shown.length };
  }
  const value = Number(number.replace(' ', ''));
  const problem = Number.isFinite(value) ? null : `is ${number}, which is too large for a finite number`;
  return { value, problem, end };
}

const PLAIN = 'no thousands separators, decimal commas, units or arithmetic';

// ---- pairs ----

/** `params[3]: `, `**Parameter[3]** = "`, `params[3] (bias) := `; markup is already gone. */
const PAIR_HEAD =
  /(?<![A-Za-z0-9_])param(?:eter)?s? ?\[ ?(\d{1,9}) ?\]["']?(?: ?\([^()\n]{0,60}\))? ?(?::=|={1,2}|:)\s{0,3}["']?/gi;
/** A JSON object whose keys are the indices: `{"0": 1.5, "1": -2}`. */
const KEYED_OBJECT = /\{\s{0,20}"\d{1,9}" ?:[^{}]*\}/g;
const KEY_HEAD = /"(\d{1,9})" ?:\s{0,3}["']?/g;

/** Between two pairs of a block: separators, quotes, brackets, list marks, "and"; never other prose. */
const SEPARATORS = /(?:[\s,;|&"'{}()[\]•·>.-]|and(?![A-Za-z])|(?<=\n[ ]{0,8})\d{1,3}[.)] )*/y;
/** A remark behind a value: in brackets, or up to the end of the line. A pair inside a remark is not part of the block. */
const REMARK = /[ ,;.]{0,4}(?:\([^()\n]{0,200}\)|(?:#|\/\/|--|<-|←|—)[^\n]*|[-:] (?![^\n]*?param)[^\n]*)/y;

/** Joins neighbouring pairs in text[from, to) to blocks. */
function collectPairs(text: string, head: RegExp, from: number, to: number, count: number): Draft[] {
  const blocks: Draft[] = [];
  let open: Draft | null = null;
  let resume = from;
  head.lastIndex = from;
  for (let match = head.exec(text); match !== null && match.index < to; match = head.exec(text)) {
    if (match.index < resume) continue;
    const read = readValue(text, head.lastIndex);
    if (read === null) {
      open = null;
      continue;
    }
    const slot = { index: Number(match[1]), value: read.value, problem: read.problem };
    const joined = resume + (matchAt(SEPARATORS, text, resume)?.length ?? 0) >= match.index;
    if (open !== null && joined && !startsAnew(text, open, slot.index, match.index, count)) {
      open.slots.push(slot);
      open.end = read.end;
    } else {
      open = { kind: 'pairs', slots: [slot], start: match.index, end: read.end };
      blocks.push(open);
    }
    resume = read.end + (matchAt(REMARK, text, read.end)?.length ?? 0);
  }
  return blocks;
}

/**
 * A pair on a new line that repeats an index may belong to a second listing. It does when the first one is complete
 * and either fills one line, or ends before a blank line, or begins with the same index; an incomplete listing ends
 * only where a blank line and its own first index follow. Any other repetition is a contradiction inside the block.
 */
function startsAnew(text: string, open: Draft, index: number, at: number, count: number): boolean {
  const between = text.slice(open.end, at);
  if (!between.includes('\n') || !open.slots.some((slot) => slot.index === index)) return false;
  const blankLine = /\n *\n/.test(between);
  const sameStart = index === open.slots[0].index;
  if (!namesAll(open, count)) return blankLine && sameStart;
  return blankLine || sameStart || !text.slice(open.start, open.end).includes('\n');
}

// ---- lists ----

/** `params = [`, `"params": [`, `params: np.array([`, and `[` at the start of a line or behind its label. */
const LIST_HEAD =
  /(?<![A-Za-z0-9_])param(?:eter)?s?["']?\s{0,3}(?::=|={1,2}|:)\s{0,3}(?:[A-Za-z_.]{1,20}\()?[[(]|(?<=^[ >-]{0,8}|^[^\n[\]]{1,60}[:=] {0,2})\[/gim;

function lists(text: string): Draft[] {
  const found: Draft[] = [];
  for (const match of text.matchAll(LIST_HEAD)) {
    const from = match.index + match[0].length;
    const close = text.indexOf(match[0].endsWith('(') ? ')' : ']', from);
    // "[0]: 1.5" is an index in brackets, not a list.
    if (close < 0 || /^ ?[:=]/.test(text.slice(close + 1, close + 3))) continue;
    const slots = readList(text.slice(from, close));
    if (slots !== null) found.push({ kind: 'list', slots, start: match.index, end: close + 1 });
  }
  return found;
}

/** The elements of a list body; null when it is no list of numbers (prose in brackets, a nested list). */
function readList(body: string): Slot[] | null {
  const plain = body.replace(/(?:#|\/\/)[^\n]*/g, '').trim();
  const parts = /[,;]/.test(plain) ? plain.split(/[,;]/) : plain.split(/\s+/);
  if (parts.at(-1)!.trim() === '') parts.pop();
  // "1,000, 2.5" cannot be told from three numbers; "1,234,5" without any space is a plain list.
  const spaced = /,\s/.test(plain);
  const slots: Slot[] = [];
  for (const [index, part] of parts.entries()) {
    const token = part.trim().replace(/^(["'])(.*)\1$/, '$2');
    const read = readValue(token, 0);
    if (read === null && index === 0) return null;
    const next = parts[index + 1];
    if (read === null || token.slice(read.end).replace('.', '') !== '') {
      slots.push({
        index,
        value: Number.NaN,
        problem: read?.problem ?? `is written "${token.slice(0, 24)}", which is no number`,
      });
    } else if (/^[+-]?0\d/.test(token) || (spaced && next !== undefined && /^\d{3}$/.test(next))) {
      slots.push({
        index,
        value: Number.NaN,
        problem: `stands next to a comma that may be a thousands separator (${PLAIN})`,
      });
    } else {
      slots.push({ index, value: read.value, problem: read.problem });
    }
  }
  return slots.length === 0 ? null : slots;
}

// ---- surroundings ----

const OPENING = /^(?:[\s>|{}("'[•·,;-]|\d{1,3}[.)] )*/;
const LABEL = /^[^\n]{1,80}[:=]["'\s([{]*$/;
const OLD_LABEL =
  /\b(?:previous(?:ly)?|prior|old(?:er)?|earlier|before|current(?:ly)?|existing|original|initial|last|so far|history|trial|was|were|tried|rejected|compared|unlike)\b/i;
/** Brackets and points, then nothing, a new sentence, a remark, or the next key of a JSON object that is no old trial. */
const CLOSING =
  /^(?:[\s,;.!"')\]}|]*(?:$|\(|#|\/\/|--|- |—|<)|[\s"')\]}]*[.!] |[\s)\]}]*, *"(?!mean|reward|score|return|f")\w+" ?:)/;

function surroundings(text: string, start: number, end: number): { alone: boolean; old: boolean } {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  const before = text.slice(lineStart, start).replace(OPENING, '');
  const after = text.slice(end, lineEnd < 0 ? undefined : lineEnd);
  const alone = (before === '' || LABEL.test(before)) && CLOSING.test(after);
  return { alone, old: alone && OLD_LABEL.test(before === '' ? labelAbove(text, lineStart) : before) };
}

/** The nearest non-blank line above, when it ends like a label; else ''. */
function labelAbove(text: string, lineStart: number): string {
  const above = text.slice(Math.max(0, lineStart - 400), lineStart).trimEnd();
  const line = above.slice(above.lastIndexOf('\n') + 1);
  return line.endsWith(':') ? line : '';
}

function matchAt(sticky: RegExp, text: string, at: number): string | null {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? null;
}
