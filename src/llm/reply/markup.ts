/** Takes away what only dresses the text: tags, emphasis, LaTeX. What markup says about an answer is kept as a mark. */
import { marks } from './characters.ts';
import { classTable, codesOf, textOf } from './codes.ts';
import { namesQuantity } from './labels.ts';

const TAG = /<(\/?)([A-Za-z][\w:.=[\]-]{0,60})(\s[^<>]{0,300})?>|<\|([^<>|\n]{1,60})\|?>|~~(?!~)/g;
const maxTagNames = 100;
/** Maximum tags in a reply beyond those that `count` parameters need; it bounds the work for huge replies. */
const maxTags = 20_000;
const tagsOfParameter = 20;
const ANSWER_TAG =
  /^(?:(?:final|new|corrected)[_-]?)?(?:answer|solution|output|result|response|proposal|param(?:eter)?s?|final)$/i;
const ANSWER_TOKEN = /^(?:begin_of_solution|start_response|content|response|answer|begin_of_box)$/i;
const STRIKING_TAG = /^(?:s|del|strike)$/i;
const LINE_TAG = /^(?:br|p|div|li|ul|ol|h[1-6]|section|summary|details|blockquote|hr|pre|tool_call|function(?:=.*)?)$/i;
const CELL_TAG = /^(?:td|th)$/i;
const INDEXED = /param(?:eter)?s?[[_=]?\s?"?(\d{1,9})/i;
const INDEX_ATTRIBUTE = /\b(?:index|id|name|n|i)=["']?(?:param(?:eter)?s?)?[[_]?(\d{1,9})/i;

/**
 * Replaces tags: those that hold the answer by a mark, cells and rows by `|` and line breaks, a tag that names a
 * parameter by its name. Text that is struck out goes. Null for too many tags.
 */
export function withoutTags(text: string, count: number): string | null {
  if (!text.includes('<') && !text.includes('~~')) return text;
  const out: string[] = [];
  const known = new Map<string, string>();
  let from = 0;
  let struck: { readonly by: string; readonly length: number } | null = null;
  // A loop of `exec`: `matchAll` takes twice the time, and a reply may consist of tags.
  TAG.lastIndex = 0;
  let left = maxTags + tagsOfParameter * count;
  for (let match = TAG.exec(text); match !== null; match = TAG.exec(text)) {
    if (left-- === 0) return null;
    const [mark, slash, name, attributes, token] = match;
    let as: string;
    if (mark === '~~' || (name !== undefined && name.length < 7 && STRIKING_TAG.test(name))) {
      const by = mark === '~~' ? mark : name!.toLowerCase();
      out.push(text.slice(from, match.index));
      from = match.index + mark.length;
      if (struck === null && slash !== '/') struck = { by, length: out.length };
      else if (struck?.by === by && (mark === '~~' || slash === '/')) {
        out.length = struck.length;
        struck = null;
      }
      continue;
    }
    if (token !== undefined) as = ANSWER_TOKEN.test(token) ? marks.answer : '';
    else if (attributes !== undefined) as = replacement(name!, slash === '/', attributes);
    else {
      const id = slash! + name!;
      as = known.get(id) ?? replacement(name!, slash === '/', '');
      if (known.size < maxTagNames) known.set(id, as);
    }
    if (match.index > from) out.push(text.slice(from, match.index));
    if (as !== '') out.push(as);
    from = match.index + mark.length;
  }
  out.push(text.slice(from));
  return out.join('');
}

function replacement(name: string, closing: boolean, attributes: string): string {
  const indexed = INDEXED.exec(name) ?? (/^param/i.test(name) ? INDEX_ATTRIBUTE.exec(attributes) : null);
  if (indexed !== null) return closing ? ' ' : `\nparams[${indexed[1]}]: `;
  if (ANSWER_TAG.test(name) || /^param(?:eter)?=param/i.test(name)) return closing ? '\n' : marks.answer;
  if (CELL_TAG.test(name)) return closing ? '' : '|';
  if (/^tr$/i.test(name)) return closing ? '|\n' : '\n';
  if (LINE_TAG.test(name)) return '\n';
  // "<delta>" says what its numbers are.
  return namesQuantity(name) ? (closing ? '\n' : `\n${name}: `) : '';
}

/** Without what LaTeX strikes out, and what a diff removes. First, because the braces may look like an object. */
export function withoutCancelled(text: string): string {
  const kept = text.includes('\\') ? text.replace(/\\(?:st|sout|[bx]?cancel) ?\{[^{}]{0,5000}\}/g, '') : text;
  if (!kept.includes('\n+')) return kept;
  const fenced = kept.replace(DIFF_FENCE, (fence) => fence.replace(/^-[^\n]*$/gm, '').replace(/^\+/gm, ' '));
  const added = fenced.replace(ADDED_SIGNS, ' ');
  return added === fenced ? fenced : added.replace(REMOVED_LINES, '');
}

const DIFF_FENCE = /^ {0,3}```+ ?(?:diff|patch)\b(?:\n(?! {0,3}```)[^\n]*)*/gim;
/** Without a fence, lines of parameters with a minus and lines of parameters with a plus in front of them. */
const REMOVED_LINES = /^-[ "'[{(]{0,8}param[^\n]*$/gim;
const ADDED_SIGNS = /^\+(?=[ "'[{(]{0,8}param)/gim;

const LATEX_ARRAY = /\\(begin|end) ?\{(?:[pbvB]?matrix|array|pmatrix\*)\}(?:\{[lcr| ]{1,40}\})?/g;
/** An escaped line break, and not the beginning of a command such as `\nu`. */
const ESCAPED_BREAK = /\\r?\\?n(?!abla|eq|eg\b|u\b|i\b|ot\b|ewline)/g;

/** Maximum backslashes in a reply beyond those that `count` parameters need; it bounds the work for huge replies. */
const maxBackslashes = 20_000;
const backslashesOfParameter = 20;

/**
 * Without LaTeX and backslashes; what a box holds is marked as the answer, a matrix becomes a list. Null for too many
 * backslashes.
 */
export function withoutBackslashes(text: string, count: number): string | null {
  if (!text.includes('\\')) return text;
  let left = maxBackslashes + backslashesOfParameter * count;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at + 1)) if (left-- === 0) return null;
  const columns = text.includes('\\begin') ? text.replace(/ & /g, ', ') : text;
  return columns
    .replace(LATEX_ARRAY, (_, side: string) => (side === 'begin' ? '[' : ']'))
    .replace(/\\(?:times|cdot) ?/g, '×')
    .replace(/\\(?:boxed|fbox) ?\{?/g, `${marks.answer}`)
    .replace(/\\(?:text|texttt|mathrm|mathbf|mathit|mathtt|operatorname|textbf|emph) ?\{([^{}\n]{0,200})\}/g, '$1')
    .replace(/\\(?:left|right|big|Big)(?=[[\](){}|.\\])/g, '')
    .replace(/\\(?:[,;:!> ]|quad\b|qquad\b)/g, ' ')
    .replace(ESCAPED_BREAK, '\n')
    .replace(/\\\\/g, ', ')
    .replace(/\\[rt](?![A-Za-z])/g, ' ')
    .replaceAll('\\', '');
}

/**
 * Without emphasis marks, backticks and dollar signs, and with straight quotes. A mark between two letters or digits
 * stays (`2*3`, `max_steps`): taking it out would glue them together. So does a tilde before a number, which makes
 * it an approximate one, and an operator at a bracket (`[0.0]*3`, `best * [0.5]`).
 */
export function withoutEmphasis(marked: string): string {
  const text = marked.includes('```') ? marked.replace(FENCE, '') : marked;
  if (!EMPHASIS.test(text)) return text;
  const codes = codesOf(text);
  const plain = new Uint16Array(codes.length);
  let length = 0;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    const kind = KINDS[code]!;
    if (kind === 0) plain[length++] = code;
    else if (kind !== emphasis) plain[length++] = STRAIGHT[kind]!;
    else {
      let end = at + 1;
      while (end < codes.length && KINDS[codes[end]!] === emphasis) end++;
      if (isKept(codes, at, end)) for (; at < end; at++) plain[length++] = codes[at]!;
      at = end - 1;
    }
  }
  return textOf(plain, length);
}

/** A code fence with its language. */
const FENCE = /^ {0,3}`{3,9}[\w+.-]{0,20} *$/gm;

const emphasisMarks = '`$*_~';
const doubleQuotes = '“”„‟«»″';
const singleQuotes = '‘’‚‛′';
const EMPHASIS = new RegExp(`[${emphasisMarks}${doubleQuotes}${singleQuotes}]`);
const emphasis = 1;
/** The code of the straight quote that each kind becomes. */
const STRAIGHT = [0, 0, 0x22, 0x27];
/** The kind of each character: 0 for text. */
const KINDS = classTable(emphasisMarks, doubleQuotes, singleQuotes);

const [backtick, dollar, star, tilde, blank, point, underscore, equals] = [
  0x60, 0x24, 0x2a, 0x7e, 0x20, 0x2e, 0x5f, 0x3d,
];
const isDigit = (code: number | undefined) => code !== undefined && code >= 0x30 && code <= 0x39;
const isWordCharacter = (code: number | undefined) =>
  code !== undefined && (isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a));
