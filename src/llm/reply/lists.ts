/** Lists of numbers: `[1, 2]`, `(1, 2)`, nested ones, NumPy's and other calls around them. */
import { type Draft, maxDrafts } from './draft.ts';
import { notPlain, readNumber, type Slot } from './numbers.ts';

/** Index of the closing bracket for each opening one; -1: not closed, or no opening bracket. */
export function matchBrackets(text: string): Int32Array {
  const closes = new Int32Array(text.length).fill(-1);
  const open = new Int32Array(text.length);
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x28) open[depth++] = at;
    else if (code === 0x5d || code === 0x29) {
      if (depth > 0 && (text.charCodeAt(open[depth - 1]!) === 0x5b) === (code === 0x5d)) closes[open[--depth]!] = at;
    }
  }
  return closes;
}

const BRACKET = /[[(]/g;
/** What the body of a list of numbers begins with: at most four brackets and calls, then a number or a word for none. */
const BODY =
  /(?:\s{0,20}(?:[A-Za-z_][\w.]{0,30} ?\(|[[(]|["'])){0,8}\s{0,20}(?:[+-]? ?\.?\d|[+-]?(?:nan|inf|null|none|undefined|n\/a))/iy;
/** Behind a list that is a factor, an index, a link or an argument of an equation, which makes it no answer. */
const NO_LIST = /(?: ?(?:[:*^/+]|=(?!=|>)|- ?[\d.(])|\()/y;
const WRAPPER =
  /(?:(?:np|numpy|torch|tf|jnp|math|decimal)\.)?(?:float\d{0,3}|double|int\d{0,2}|array|asarray|tensor|list|tuple|Decimal|number) ?\(|[[\]()]/gi;

export function findLists(text: string, count: number): Draft[] {
  const found: Draft[] = [];
  const closes = matchBrackets(text);
  BRACKET.lastIndex = 0;
  for (let match = BRACKET.exec(text); match !== null && found.length < maxDrafts; match = BRACKET.exec(text)) {
    const open = match.index;
    const close = closes[open]!;
    if (close < 0) continue;
    // A bracket glued to a name is an index or the call of a function, whose own list is looked at next.
    if (open > 0 && /[\w\])\u0370-\u03ff]/.test(text[open - 1]!)) continue;
    BODY.lastIndex = open + 1;
    if (!BODY.test(text) || BODY.lastIndex > close) continue;
    NO_LIST.lastIndex = close + 1;
    if (NO_LIST.test(text)) continue;
    const list = readList(text.slice(open + 1, close), count);
    if (list === null) continue;
    const kind = match[0] === '[' ? 'list' : 'tuple';
    found.push({ kind, slots: list.slots, length: list.length, start: open, end: close + 1 });
    BRACKET.lastIndex = close + 1;
  }
  return found;
}

export interface ListBody {
  /** at most `count` */
  readonly slots: Slot[];
  /** number of elements */
  readonly length: number;
}

/** The elements of a list body, nested ones in order; null when it is no list of numbers (prose in brackets). */
export function readList(body: string, count: number): ListBody | null {
  const plain = body
    .replace(/(?:#|\/\/)[^\n]*/g, '')
    .replace(WRAPPER, ' ')
    .trim();
  const parts = /[,;]/.test(plain) ? plain.split(/[,;]/) : plain.split(/\s+/);
  if (parts.at(-1)!.trim() === '') parts.pop();
  // "1,000, 2.5" cannot be distinguished from three numbers; "1,234,5" without any space is a plain list.
  const spaced = /,\s/.test(plain);
  const slots: Slot[] = [];
  for (let index = 0; index < Math.min(parts.length, count); index++) {
    const token = parts[index]!.trim().replace(/^(["'])(.*)\1$/, '$2');
    const read = readNumber(token, 0);
    if (read === null && index === 0) return null;
    const next = parts[index + 1];
    slots.push({ index, ...element(token, read, spaced && next !== undefined && /^\d{3}$/.test(next)) });
  }
  return slots.length === 0 ? null : { slots, length: parts.length };
}

function element(token: string, read: ReturnType<typeof readNumber>, thousands: boolean): Omit<Slot, 'index'> {
  if (read === null || token.slice(read.end).replace('.', '') !== '') {
    const problem = read?.problem ?? `is written "${token.slice(0, 24)}", which is no number`;
    return { value: Number.NaN, problem };
  }
  if (/^[+-]?0\d/.test(token) || thousands) {
    const rule = notPlain.slice(notPlain.indexOf('('));
    return { value: Number.NaN, problem: `stands next to a comma that may be a thousands separator ${rule}` };
  }
  return { value: read.value, problem: read.problem };
}
