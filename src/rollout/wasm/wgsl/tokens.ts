/** The words, numbers and symbols of a text in WGSL. */
import type { Source } from './source.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
}

const space = /(?:\s|\/\/.*)*/y;
const name = /[A-Za-z_]\w*/;
// Hexadecimal fractions are read to be refused as a whole.
const number = /0[xX][0-9a-fA-F]+[iu]?(?:[.pP][-+\w.]*)?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?[fiuh]?/;
// `>>` is read as two symbols where a type ends.
const symbol = /<<=|>>=|->|&&|\|\||==|!=|<=|>=|\+\+|--|<<|>>|[-+*/%&|^]=|[-+*/%&|^!~=<>(){}[\],;:.@]/;
const token = new RegExp(`${name.source}|${number.source}|${symbol.source}`, 'y');

export function tokensOf(source: Source): Token[] {
  const { code } = source;
  const found: Token[] = [];
  let at = 0;
  for (;;) {
    space.lastIndex = at;
    space.test(code);
    at = space.lastIndex;
    if (code.startsWith('/*', at)) {
      at = endOfComment(source, at);
      continue;
    }
    if (at >= code.length) break;
    token.lastIndex = at;
    if (!token.test(code)) {
      return source.fail(at, `expected WGSL, got the character ${JSON.stringify(code[at])}; remove it`);
    }
    const text = code.slice(at, token.lastIndex);
    found.push({ kind: kindOf(text), text, at });
    at = token.lastIndex;
  }
  found.push({ kind: 'end', text: 'the end of the text', at: code.length });
  return found;
}

const kindOf = (text: string): Token['kind'] =>
  /^[A-Za-z_]/.test(text) ? 'name' : /^\.?\d/.test(text) ? 'number' : 'symbol';

/** Comments may contain comments. */
function endOfComment(source: Source, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let hit = edge.exec(source.code); hit !== null; hit = edge.exec(source.code)) {
    depth += hit[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return source.fail(start, 'expected the end of the comment "*/", got the end of the text; close it');
}
