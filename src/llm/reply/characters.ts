/**
 * Normalises characters that look or work alike: line breaks, spaces, minus signs, full-width forms. Later steps read
 * plain ASCII punctuation.
 */
import { classTable, codesOf, textOf } from './codes.ts';

/** Marks of our own, from the private use area; a reply that holds them loses them first. */
export const marks = {
  /** the beginning of what a tag or a LaTeX box calls the answer */
  answer: '\uE000',
  /** position of a JSON object that is read separately */
  data: '\uE001',
} as const;

const softHyphen = 0xad;
const minus = '\u2010\u2011\u2012\u2013\u2212\u2796\uFE63\uFF0D';
const lineBreaks = '\v\f\u0085\u2028\u2029';
const spaces = '\t\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000';
const brackets = { '【': '[', '】': ']', '〔': '[', '〕': ']', '「': '"', '」': '"', '『': '"', '』': '"' };
const columns = '\u2502\u2503\u2551';
/** A comma or a full stop gets a space behind it, so that "1，5" never becomes the decimal number 1.5 or 1,5. */
const stops = { '，': ', ', '、': ', ', '،': ', ', '؛': '; ', '。': '. ', '｡': '. ', '\uFE50': ', ' };
const others = { '\u2236': ':', '\uFE55': ':', '\uFE54': ';', '\u2044': '/' };

/** The code that each code becomes, or one of the two below. */
const plainCodes = new Uint16Array(0x10000);
const unchanged = 0;
const removed = 1;
/** Full-width stops get a space behind them. */
const spaced = classTable(Object.keys(stops).join(''));

function spell(characters: string, as: string): void {
  for (const character of characters) {
    plainCodes[character.charCodeAt(0)] = as.charCodeAt(0);
  }
}
for (let code = 0xff01; code <= 0xff5e; code++) plainCodes[code] = code - 0xfee0;
spell(minus, '-');
spell(lineBreaks, '\n');
spell(spaces, ' ');
spell(columns, '|');
for (const [from, to] of Object.entries({ ...brackets, ...stops, ...others })) spell(from, to);

/**
 * Characters without a shape: zero-width ones, fillers, directions of writing, soft hyphens, variation selectors, our
 * marks. Overrides of the direction (U+202D, U+202E) stay: they show the digits behind them in another order.
 */
const invisible = [
  [0x00, 0x1f],
  [0x7f, 0x7f],
  [softHyphen, softHyphen],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202c],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xe000, 0xe00f],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
] as const;
const [lineFeed, carriageReturn] = [0x0a, 0x0d];
for (const [first, last] of invisible) {
  for (let code = first; code <= last; code++) {
    if (plainCodes[code] === unchanged && code !== lineFeed) plainCodes[code] = removed;
  }
}

const UNUSUAL = /[^\n -~]/;
const isLetter = (code: number) => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code > 0x370;
/** Some programs show a soft hyphen as a minus sign. Before a number it stays, and makes it no plain number. */
const isSignOfNumber = (codes: Uint16Array, at: number): boolean => {
  let next = at + 1;
  while (next < at + 9 && (plainCodes[codes[next]!] === removed || codes[next] === 0x20)) next++;
  return (codes[next]! >= 0x30 && codes[next]! <= 0x39) || codes[next] === 0x2e;
};
const isSubscript = (code: number) => code >= 0x2080 && code <= 0x2089;

const escapeCharacter = '\u001B';
const COLOURS = new RegExp(`${escapeCharacter}\\[[\\d;]{0,20}m`, 'g');
/** Not `&lt;` and `&gt;`: what is written so is no tag. */
const ENTITY = /&(?:(nbsp|ensp|emsp|thinsp)|(minus|ndash)|#(\d{2,5}));/g;

function entity(
  written: string,
  blank: string | undefined,
  dash: string | undefined,
  code: string | undefined,
): string {
  if (blank !== undefined || dash !== undefined) return blank === undefined ? '-' : ' ';
  const character = String.fromCharCode(Number(code));
  return '<>&'.includes(character) ? written : character;
}

/** The normalised text, without colours of a terminal; its length may differ by the spaces after full-width commas. */
export function withPlainCharacters(written: string): string {
  const decoded = written.includes('&') ? written.replace(ENTITY, entity) : written;
  if (!UNUSUAL.test(decoded)) return decoded;
  const text = decoded.includes(escapeCharacter) ? decoded.replace(COLOURS, '') : decoded;
  const codes = codesOf(text);
  const plain = new Uint16Array(2 * codes.length);
  let length = 0;
  // A subscript digit counts as a digit only in a name ("params₁₀"), never behind a number.
  let inSubscript = false;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    inSubscript = isSubscript(code) && (inSubscript || (at > 0 && isLetter(codes[at - 1]!)));
    let as = plainCodes[code]!;
    if (code === softHyphen && isSignOfNumber(codes, at)) as = unchanged;
    if (inSubscript) as = code - 0x2080 + 0x30;
    else if (code === carriageReturn) as = codes[at + 1] === lineFeed ? removed : lineFeed;
    if (as === unchanged) plain[length++] = code;
    else if (as !== removed) {
      plain[length++] = as;
      if (spaced[code] === 1) plain[length++] = 0x20;
    }
  }
  return textOf(plain, length);
}
