/** The words, numbers and symbols of a text in WGSL. */
import type { Source } from './source.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
}

const space = /(?:\s|\/\/.*)*/y;
const name = /[A-Za-z_\x80-\uffff][\w\x80-\uffff]*/;
const wholeName = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;
const number =
  /0[xX](?:[\da-fA-F]*\.[\da-fA-F]+|[\da-fA-F]+\.?)(?:[pP][-+]?\d+[fh]?)?[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?[fiuh]?/;
// `>>` is read as two symbols where a type ends.
const symbol = /<<=|>>=|->|&&|\|\||==|!=|<=|>=|\+\+|--|<<|>>|[-+*/%&|^]=|[-+*/%&|^!~=<>(){}[\],;:.@]/;
const token = new RegExp(`${name.source}|${number.source}|${symbol.source}`, 'y');

export function tokensOf(source: Source): Token[] {
  const { code } = source;
  const found: Token[] = [];
  // Which letters other than those of ASCII are part of names is looked up only where there are some.
  const isAscii = /^[\0-\x7f]*$/.test(code);
  let at = 0;
  for (;;) {
    const first = code.charCodeAt(at);
    // Half of the tokens follow another without a space.
    if (first <= 32 || first === 47 || first > 127) {
      space.lastIndex = at;
      space.test(code);
      at = space.lastIndex;
      if (code.startsWith('/*', at)) {
        at = endOfComment(source, at);
        continue;
      }
    }
    if (at >= code.length) break;
    token.lastIndex = at;
    const isToken = token.test(code);
    const text = code.slice(at, token.lastIndex);
    const kind = kindOf(text);
    if (!isToken || (!isAscii && kind === 'name' && !wholeName.test(text))) {
      return source.fail(at, `expected WGSL, got the character ${JSON.stringify(code[at])}; remove it`);
    }
    found.push({ kind, text, at });
    at = token.lastIndex;
  }
  found.push({ kind: 'end', text: 'the end of the text', at: code.length });
  return found;
}

function kindOf(text: string): Token['kind'] {
  const first = text.charCodeAt(0);
  // A point that more follows begins a fraction.
  if ((first >= 48 && first <= 57) || (first === 46 && text.length > 1)) return 'number';
  const isLetter = (first >= 65 && first <= 90) || first === 95 || (first >= 97 && first <= 122) || first > 127;
  return isLetter ? 'name' : 'symbol';
}

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
