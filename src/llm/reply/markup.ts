/** Takes away what only dresses the text: tags, emphasis, LaTeX. What markup says about an answer is kept as a mark. */
import { marks } from './characters.ts';

const TAG = /<(\/?)([A-Za-z][\w:.=[\]-]{0,60})(\s[^<>]{0,300})?>|<\|([^<>|\n]{1,60})\|?>|~~(?!~)/g;
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
  let from = 0;
  let struck: { readonly by: string; readonly length: number } | null = null;
  for (const match of text.matchAll(TAG)) {
    const [mark, slash, name, attributes, token] = match;
    let as: string;
    if (mark === '~~' || STRIKING_TAG.test(name ?? '')) {
      const by = mark === '~~' ? mark : name.toLowerCase();
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
    else as = replacement(name, slash === '/', attributes ?? '');
    out.push(text.slice(from, match.index), as);
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

const quotes = new Map<string, string>();
for (const quote of '“”„‟«»″') quotes.set(quote, '"');
for (const quote of '‘’‚‛′') quotes.set(quote, "'");

const isWordCharacter = (character: string | undefined) => character !== undefined && /[A-Za-z0-9]/.test(character);

/**
 * Without emphasis marks, backticks and dollar signs, and with straight quotes. A mark between two letters or digits
 * stays (`2*3`, `max_steps`): taking it out would glue them together. So does a tilde before a number, which makes
 * it an approximate one, and a factor behind a bracket (`[0.0]*3`).
 */
export function withoutEmphasis(text: string): string {
  return text.replace(/[`$]+|[*_~]+|[“”„‟«»″‘’‚‛′]/g, (run, offset: number) => {
    const first = run[0];
    if (first === '`' || first === '$') return '';
    const quote = quotes.get(first);
    if (quote !== undefined) return quote;
    const before = text[offset - 1];
    const after = text[offset + run.length];
    if (run === '~' && after !== undefined && /[\d.+-]/.test(after)) return run;
    const factor = first === '*' && (before === ']' || before === ')');
    return isWordCharacter(after) && (factor || isWordCharacter(before)) ? run : '';
  });
}
