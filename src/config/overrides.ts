/** Values of the command line that override those of a configuration file: `evaluation.episodes=4096`. */
import { UsageError } from '../base/errors.ts';
import { addSecret } from '../base/secrets.ts';
import { shown } from '../base/shown.ts';
import { isSection } from './layers.ts';
import { unknownKey } from './problems.ts';
import { type KeyInfo, knownKeys } from './schema.ts';
import { parseYaml } from './yaml-text.ts';

export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** name in messages: `override 2 (evaluation.episodes=4)` or `--seed` */
  readonly label: string;
}

/** Values that `sweep` expands: `1,2,3` and `0..9`. Text in quotes, brackets or braces is one value. */
const listOrRange = /^[^"'[{]*,|^\s*-?\d+\s*\.\.\s*-?\d+\s*$/;

const secretName = /(?:^|[_-])(?:key|token|secret|password)$|^authorization$/i;

const deepestKey = Math.max(...[...knownKeys.keys()].map((key) => key.split('.').length));

/** The key of a dotted name, or null; in an open section every name is a key. */
function findKey(path: readonly string[]): KeyInfo | null {
  // Setting it would change the prototype of the object.
  if (path.includes('__proto__')) return null;
  for (let depth = Math.min(path.length, deepestKey); depth > 0; depth--) {
    const info = knownKeys.get(path.slice(0, depth).join('.'));
    if (info && (depth === path.length || info.open)) return info;
  }
  return null;
}

/** Whether a key holds one value, so that a list is several of them. */
export function holdsOneValue(key: string): boolean {
  const info = findKey(key.split('.'));
  return info !== null && !info.open && !info.list && info.keys === null;
}

/**
 * Reads one positional `a.b.c=value`; `position` counts from 1. Throws a `UsageError` that quotes it, and of `own`, the keys
 * of the method, names those that may have been meant.
 */
export function parseOverride(text: string, position: number, own: ReadonlySet<string> = new Set()): Override {
  const label = `override ${position} (${text})`;
  const fail = (message: string): never => {
    throw new UsageError('config', `${label}: ${message}`);
  };
  const equals = text.indexOf('=');
  if (equals < 1) fail('expected key=value, as in evaluation.episodes=4096');
  const path = text.slice(0, equals).split('.');
  const raw = text.slice(equals + 1);
  if (path.includes('')) fail('expected names between single dots, as in evaluation.episodes=4096');
  // A key does not belong here, and must not be printed.
  if (secretName.test(path.at(-1)!) && Number.isNaN(Number(raw))) addSecret(raw);
  if (!findKey(path)) fail(unknownKey(path, own));
  const { value } = parseYaml('config', { name: `${label}, the value`, text: raw });
  if (holdsOneValue(path.join('.')) && (listOrRange.test(raw) || Array.isArray(value))) {
    fail(`expected one value, got ${shown(raw)}; lists and ranges are for "r2po sweep"`);
  }
  return { path, value, label };
}

/** Reads all positional overrides of a command line, in order. */
export function parseOverrides(texts: readonly string[], own?: ReadonlySet<string>): Override[] {
  return texts.map((text, index) => parseOverride(text, index + 1, own));
}

/** The options of one policy kind mean nothing to another. */
function dropForeignOptions(base: unknown, overrides: readonly Override[]): void {
  const kind = overrides.findLast(({ path }) => path.join('.') === 'policy.kind');
  if (!kind || !isSection(base) || !isSection(base.policy) || base.policy.kind === kind.value) return;
  const { options: _, ...policy } = base.policy;
  base.policy = policy;
}

/**
 * A copy of `base` with the overrides, in order; another policy kind begins with its default options. If an override sets a key inside of a value that is not a section, the
 * value stays, so that the schema reports it.
 */
export function applyOverrides(base: unknown, overrides: readonly Override[]): unknown {
  const result = structuredClone(base);
  dropForeignOptions(result, overrides);
  for (const { path, value } of overrides) {
    let section = result;
    for (const key of path.slice(0, -1)) {
      if (!isSection(section)) break;
      if (!Object.hasOwn(section, key)) section[key] = {};
      section = section[key];
    }
    if (isSection(section)) section[path[path.length - 1]!] = value;
  }
  return result;
}
