/** JSON with line and column of an error, which `JSON.parse` reports differently in each version of Node. */
import { UsageError } from './errors.ts';
import type { InputText } from './input-text.ts';

const blank = /[ \t\n\r]*/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids raw control characters in strings
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** Offset of the first token that JSON does not allow (the length of an incomplete text). */
function firstProblem(text: string): number {
  let at = 0;
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
    return eat(string) && skip(':');
  };
  const open: string[] = [];
  for (;;) {
    // A value starts here.
    if (skip('{')) {
      if (!skip('}')) {
        if (!key()) return at;
        open.push('}');
        continue;
      }
    } else if (skip('[')) {
      if (!skip(']')) {
        open.push(']');
        continue;
      }
    } else if (!eat(string) && !eat(scalar)) return at;
    // A value has ended here.
    while (open.length > 0 && skip(open[open.length - 1]!)) open.pop();
    if (open.length === 0) {
      eat(blank);
      return at;
    }
    if (!skip(',')) return at;
    if (open[open.length - 1] === '}' && !key()) return at;
  }
}

/** `line:column`, both from 1, of an offset; the text starts in the line `first`. */
function position(text: string, offset: number, first: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${first - 1 + before.length}:${before[before.length - 1]!.length + 1}`;
}

/** The JSON document in `input`. Throws a `UsageError` that names file, line and column. */
export function parseJson(unit: string, input: InputText): unknown {
  try {
    return JSON.parse(input.text);
  } catch (cause) {
    const offset = firstProblem(input.text);
    const found =
      offset >= input.text.length ? 'the end of the text' : JSON.stringify(input.text.slice(offset, offset + 12));
    throw new UsageError(
      unit,
      `${input.name}:${position(input.text, offset, input.line ?? 1)}: expected JSON, got ${found}`,
      cause,
    );
  }
}
