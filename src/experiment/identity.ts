/** Which configurations are the same run: `--resume` may change what cannot change a result, and nothing else. */
import { configHash } from '../config/hash.ts';
import type { Config } from '../config/schema.ts';

/** Dotted keys that `--resume` may change: they decide when a run stops, not what it finds. */
const freeKeys: readonly string[] = [
  'budget.max_calls',
  'budget.max_tokens',
  'budget.max_time_s',
  'budget.max_cost_usd',
  'llm.timeout_s',
  'llm.idle_timeout_s',
  'llm.max_attempts',
  'llm.max_concurrent',
  'llm.min_spacing_s',
];

/** Every leaf by its dotted name, lists as one value. */
function leaves(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

/** Short name of all that decides what a run finds. */
export function runHash(config: Config): string {
  const budget = { max_calls: null, max_tokens: null, max_time_s: null, max_cost_usd: null };
  const llm = {
    ...config.llm,
    timeout_s: 1,
    idle_timeout_s: 1,
    max_attempts: 1,
    max_concurrent: null,
    min_spacing_s: 0,
  };
  return configHash({ ...config, budget, llm, prices: {} });
}

/** `iterations (100 there, 6 here)` for every key that makes two configurations different runs. */
export function differingKeys(there: Config, here: Config): string[] {
  const before = new Map(leaves(there));
  const after = new Map(leaves(here));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !freeKeys.includes(key) && !/^prices\b/.test(key) && before.get(key) !== after.get(key))
    .map((key) => `${key} (${before.get(key) ?? 'not set'} there, ${after.get(key) ?? 'not set'} here)`);
}
