/**
 * The filter of the list of runs. All terms must hold:
 *
 *     filter   = { term }
 *     term     = [ "-" ] ( key operator values | word )      "-": the term must not hold
 *     operator = "=" | "!=" | ":" | "<" | "<=" | ">" | ">="
 *     values   = value { "," value }                          one of them; for "!=" none of them
 *     word     = value                                        part of the name, environment, method, model, status or problem
 *     value    = characters without white space | '"' characters '"'
 *
 * `=` compares the whole text (`*` stands for any characters), `:` a part of it, both in any case. Numbers may end in `k`
 * or `M`; durations in `s`, `min`, `h` or `d`; times are dates (`started>2026-11-01`) or ages (`updated<2h`: within the last two hours).
 * `status:failed` is every run that something stopped or that cannot be read.
 */
import { unknownName } from '../../../base/errors.ts';
import type { RunRow } from '../../api/index-of-runs.ts';
import { type Field, fieldOf, fields, hasFailed } from './fields.ts';

export interface Filter {
  readonly matches: (row: RunRow) => boolean;
  /** one sentence per term that could not be understood; such terms do not filter */
  readonly problems: readonly string[];
}

type Test = (row: RunRow) => boolean;
const operators = ['!=', '<=', '>=', '=', ':', '<', '>'] as const;
type Operator = (typeof operators)[number];

interface Piece {
  readonly text: string;
  /** quoted characters are no operators, commas or stars */
  readonly isQuoted: readonly boolean[];
}

/** Terms, apart at white space outside of quotes. An open quote ends with the text. */
function pieces(text: string): { pieces: Piece[]; isOpen: boolean } {
  const found: Piece[] = [];
  let chars: string[] = [];
  let isQuoted: boolean[] = [];
  let inQuotes = false;
  let hasBegun = false;
  const end = (): void => {
    if (hasBegun) found.push({ text: chars.join(''), isQuoted });
    chars = [];
    isQuoted = [];
    hasBegun = false;
  };
  for (const char of text.split('')) {
    if (char === '"') {
      inQuotes = !inQuotes;
      hasBegun = true;
    } else if (!inQuotes && /\s/.test(char)) {
      end();
    } else {
      chars.push(char);
      isQuoted.push(inQuotes);
      hasBegun = true;
    }
  }
  end();
  return { pieces: found, isOpen: inQuotes };
}

const slice = (piece: Piece, from: number, to?: number): Piece => ({
  text: piece.text.slice(from, to),
  isQuoted: piece.isQuoted.slice(from, to),
});

/** The first operator outside of quotes. */
function operatorIn({ text, isQuoted }: Piece): { at: number; operator: Operator } | null {
  for (let at = 0; at < text.length; at++) {
    if (isQuoted[at]) continue;
    const operator = operators.find((one) => text.startsWith(one, at));
    if (operator) return { at, operator };
  }
  return null;
}

function valuesOf(piece: Piece): Piece[] {
  const cuts =
    [...piece.text].length === 0
      ? []
      : piece.text.split('').flatMap((c, i) => (c === ',' && !piece.isQuoted[i] ? [i] : []));
  return [-1, ...cuts].map((cut, i) => slice(piece, cut + 1, cuts[i]));
}

const sizes: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const seconds: Readonly<Record<string, number>> = { '': 1, s: 1, min: 60, h: 3600, d: 86_400 };

/** `400`, `1.5k`, `2M`; for a duration `400`, `30s`, `5min`, `2h`, where `5m` would be read in two ways; null: no number */
function numberIn(text: string, isDuration: boolean): number | null {
  const match = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([a-z]*)$/i.exec(text.replace('−', '-').replace(/^\$/, ''));
  if (!match) return null;
  const unit = match[2]!.toLowerCase();
  const factor = (isDuration ? seconds : sizes)[unit];
  return factor === undefined ? null : Number(match[1]) * factor;
}

