/**
 * Normalises characters that look or work alike: line breaks, spaces, minus signs, full-width forms. Later steps read
 * plain ASCII punctuation.
 */

/** Marks of our own, from the private use area; a reply that holds them loses them first. */
export const marks = {
  /** the beginning of what a tag or a LaTeX box calls the answer */
  answer: '\uE000',
  /** position of a JSON object that is read separately */
  data: '\uE001',
} as const;

const minus = '\u2010\u2011\u2012\u2013\u2212\u2796\uFE63\uFF0D';
const lineBreaks = '\v\f\u0085\u2028\u2029';
const spaces = '\t\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000';
const brackets = { '【': '[', '】': ']', '〔': '[', '〕': ']', '「': '"', '」': '"', '『': '"', '』': '"' };
const columns = '\u2502\u2503\u2551';
/** A comma or a full stop gets a space behind it, so that "1，5" never becomes the decimal number 1.5 or 1,5. */
const stops = { '，': ', ', '、': ', ', '،': ', ', '؛': '; ', '。': '. ', '｡': '. ' };
const others = { '\u2236': ':', '\uFE55': ':', '\uFE54': ';', '\uFE50': ', ', '\u2044': '/' };

const spellings = new Map<number, string>();
function spell(characters: string, as: string): void {
  for (const character of characters) spellings.set(character.charCodeAt(0), as);
}
for (let code = 0xff01; code <= 0xff5e; code++) spellings.set(code, String.fromCharCode(code - 0xfee0));
spell(minus, '-');
spell(lineBreaks, '\n');
spell(spaces, ' ');
spell(columns, '|');
for (const [from, to] of Object.entries({ ...brackets, ...stops, ...others })) spell(from, to);

/** Characters without a shape: zero-width ones, directions of writing, soft hyphens, variation selectors, our marks. */
function isInvisible(code: number): boolean {
  if (code < 0x20) return code !== 0x0a && !spellings.has(code);
  if (code < 0x7f) return false;
  return (
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x2069) ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    (code >= 0xe000 && code <= 0xe00f) ||
    code === 0x7f ||
    code === 0xad ||
    code === 0x61c ||
    code === 0xfeff
  );
}

const digits = '0123456789';
const isLetter = (code: number) => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code > 0x370;

/** The normalised text; its length may differ by the spaces after full-width commas. */
export function withPlainCharacters(text: string): string {
  const plain: string[] = [];
  let from = 0;
  // A subscript digit counts as a digit only in a name ("params₁₀"), never behind a number.
  let inSubscript = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x20 && code < 0x7f) {
      inSubscript = false;
      continue;
    }
    let as: string | null = null;
    if (code >= 0x2080 && code <= 0x2089) {
      inSubscript ||= at > 0 && isLetter(text.charCodeAt(at - 1));
      if (inSubscript) as = digits[code - 0x2080]!;
    } else {
      inSubscript = false;
      if (code === 0x0a) continue;
      if (code === 0x0d) as = text.charCodeAt(at + 1) === 0x0a ? '' : '\n';
      else as = isInvisible(code) ? '' : (spellings.get(code) ?? null);
    }
    if (as === null) continue;
    if (at > from) plain.push(text.slice(from, at));
    if (as !== '') plain.push(as);
    from = at + 1;
  }
  return from === 0 ? text : plain.join('') + text.slice(from);
}
