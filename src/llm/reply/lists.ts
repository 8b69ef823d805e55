/** Lists of numbers: `[1, 2]`, `(1, 2)`, nested ones, NumPy's and other calls around them. */
import { codesOf } from './codes.ts';
import { type Draft, maxDrafts } from './draft.ts';
import { notPlain, readNumber, type Slot, testAt } from './numbers.ts';

const [squareOpen, roundOpen, squareClose, roundClose] = [0x5b, 0x28, 0x5d, 0x29];

/** Index of the closing bracket for each opening one; -1: not closed, or no opening bracket. */
function matchBrackets(codes: Uint16Array): Int32Array {
  const closes = new Int32Array(codes.length).fill(-1);
  const open = new Int32Array(codes.length);
  let depth = 0;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    if (code === squareOpen || code === roundOpen) open[depth++] = at;
    else if (code === squareClose || code === roundClose) {
      if (depth > 0 && (codes[open[depth - 1]!] === squareOpen) === (code === squareClose)) {
        closes[open[--depth]!] = at;
      }
    }
  }
  return closes;
}

/** What the body of a list of numbers begins with: at most four brackets and calls, then a number or a word for none. */
const BODY =
  /(?:\s{0,20}(?:[A-Za-z_][\w.]{0,30} ?\(|[[(]|["'])){0,8}\s{0,20}(?:[+-]?\u00AD? ?\.?\d|[+-]?(?:nan|inf|null|none|undefined|n\/a))/iy;
/** Behind a list that is an index, a link or an argument of an equation, which makes it no answer. */
const NO_LIST = /(?: ?(?::|=(?!=|>))|\()/y;
/** Behind an operand: an operator, a part of it, or a method that may change it. */
const OPERATOR =
  /[)\]]{0,3} {0,2}(?:(?!\^ ?\{?(?:T|top)\b)[*^+@%×·÷]|\/(?!\/)|- ?(?:[\d.(]|\[ ?[-+.\d]|(?:delta|grad|gradient|step|eps|best|base|params|current|noise)\b ?(?:$|[*.[(;])))|[)\]]{0,3}(?:\.(?!(?:tolist|copy|flatten|ravel|reshape|astype|squeeze|numpy|float|double|to|cpu|detach)\b)[a-z_]\w{0,30}\(|\[ ?[-:\d])|[)\]]{0,3} if\b[^\n]{1,60}\belse\b|[)\]]{0,3} (?:times|plus|minus|divided by|multiplied by|scaled by)\b/my;
const WRAPPER =
  /(?:(?:np|numpy|torch|tf|jnp|math|decimal)\.)?(?:float\d{0,3}|double|int\d{0,2}|array|asarray|tensor|list|tuple|Decimal|number) ?\(|[[\]()]/gi;

export function findLists(text: string, count: number): Draft[] {
  const found: Draft[] = [];
  if (!/[[(]/.test(text)) return found;
  const codes = codesOf(text);
  const closes = matchBrackets(codes);
  for (let open = 0; open < codes.length && found.length < maxDrafts; open++) {
    const code = codes[open];
    if (code !== squareOpen && code !== roundOpen) continue;
    const close = closes[open]!;
    if (close < open + 2) continue;
    // A bracket glued to a name is an index or the call of a function, whose own list is looked at next.
    if (open > 0 && /[\w\])\u0370-\u03ff]/.test(text[open - 1]!)) continue;
    if (!testAt(BODY, text, open + 1) || BODY.lastIndex > close) continue;
    if (testAt(NO_LIST, text, close + 1)) continue;
    const list = readList(text.slice(open + 1, close), count);
    if (list === null) continue;
    const kind = code === squareOpen ? 'list' : 'tuple';
    const unfit = testAt(OPERATOR, text, close + 1) ? 'computed' : null;
    found.push({ kind, slots: list.slots, length: list.length, start: open, end: close + 1, unfit });
    open = close;
  }
  return found;
}

const maxBody = 5000;
/** characters of one element; numbers have at most 25 */
const maxElement = 100;

export interface ListBody {
  /** at most `count` */
  readonly slots: Slot[];
  /** number of elements */
  readonly length: number;
}

/** The elements of a list body, nested ones in order; null when it is no list of numbers (prose in brackets). */
export function readList(body: string, count: number): ListBody | null {
  // A body that is cut holds more than `count` elements still.
  const plain = body
    .slice(0, maxBody + maxElement * count)
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
