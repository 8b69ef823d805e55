/** The words, numbers and symbols of a text in WGSL. */
import { withoutComments } from '../../webgpu/program/link.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
}

const name = /[A-Za-z_\x80-\uffff][\w\x80-\uffff]*/;
const number =
  /0[xX](?:[\da-fA-F]*\.[\da-fA-F]+|[\da-fA-F]+\.?)(?:[pP][-+]?\d+[fh]?)?[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?[fiuh]?/;
// `>>` is read as two symbols where a type ends.
const symbol = /<<=|>>=|->|&&|\|\||==|!=|<=|>=|\+\+|--|<<|>>|[-+*/%&|^]=|[-+*/%&|^!~=<>(){}[\],;:.@]/;
const part = new RegExp(`\\s+|//.*|${name.source}|${number.source}|${symbol.source}|[^]`, 'g');

export function tokensOf(code: string): Token[] {
  const found: Token[] = [];
  // One call of the engine: a loop that looks for one token after the other takes several times as long.
  const parts = (code.includes('/*') ? withoutComments(code) : code).match(part) ?? [];
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const text = parts[i]!;
    const kind = kindOf(text);
    if (kind !== 'space') found.push({ kind, text, at });
    at += text.length;
  }
  found.push({ kind: 'end', text: 'the end of the text', at });
  return found;
}

function kindOf(text: string): Token['kind'] | 'space' {
  const first = text.charCodeAt(0);
  if (first <= 32 || (first === 47 && text[1] === '/')) return 'space';
  if ((first >= 97 && first <= 122) || (first >= 65 && first <= 90) || first === 95) return 'name';
  if ((first >= 48 && first <= 57) || (first === 46 && text.length > 1)) return 'number';
  if (first > 127) return /^\s/.test(text) ? 'space' : 'name';
  return 'symbol';
}
