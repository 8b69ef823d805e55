/** The identity of a run: the keys of its configuration that decide its result. `--resume` may change only other keys. */
import { withoutLaterKeys } from '../../config/earlier.ts';
import { hashOf } from '../../config/hash.ts';
import type { Config } from '../../config/schema.ts';

/**
 * Keys that `--resume` may change, with the value that the hash uses: they decide when a run stops and its cost, not its
 * result. An empty section is free as a whole.
 */
const free = {
  budget: { max_calls: null, max_tokens: null, max_time_s: null, max_cost_usd: null },
  llm: {
    timeout_s: 1,
    idle_timeout_s: 1,
    max_attempts: 1,
    max_concurrent: null,
    min_spacing_s: 0,
    max_unusable_in_a_row: null,
    keep_alive: null,
    headers: {},
    // Journal, summary and tables name the model that answered.
    fallback: [],
  },
  prices: {},
} as const;

function isFree(key: string): boolean {
  return Object.entries(free).some(([section, values]) => {
    if (!key.startsWith(`${section}.`)) return false;
    const names = Object.keys(values);
    return names.length === 0 || names.includes(key.split('.')[1]!);
  });
}

/** Every leaf by its dotted name, lists as one value. */
function leaves(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

/** Hash of the keys that decide the result; stable across versions unless such a key is added. */
export function runHash(config: Config): string {
  const neutral = Object.entries(free).flatMap(([section, values]) => {
    const given = (config as unknown as Record<string, object | undefined | null>)[section];
    // A job may hold anything.
    if (given === undefined || given === null) return [];
    const inside = Object.entries(values).filter(([key]) => Object.hasOwn(given, key));
    return [[section, inside.length === 0 ? {} : { ...given, ...Object.fromEntries(inside) }]];
  });
  return hashOf(withoutLaterKeys({ ...config, ...Object.fromEntries(neutral) }));
}

/** `iterations (100 there, 6 here)` for every key that makes two configurations different runs. */
export function differingKeys(there: Config, here: Config): string[] {
  const before = new Map(leaves(there));
  const after = new Map(leaves(here));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !isFree(key) && before.get(key) !== after.get(key))
    .map((key) => `${key} (${before.get(key) ?? 'not set'} there, ${after.get(key) ?? 'not set'} here)`);
}
