/** The identity of a run: the keys of its configuration that decide its result. `--resume` may change only other keys. */
import { earlierDefaults, withoutLaterKeys } from '../../config/earlier.ts';
import { hashOf } from '../../config/hash.ts';
import { isSection, merge } from '../../config/layers.ts';
import { leaves } from '../../config/leaves.ts';
import type { Config } from '../../config/schema.ts';
import { policyKinds } from '../../policies/index.ts';
import type { BranchOrigin, Manifest } from './manifest.ts';

/**
 * Keys that `--resume` may change, with the value that the hash uses: they decide when a run stops and its cost, not its
 * result. An empty section is free as a whole.
 */
const free = {
  budget: { max_calls: null, max_tokens: null, max_time_s: null, max_cost_usd: null, max_episodes: null },
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

/**
 * Hash of the keys that decide the result; stable across versions unless such a key is added. `branch`: of a run that begins
 * with the record of another one.
 */
export function runHash(config: Config, branch?: BranchOrigin): string {
  const neutral = Object.entries(free).flatMap(([section, values]) => {
    const given = (config as unknown as Record<string, object | undefined | null>)[section];
    // A job may hold anything.
    if (given === undefined || given === null) return [];
    const inside = Object.entries(values).filter(([key]) => Object.hasOwn(given, key));
    return [[section, inside.length === 0 ? {} : { ...given, ...Object.fromEntries(inside) }]];
  });
  const own = withoutLaterKeys({ ...config, ...Object.fromEntries(neutral) });
  // Not the name of the other run, which may be renamed.
  return hashOf(branch ? { ...own, branch: { iteration: branch.iteration, record: branch.record } } : own);
}

/** `iterations (100 there, 6 here)` for every key that makes two configurations different runs. */
export function differingKeys(there: Config, here: Config): string[] {
  const before = new Map(leaves(there));
  const after = new Map(leaves(here));
  // A missing key and one without a value mean the same.
  const valueIn = (leavesOf: ReadonlyMap<string, string>, key: string) => leavesOf.get(key) ?? 'null';
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !isFree(key) && valueIn(before, key) !== valueIn(after, key))
    .map((key) => `${key} (${before.get(key) ?? 'not set'} there, ${after.get(key) ?? 'not set'} here)`);
}

/** Keys that name a run or follow from its seed, and the wish for a backend, of which runs record what they used. */
const namedApart = ['env', 'method', 'model', 'seed', 'evaluation.backend'];

/** What a branch shares, in a few words. */
export function branchName({ run, iteration }: BranchOrigin): string {
  return `${run}, iteration ${iteration}`;
}

/**
 * What decides the result of a run apart from its environment, method, model and seed: leaves as JSON by dotted name. Runs
 * with equal settings are repetitions of each other. `written`: the unchecked content of a run's `config.yaml`. An imported
 * run may be one of the reference, whose number its import has as the seed; a branch shares what it began with. Modules of
 * the user with the same id are told apart by their source.
 */
export function settingsOf(
  written: unknown,
  manifest: Partial<Pick<Manifest, 'imported' | 'branch' | 'iterations' | 'env_source' | 'method_source'>> = {},
): ReadonlyMap<string, string> {
  if (!isSection(written)) return new Map();
  const { imported, branch, iterations } = manifest;
  const whole = withoutLaterKeys(merge(earlierDefaults, written) as Config);
  const settings = new Map(leaves(whole));
  const base = policyKinds.find(({ id }) => JSON.stringify(id) === settings.get('policy.kind'))?.runSeedBase ?? 0;
  const [drawn, seed] = ['policy.options.seed', 'seed'].map((key) => Number(settings.get(key)));
  // It follows from the seed of the run.
  const follows = (imported ? [0, 1] : [1]).some((offset) => drawn === (base + seed! + offset) % 2 ** 32);
  if (follows) settings.delete('policy.options.seed');
  for (const key of settings.keys()) if (isFree(key) || namedApart.includes(key)) settings.delete(key);
  if (iterations !== undefined) settings.set('iterations', JSON.stringify(iterations));
  if (branch) settings.set('branch', JSON.stringify(branchName(branch)));
  for (const key of ['env_source', 'method_source'] as const) {
    const digest = manifest[key];
    if (digest !== undefined) settings.set(key, JSON.stringify(digest.slice(0, 12)));
  }
  return settings;
}
