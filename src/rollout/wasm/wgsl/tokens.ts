/** The words, numbers and symbols of a text in WGSL. */
import { withoutComments } from '../../webgpu/program/link.ts';
import type { Source } from './source.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
}

const name = /[A-Za-z_\x80-\uffff][\w\x80-\uffff]*/;
const wholeName = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;
const number =
  /0[xX](?:[\da-fA-F]*\.[\da-fA-F]+|[\da-fA-F]+\.?)(?:[pP][-+]?\d+[fh]?)?[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?[fiuh]?/;
// `>>` is read as two symbols where a type ends.
const symbol = /<<=|>>=|->|&&|\|\||==|!=|<=|>=|\+\+|--|<<|>>|[-+*/%&|^]=|[-+*/%&|^!~=<>(){}[\],;:.@]/;
const part = new RegExp(`\\s+|//.*|${name.source}|${number.source}|${symbol.source}|[^]`, 'g');

export function tokensOf(source: Source): Token[] {
  const { code } = source;
  const found: Token[] = [];
  const open = (at: number): never =>
    source.fail(at, 'expected the end of the comment "*/", got the end of the text; close it');
  // One call of the engine: a loop that looks for one token after the other takes several times as long.
  const parts = (code.includes('/*') ? withoutComments(code, open) : code).match(part) ?? [];
  const isAscii = /^[\0-\x7f]*$/.test(code);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const text = parts[i]!;
    const kind = kindOf(text);
    if (kind === null || (!isAscii && kind === 'name' && !wholeName.test(text))) {
      source.fail(at, `expected WGSL, got the character ${JSON.stringify(text[0])}; remove it`);
    }
    if (kind !== 'space') found.push({ kind, text, at });
    at += text.length;
  }
  found.push({ kind: 'end', text: 'the end of the text', at });
  return found;
}

function kindOf(text: string): Token['kind'] | 'space' | null {
  const first = text.charCodeAt(0);
  if (first <= 32 || (first === 47 && text[1] === '/')) return 'space';
  if ((first >= 97 && first <= 122) || (first >= 65 && first <= 90) || first === 95) return 'name';
  if ((first >= 48 && first <= 57) || (first === 46 && text.length > 1)) return 'number';
  if (first > 127) return /^\s/.test(text) ? 'space' : 'name';
  return text.length > 1 || symbol.test(text) ? 'symbol' : null;
}
