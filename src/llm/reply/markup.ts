/** Takes away what only dresses the text: tags, emphasis, LaTeX. What markup says about an answer is kept as a mark. */
import { marks } from './characters.ts';

const TAG = /<(\/?)([A-Za-z][\w:.=[\]-]{0,60})(\s[^<>]{0,300})?>|<\|([^<>|\n]{1,60})\|?>|~~(?!~)/g;
const maxTagNames = 100;
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
 * parameter by its name. Text that is struck out goes.
 */
export function withoutTags(text: string): string {
  if (!text.includes('<') && !text.includes('~~')) return text;
  const out: string[] = [];
  const known = new Map<string, string>();
  let from = 0;
  let struck: { readonly by: string; readonly length: number } | null = null;
  // A loop of `exec`: `matchAll` takes twice the time, and a reply may consist of tags.
  TAG.lastIndex = 0;
  for (let match = TAG.exec(text); match !== null; match = TAG.exec(text)) {
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
  return LINE_TAG.test(name) ? '\n' : '';
}

const LATEX_ARRAY = /\\(begin|end) ?\{(?:[pbvB]?matrix|array|pmatrix\*)\}(?:\{[lcr| ]{1,40}\})?/g;
/** An escaped line break, and not the beginning of a command such as `\nu`. */
const ESCAPED_BREAK = /\\r?\\?n(?!abla|eq|eg\b|u\b|i\b|ot\b|ewline)/g;

/** Without LaTeX and backslashes; what a box holds is marked as the answer, a matrix becomes a list. */
export function withoutBackslashes(text: string): string {
  if (!text.includes('\\')) return text;
  const columns = text.includes('\\begin') ? text.replace(/ & /g, ', ') : text;
  return columns
    .replace(LATEX_ARRAY, (_, side: string) => (side === 'begin' ? '[' : ']'))
    .replace(/\\(?:boxed|fbox) ?\{?/g, `${marks.answer}`)
    .replace(/\\(?:text|texttt|mathrm|mathbf|mathit|mathtt|operatorname|textbf|emph) ?\{([^{}\n]{0,200})\}/g, '$1')
    .replace(/\\(?:left|right|big|Big)(?=[[\](){}|.\\])/g, '')
    .replace(/\\(?:[,;:!> ]|quad\b|qquad\b)/g, ' ')
    .replace(ESCAPED_BREAK, '\n')
    .replace(/\\\\/g, ', ')
    .replace(/\\[rt](?![A-Za-z])/g, ' ')
    .replace(/\\/g, '');
}

const isWordCharacter = (character: string | undefined) => character !== undefined && /[A-Za-z0-9]/.test(character);

/**
 * Without emphasis marks, backticks and dollar signs, and with straight quotes. A mark between two letters or digits
 * stays (`2*3`, `max_steps`): taking it out would glue them together. So does a tilde before a number, which makes
 * it an approximate one, and a factor behind a bracket (`[0.0]*3`).
 */
export function withoutEmphasis(marked: string): string {
  const text = marked.includes('```') ? marked.replace(FENCE, '') : marked;
  const plain: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const kind = kindOf(text.charCodeAt(at));
    if (kind === 0) continue;
    let end = at + 1;
    if (kind === emphasis) {
      while (end < text.length && kindOf(text.charCodeAt(end)) === emphasis) end++;
      if (isKept(text, at, end)) {
        at = end - 1;
        continue;
      }
    }
    if (at > from) plain.push(text.slice(from, at));
    if (STRAIGHT[kind!] !== '') plain.push(STRAIGHT[kind!]!);
    from = end;
    at = end - 1;
  }
  return from === 0 ? text : plain.join('') + text.slice(from);
}

const emphasis = 1;
/** What the marks of each kind become. */
const STRAIGHT = ['', '', '"', "'"];
/** The kind of each character: 0 for text. */
const KINDS = new Uint8Array(0x2040);
for (const [kind, characters] of ['', '`$*_~', '“”„‟«»″', '‘’‚‛′'].entries()) {
  for (const character of characters) KINDS[character.charCodeAt(0)] = kind;
}
const kindOf = (code: number) => (code < KINDS.length ? KINDS[code] : 0);

/** A code fence with its language. */
const FENCE = /^ {0,3}`{3,9}[\w+.-]{0,20} *$/gm;
const FACTOR = /^[\])\d].*[\d.]$/;

function isKept(text: string, start: number, end: number): boolean {
  const first = text[start];
  const before = text[start - 1];
  const after = text[end];
  if (first === '~' && end === start + 1 && after !== undefined && /[\d.+-]/.test(after)) return true;
  if (first === '`' || first === '$') return false;
  if (first === '*' && before === ' ' && after === ' ' && FACTOR.test(text.slice(start - 2, end + 2))) return true;
  const factor = first === '*' && (before === ']' || before === ')');
  return isWordCharacter(after) && (factor || isWordCharacter(before));
}