const compare: Readonly<Record<Exclude<Operator, ':' | '!='>, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** The whole text in any case; `*` outside of quotes stands for any characters. */
function equals({ text, isQuoted }: Piece): (value: string) => boolean {
  const parts = text
    .toLowerCase()
    .split('')
    .map((c, i) => (c === '*' && !isQuoted[i] ? null : c));
  if (!parts.includes(null)) return (value) => value.toLowerCase() === text.toLowerCase();
  // Pieces between stars one after the other: no expression that could take long on a hostile name.
  const between = parts
    .map((c) => c ?? '\0')
    .join('')
    .split('\0');
  return (value) => {
    const low = value.toLowerCase();
    const [first, last] = [between[0]!, between.at(-1)!];
    if (low.length < first.length + last.length || !low.startsWith(first) || !low.endsWith(last)) return false;
    let at = first.length;
    for (const part of between.slice(1, -1)) {
      const found = low.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= low.length - last.length;
  };
}

function textTest(field: Field, operator: Operator, values: readonly Piece[]): Test | string {
  if (operator !== '=' && operator !== '!=' && operator !== ':') {
    return `${field.key} is a text: write ${field.key}=${values[0]!.text} (equal) or ${field.key}:${values[0]!.text} (contains)`;
  }
  const tests = values.map((value): ((text: string) => boolean) => {
    const part = value.text.toLowerCase();
    return operator === ':' ? (text) => text.toLowerCase().includes(part) : equals(value);
  });
  const wantsFailed = field.key === 'status' && values.some(({ text }) => text.toLowerCase() === 'failed');
  return (row) => {
    const value = String(field.value(row) ?? '');
    const holds = tests.some((test) => test(value)) || (wantsFailed && hasFailed(row));
    return holds !== (operator === '!=');
  };
}

function numberTest(field: Field, operator: Operator, values: readonly Piece[]): Test | string {
  const isDuration = field.key === 'duration';
  const numbers = values.map(({ text }) => numberIn(text, isDuration));
  const wrong = numbers.indexOf(null);
  if (wrong >= 0) {
    const expected = isDuration
      ? 'a time: expected s, min, h or d, as in 5min,'
      : `a number: expected one after "${operator}",`;
    return `${field.key} is ${expected} got "${values[wrong]!.text}"`;
  }
  const test = compare[operator === ':' || operator === '!=' ? '=' : operator];
  return (row) => {
    const value = field.value(row);
    if (typeof value !== 'number') return operator === '!=';
    return numbers.some((one) => test(value, one!)) !== (operator === '!=');
  };
}

function timeTest(field: Field, operator: Operator, values: readonly Piece[], now: number): Test | string {
  if (operator === '=' || operator === '!=' || operator === ':') {
    return `${field.key} is a time: compare it with < or >, as in ${field.key}>2026-01-31 or ${field.key}<2h (an age)`;
  }
  const bounds = values.map(({ text }) => {
    const isAge = /[a-z]$/i.test(text) && /^[\d.]+[a-z]+$/i.test(text);
    return { at: isAge ? now - (numberIn(text, true) ?? Number.NaN) * 1000 : Date.parse(text), isAge };
  });
  const wrong = bounds.findIndex(({ at }) => Number.isNaN(at));
  if (wrong >= 0)
    return `${field.key} is a time: expected a date or an age such as 5min or 2h, got "${values[wrong]!.text}"`;
  const test = compare[operator];
  return (row) => {
    const value = field.value(row);
    // A young run has a late time: ages compare the other way round.
    return typeof value === 'number' && bounds.some(({ at, isAge }) => (isAge ? test(at, value) : test(value, at)));
  };
}

function wordTest({ text }: Piece): Test {
  const part = text.toLowerCase();
  return ({ id, env, method, model, status, problem }) =>
    [id, env, method, model, status, problem ?? ''].some((one) => one.toLowerCase().includes(part));
}

function termTest(piece: Piece, now: number): Test | string {
  const found = operatorIn(piece);
  // A word such as "a=b" in quotes, or one that begins with an operator, is no comparison.
  if (found === null) return wordTest(piece);
  const key = piece.text.slice(0, found.at).toLowerCase();
  const values = valuesOf(slice(piece, found.at + found.operator.length));
  if (key === '')
    return `"${piece.text}" has no key before "${found.operator}"; keys: ${fields.map((f) => f.key).join(', ')}`;
  const field = fieldOf(key);
  if (!field)
    return unknownName(
      'key',
      key,
      fields.map((one) => one.key),
    );
  if (values.some(({ text }) => text === '')) return `"${piece.text}" has no value after "${found.operator}"`;
  if (field.kind === 'text') return textTest(field, found.operator, values);
  return field.kind === 'number'
    ? numberTest(field, found.operator, values)
    : timeTest(field, found.operator, values, now);
}

export function parseFilter(text: string, now = Date.now()): Filter {
  const { pieces: terms, isOpen } = pieces(text);
  const tests: Test[] = [];
  const problems: string[] = isOpen ? ['a quote is open: close it with "'] : [];
  for (const term of terms) {
    const isNot = term.text.startsWith('-') && !term.isQuoted[0] && term.text.length > 1;
    const test = termTest(isNot ? slice(term, 1) : term, now);
    if (typeof test === 'string') problems.push(test);
    else tests.push(isNot ? (row) => !test(row) : test);
  }
  return { matches: (row) => tests.every((test) => test(row)), problems };
}
