/**
 * JSON with line and column of an error, which `JSON.parse` reports differently in each version of Node. A key that an object
 * has twice is an error, too: `JSON.parse` would drop the first.
 */
import { UsageError } from './errors.ts';
import type { InputText } from './input-text.ts';

const blank = /[ \t\n\r]*/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids raw control characters in strings
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

interface Scan {
  /** offset of the first token that JSON does not allow (the length of an incomplete text); of the end of a whole one */
  readonly end: number;
  /** the first key that its object has twice, as it is written, and its offset */
  readonly repeated: { readonly key: string; readonly offset: number } | null;
}

function scan(text: string): Scan {
  let at = 0;
  let repeated: Scan['repeated'] = null;
  const open: string[] = [];
  /** of the objects that are open */
  const keys: Set<string>[] = [];
  const eat = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const skip = (char: string): boolean => {
    eat(blank);
    if (text[at] !== char) return false;
    at++;
    return true;
  };
  /** `"name" :` */
  const key = (): boolean => {
    eat(blank);
    const offset = at;
    if (!eat(string)) return false;
    const own = text.slice(offset, at);
    const known = keys[keys.length - 1]!;
    const name = JSON.parse(own) as string;
    if (known.has(name)) repeated ??= { key: own, offset };
    known.add(name);
    return skip(':');
  };
  const close = (): void => {
    if (open.pop() === '}') keys.pop();
  };
  for (;;) {
    // A value starts here.
    if (skip('{')) {
      if (!skip('}')) {
        open.push('}');
        keys.push(new Set());
        if (!key()) return { end: at, repeated };
        continue;
      }
    } else if (skip('[')) {
      if (!skip(']')) {
        open.push(']');
        continue;
      }
    } else if (!eat(string) && !eat(scalar)) return { end: at, repeated };
    // A value has ended here.
    while (open.length > 0 && skip(open[open.length - 1]!)) close();
    if (open.length === 0) {
      eat(blank);
      return { end: at, repeated };
    }
    if (!skip(',')) return { end: at, repeated };
    if (open[open.length - 1] === '}' && !key()) return { end: at, repeated };
  }
}

/** `line:column`, both from 1, of an offset; the text starts in the line `first`. */
function position(text: string, offset: number, first: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${first - 1 + before.length}:${before[before.length - 1]!.length + 1}`;
}

/** The JSON document in `input`. Throws a `UsageError` that names file, line and column. */
export function parseJson(unit: string, input: InputText): unknown {
  const { text, name, line = 1 } = input;
  const refuse = (offset: number, problem: string, cause?: unknown): never => {
    throw new UsageError(unit, `${name}:${position(text, offset, line)}: ${problem}`, cause);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const { end } = scan(text);
    const found = end >= text.length ? 'the end of the text' : JSON.stringify(text.slice(end, end + 12));
    refuse(end, `expected JSON, got ${found}`, cause);
  }
  const { repeated } = scan(text);
  if (repeated !== null) refuse(repeated.offset, `expected each key once, got ${repeated.key} again; remove one`);
  return value;
}
