/**
 * The plain line of parameters that an export writes before a reply which the reference would read as other parameters:
 * its agents and its edit scripts take `params[i]: v` alone, and no JSON, lists or numbers in bold.
 */
import { plainNumber } from '../../base/plain-number.ts';
import { readReplyParams } from './text.ts';

/** Where Python's `splitlines` ends a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts them
const lineEnds = /\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]/;
const prefix = 'params[';
const separator = '\n\n';

/** The parameters that `analyze_reptraj_edit_patterns.py` reads: the first block of lines that start with `params[`. */
function editScriptParams(reply: string): number[] {
  const lines = reply.split(lineEnds).map((line) => line.trim());
  const start = lines.findIndex((line) => line.startsWith(prefix));
  if (start < 0) return [];
  const length = lines.slice(start).findIndex((line) => !line.startsWith(prefix));
  const block = lines.slice(start, length < 0 ? undefined : start + length).join(' ');
  return [...block.matchAll(/params\[\d+\]\s*[:=]\s*([-+]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)/gi)].map((m) => Number(m[1]));
}

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** Whether the reference reads a reply as the parameters that were played. `mention`: which one of an index counts */
export function readsBack(reply: string, played: readonly number[], mention: 'first' | 'last'): boolean {
  const read = readReplyParams(reply, played.length, mention);
  return read !== null && equal(read, played) && equal(editScriptParams(reply), played);
}

export function withPlainLine(reply: string, played: readonly number[]): string {
  return `${played.map((value, i) => `params[${i}]: ${plainNumber(value)}`).join(', ')}${separator}${reply}`;
}

/** The parameters of the plain line that a text starts with, and the reply after it; null: it has none of `count`. */
export function takePlainLine(
  text: string,
  count: number,
): { readonly params: readonly number[]; readonly reply: string } | null {
  const end = text.indexOf(separator);
  const line = text.slice(0, Math.max(end, 0));
  const params = editScriptParams(line);
  if (params.length !== count || withPlainLine('', params) !== line + separator) return null;
  return { params, reply: text.slice(end + separator.length) };
}
