/** Overrides with several values, for `r2po sweep`: `seed=0..9`, `method=r2po,props`. */
import { UsageError } from '../base/errors.ts';
import { holdsOneValue } from './overrides.ts';

/** An override with several values, and one override for each of them. */
export interface Axis {
  readonly text: string;
  /** dotted name */
  readonly key: string;
  /** distinct `key=value`, in the order of the text */
  readonly choices: readonly string[];
}

/** More values than this are a typo. */
const maxValues = 1_000_000;

const range = /^\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*$/;
const opening: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

/** Cuts at commas outside of quotes, brackets and braces. */
function parts(text: string): string[] {
  const found: string[] = [];
  const closing: string[] = [];
  let quote: string | null = null;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quote !== null) {
      if (character === '\\' && quote === '"') i++;
      else if (character === quote) quote = null;
    } else if ((character === '"' || character === "'") && text.slice(start, i).trim() === '') quote = character;
    else if (character in opening) closing.push(opening[character]!);
    else if (character === closing.at(-1)) closing.pop();
    else if (character === ',' && closing.length === 0) {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  found.push(text.slice(start));
  return found;
}

/**
 * Reads `key=a,b,c`, `key=0..9` (whole numbers, both ends included, downwards too) and mixtures such as `key=0..3,8`. Text
 * in quotes, brackets or braces is one value, but `[a, b]` is several of a key that holds one. `position` counts from 1. Throws a usage error that quotes the text.
 */
export function parseAxis(text: string, position: number): Axis {
  const fail = (message: string): never => {
    throw new UsageError('config', `override ${position} (${text}): ${message}`);
  };
  const equals = text.indexOf('=');
  if (equals < 1) return fail('expected key=value, key=a,b,c or key=0..9');
  const key = text.slice(0, equals);
  const values: string[] = [];
  const several = holdsOneValue(key) ? /^\s*\[(.*)\]\s*$/s : null;
  const given = parts(text.slice(equals + 1)).flatMap((part) => {
    const list = several?.exec(part);
    return list ? parts(list[1]!) : [part];
  });
  for (const part of given) {
    const ends = range.exec(part);
    if (!ends) {
      if (part.trim() === '') fail('expected a value between the commas, got nothing');
      values.push(part.trim());
      continue;
    }
    const [from, to] = [Number(ends[1]), Number(ends[2])];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) fail('expected a range of whole numbers');
    const count = Math.abs(to - from) + 1;
    if (values.length + count > maxValues) fail(`expected at most ${maxValues} values, got ${count}`);
    const step = to < from ? -1 : 1;
    for (let i = 0; i < count; i++) values.push(String(from + i * step));
  }
  const choices = [...new Set(values)];
  if (choices.length < values.length) fail('expected distinct values, got one of them twice');
  return { text, key, choices: choices.map((value) => `${key}=${value}`) };
}

/** Reads all overrides of a command line, in order. Throws a usage error for an invalid or repeated key. */
export function parseAxes(texts: readonly string[]): Axis[] {
  const axes = texts.map((text, i) => parseAxis(text, i + 1));
  const twice = axes.find(({ key }, i) => axes.findIndex((axis) => axis.key === key) < i);
  if (!twice) return axes;
  throw new UsageError(
    'config',
    `expected each key once, got "${twice.key}" again (${twice.text}); list all values together: ${twice.key}=a,b`,
  );
}

/** Every combination of one choice per axis; the last axis changes fastest. */
export function* combinations(axes: readonly Axis[]): Generator<readonly string[]> {
  if (axes.length === 0) {
    yield [];
    return;
  }
  const [first, ...rest] = axes;
  for (const choice of first!.choices) for (const others of combinations(rest)) yield [choice, ...others];
}
