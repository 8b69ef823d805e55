/** Reads one number as written in a reply. Anything but a plain number is reported and never guessed. */

/** One `params[i]: v`, or one element of a list. */
export interface Slot {
  readonly index: number;
  readonly value: number;
  /** why the text is not a plain number, as the end of a sentence that starts with the name; null: it is one */
  readonly problem: string | null;
}

export interface ReadNumber {
  readonly value: number;
  readonly problem: string | null;
  /** end position, exclusive */
  readonly end: number;
}

export const notPlain = 'which is no plain number (no thousands separators, decimal commas, units or arithmetic)';

/** A soft hyphen (U+00AD) may be meant as a minus sign. */
const NUMBER = /[+-]?\u00AD? ?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NOT_FINITE = /[+-]?(?:nan|inf(?:inity)?|∞|null|none|undefined|n\/a)(?![A-Za-z0-9_])/iy;
/** "1.5f" as in C; a whole number with a letter is something else. */
const FLOAT_SUFFIX = /(?<=\.\d*)[fF](?![A-Za-z0-9_])/y;
/**
 * What may not follow a number, because it changes the meaning: more digits behind a separator ("1,000", "1 000",
 * "1.2.3", "1,5", "1. 5"), a sign ("5-"), a letter or a percent sign ("0x10", "5%"), an operator ("1/2", "2*3", "1 - 2", "1 ± 0.1"), a
 * change ("1.0 -> 1.5", "1.0 to 1.5"), an alternative ("1 or 2"), a unit in words ("5 percent").
 */
const SPOILER =
  /[A-Za-z0-9_%^*]|\.{1,3}\d|\. {1,2}\d|['’]\d|[+-](?![-+>])|,? {0,2}[+-]?\.?\d| {0,2}(?:->|=|→|⇒|±|\+\/-|%|‰|\/ ?\.?\d|to [+-]?\.?\d|or (?:[+-]?\.?\d|param)|\(or |percent|per cent|times\b|degrees\b|\| {0,2}[+-]?\.?\d|[-+*×·] ?\.?\d|[-+*×·/] ?\()/iy;
/** Characters beyond ASCII that may follow a number directly; any other ("5‰", "1½", "2倍") may change its value. */
const HARMLESS = /[—–•·←✓✔✅和与及…\uE000-\uE00F]/;

function spoiled(text: string, end: number): boolean {
  const next = text.charCodeAt(end);
  if (end === text.length || next === 0x0a) return false;
  if (next > 0x7e && !HARMLESS.test(text[end]!)) return true;
  return matchAt(SPOILER, text, end) !== null;
}

/** The number at `at`; null for prose ("params[0]: the weight of x"). */
export function readNumber(text: string, at: number): ReadNumber | null {
  const first = text.charCodeAt(at);
  const isDigit = first >= 0x30 && first <= 0x39;
  const word = isDigit ? null : matchAt(NOT_FINITE, text, at);
  if (word !== null) {
    return { value: Number.NaN, problem: `is "${word}", which is no finite number`, end: at + word.length };
  }
  const number = matchAt(NUMBER, text, at);
  if (number === null) return null;
  // "1." at the end of a sentence: the point is the sentence's, and the value is the same without it.
  let end = at + number.length - (number.endsWith('.') ? 1 : 0);
  if (number.includes('.'))
    end += matchAt(FLOAT_SUFFIX, text, at + number.length) === null ? 0 : at + number.length - end + 1;
  if (number.includes('\u00AD') || spoiled(text, end)) {
    const shown = text
      .slice(at, at + 24)
      .split(/[\n;]| ?(?=param)/i, 1)[0]!
      .replace(/[ ,]+$/, '');
    return { value: Number.NaN, problem: `is written "${shown}", ${notPlain}`, end: Math.max(at + shown.length, end) };
  }
  const value = Number(number.replace(' ', ''));
  const problem = Number.isFinite(value) ? null : `is ${number.slice(0, 24)}, which is too large for a finite number`;
  return { value, problem, end };
}

export function matchAt(sticky: RegExp, text: string, at: number): string | null {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? null;
}

/** Whether a sticky or global expression matches, without the match, which takes longer than the search. */
export function testAt(expression: RegExp, text: string, at: number): boolean {
  expression.lastIndex = at;
  return expression.test(text);
}