/** A closing square or round bracket. */
const closes = (code: number | undefined) => code === 0x5d || code === 0x29;

const opens = (code: number | undefined) => code === 0x5b || code === 0x28;

/** Whether a call such as `np.array(` begins at `at`. */
function isCall(codes: Uint16Array, at: number): boolean {
  let end = at;
  while (end < at + 30 && (isWordCharacter(codes[end]) || codes[end] === point || codes[end] === underscore)) end++;
  return end > at && codes[end] === 0x28;
}

/** Whether the run of marks from `start` to `end` is text. */
function isKept(codes: Uint16Array, start: number, end: number): boolean {
  const [first, after] = [codes[start], codes[end]];
  if (first === tilde && end === start + 1 && (isDigit(after) || after === point || after === 0x2b || after === 0x2d))
    return true;
  if (first === backtick || first === dollar) return false;
  const before = codes[start - 1];
  if (first === star && before === blank && after === blank) {
    const [factor, operand] = [codes[start - 2], codes[end + 1]];
    if ((closes(factor) || isWordCharacter(factor)) && (isDigit(operand) || operand === point)) return true;
    if ((closes(factor) || isWordCharacter(factor)) && (opens(operand) || isWordCharacter(operand))) {
      // At a name it may be a list mark in the middle of a line ("params[0]: 1.5 * params[1]: 2").
      return opens(operand) || isCall(codes, end + 1);
    }
  }
  // "params *= 2"
  if (first === star && before === blank && after === equals) return true;
  // "2*[" and "2 *[", where a mark at the end of the list would be emphasis.
  if (first === star && opens(after) && isDigit(codes[before === blank ? start - 2 : start - 1])) return true;
  return isWordCharacter(after) && ((first === star && closes(before)) || isWordCharacter(before));
}
