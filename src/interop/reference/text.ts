/** Reads and writes the texts of the reference's logs: reasoning files, printed policies, numbers. */
import { plainNumber } from '../../base/plain-number.ts';
import type { LayoutId } from './layout.ts';

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

/** What stands before a prompt, and between it and the reply. */
interface Marks {
  readonly purpose: Exchange['purpose'];
  readonly before: string;
  readonly between: string;
}

const searchMarks: Marks = { purpose: 'search', before: 'system:\n', between: '\n\n\nLLM:\n' };
const criticMarks: Marks = {
  purpose: 'critic',
  before: 'Critic-LLM (Reflection) prompt:\n',
  between: '\n\nCritic-LLM response:\n',
};
/** Its one call proposes and reviews, and counts as a search here. */
const criticOnlyMarks: Marks = {
  purpose: 'search',
  before: 'Critic-LLM-only prompt:\n',
  between: '\n\nCritic-LLM-only response:\n',
};
const allMarks = [searchMarks, criticMarks, criticOnlyMarks];

/** Titles of a reasoning file's parts; null: it has one part, without a title. */
const sections: Readonly<Record<LayoutId, readonly [string, string] | null>> = {
  'two-call': ['--- Search-LLM (Proposal) ---\n', '\n\n--- Critic-LLM (Reflection) ---\n'],
  'two-search': ['--- Proposal A ---\n', '\n\n--- Proposal B ---\n'],
  'critic-only': null,
  'single-call': null,
};

/** Characters of an exchange's texts. */
export type TextLengths = Readonly<Record<'prompt' | 'reply', number>>;

function readExchange(text: string): Exchange | null {
  for (const { purpose, before, between } of allMarks) {
    if (!text.startsWith(before)) continue;
    const cut = text.indexOf(between, before.length);
    if (cut < 0) return null;
    return { purpose, prompt: text.slice(before.length, cut), reply: text.slice(cut + between.length) };
  }
  return null;
}

function writeExchange(layout: LayoutId, { purpose, prompt, reply }: Exchange): string {
  const { before, between } =
    layout === 'critic-only' ? criticOnlyMarks : purpose === 'search' ? searchMarks : criticMarks;
  return `${before}${prompt}${between}${reply}`;
}

/** The prompts and replies of a reasoning file, one per candidate; null: another form. */
export function readReasoning(layout: LayoutId, text: string): readonly Exchange[] | null {
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

/** The same for texts of known lengths, which may contain the marks themselves. */
export function cutReasoning(
  layout: LayoutId,
  text: string,
  lengths: readonly TextLengths[],
): readonly Exchange[] | null {
  const titles = sections[layout] ?? [];
  let at = Math.max(0, text.indexOf(titles[0] ?? ''));
  const exchanges: Exchange[] = [];
  for (const [i, { prompt: size, reply: replySize }] of lengths.entries()) {
    const start = at + (titles[i] ?? '').length;
    const marks = allMarks.find(({ before }) => text.startsWith(before, start));
    if (!marks || !text.startsWith(titles[i] ?? '', at)) return null;
    const from = start + marks.before.length;
    const replyFrom = from + size + marks.between.length;
    if (!text.startsWith(marks.between, from + size) || text.length < replyFrom + replySize) return null;
    at = replyFrom + replySize;
    const { purpose } = marks;
    exchanges.push({ purpose, prompt: text.slice(from, from + size), reply: text.slice(replyFrom, at) });
  }
  return at === text.length ? exchanges : null;
}

/** `header`: lines without line breaks, of two-call files only. */
export function writeReasoning(layout: LayoutId, header: readonly string[], exchanges: readonly Exchange[]): string {
  const marks = sections[layout];
  const texts = exchanges.map((exchange) => writeExchange(layout, exchange));
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
