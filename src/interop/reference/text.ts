/** Reads and writes the texts of the reference's logs: reasoning files, printed policies, numbers. */
import { plainNumber } from '../../base/plain-number.ts';

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** A finite number, also in NumPy's form (`np.float64(1.0)`); null for anything else. */
export function readNumber(text: string): number | null {
  const bare = /^np\.\w+\((.*)\)$/.exec(text.trim())?.[1] ?? text.trim();
  const value = number.test(bare) ? Number(bare) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

/** Like Python's float format but without exponents, where the reference's reader would end the number. */
export function writeFloat(value: number): string {
  const text = plainNumber(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Parses `key=value` lines. */
export function readKeys(text: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const line of text.split('\n')) {
    const cut = line.indexOf('=');
    if (cut > 0) keys.set(line.slice(0, cut).trim(), line.slice(cut + 1).trim());
  }
  return keys;
}

export interface Exchange {
  readonly purpose: 'search' | 'critic';
  readonly prompt: string;
  readonly reply: string;
}

const searchMarks = { purpose: 'search', before: 'system:\n', between: '\n\n\nLLM:\n' } as const;
const criticMarks = {
  purpose: 'critic',
  before: 'Critic-LLM (Reflection) prompt:\n',
  between: '\n\nCritic-LLM response:\n',
} as const;

const sections = {
  'two-call': ['--- Search-LLM (Proposal) ---\n', '\n\n--- Critic-LLM (Reflection) ---\n'],
  'two-search': ['--- Proposal A ---\n', '\n\n--- Proposal B ---\n'],
  'critic-only': null,
  'single-call': null,
} as const;

function readExchange(text: string): Exchange | null {
  for (const { purpose, before, between } of [searchMarks, criticMarks]) {
    if (!text.startsWith(before)) continue;
    const cut = text.indexOf(between, before.length);
    if (cut < 0) return null;
    return { purpose, prompt: text.slice(before.length, cut), reply: text.slice(cut + between.length) };
  }
  return null;
}

function writeExchange({ purpose, prompt, reply }: Exchange): string {
  const { before, between } = purpose === 'search' ? searchMarks : criticMarks;
  return `${before}${prompt}${between}${reply}`;
}

/** The prompts and replies of a reasoning file, one per candidate; null: another form. */
export function readReasoning(layout: keyof typeof sections, text: string): readonly Exchange[] | null {
  const marks = sections[layout];
  if (marks === null) {
    const only = readExchange(text);
    return only && [only];
  }
  const [first, second] = marks;
  const start = text.indexOf(first);
  if (start < 0) return null;
  const body = text.slice(start + first.length);
  const cut = body.indexOf(second);
  const parts = cut < 0 ? [body] : [body.slice(0, cut), body.slice(cut + second.length)];
  const exchanges = parts.map(readExchange);
  return exchanges.every((e) => e !== null) ? exchanges : null;
}

/** `header`: lines without line breaks, of two-call files only. */
export function writeReasoning(
  layout: keyof typeof sections,
  header: readonly string[],
  exchanges: readonly Exchange[],
): string {
  const marks = sections[layout];
  const texts = exchanges.map(writeExchange);
  if (marks === null) return texts.join('');
  return `${header.map((line) => `${line}\n`).join('')}\n${texts.map((text, i) => marks[i] + text).join('')}`;
}

/** The `params[i]: value` pairs of a reply, or its tabular form; null when one of `count` is missing. */
export function readReplyParams(reply: string, count: number, mention: 'first' | 'last'): number[] | null {
  const values = new Map<number, number>();
  for (const [, index, value] of reply.matchAll(
    /params\[(\d{1,9})\]\s*[:=]\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g,
  )) {
    const i = Number(index);
    if (i < count && !(mention === 'first' && values.has(i))) values.set(i, Number(value));
  }
  const params = Array.from({ length: count }, (_, i) => values.get(i) ?? Number.NaN);
  return params.every(Number.isFinite) ? params : null;
}

/** The actions of a printed table, `{0: 1.0, 1: np.float64(2.0)}`, in order; null unless there are `count`. */
export function readTable(text: string, count: number): number[] | null {
  const values = [...text.matchAll(/:\s*(?:np\.\w+\()?([+-]?\d+(?:\.\d+)?)\)?\s*(?=,|\})/g)].map((m) => Number(m[1]));
  return values.length === count && values.every(Number.isFinite) ? values : null;
}

export function writeTable(params: readonly number[]): string {
  return `{${params.map((value, i) => `${i}: ${writeFloat(value)}`).join(', ')}}`;
}

/** Weights by state, then biases: `params` row by row, `outputs` per row. */
export function writeLinear(params: readonly number[], outputs: number, bias: boolean): string {
  const rows = Array.from({ length: Math.ceil(params.length / outputs) }, (_, r) =>
    params.slice(r * outputs, (r + 1) * outputs),
  );
  const lines = rows.map((row) => row.map(writeFloat).join(', '));
  const weights = bias ? lines.slice(0, -1) : lines;
  return ['Weights:', ...weights, ...(bias ? ['Bias:', ...lines.slice(-1)] : []), ''].join('\n');
}
