/** Settings that the shared iterations of a branch and its own ones must have in common. */
import { leaves } from '../../config/leaves.ts';
import type { Config } from '../../config/schema.ts';
import type { RunUnits } from '../resolve-units.ts';

/** What is searched, and what an episode is: earlier trials would not be comparable with later ones. */
const fixed: readonly string[] = [
  'env',
  'env_options',
  'method',
  'settings',
  'policy',
  'parameters',
  // The state of an optimiser follows from its settings and everything that it was told.
  'optimiser',
  'warmup',
  'evaluation.backend',
  'evaluation.max_steps',
  'evaluation.success_threshold',
  'evaluation.success_tolerance',
];

/** When the search ends. */
const free: readonly string[] = ['optimiser.episodes'];

/** Whether a branch has to keep the value of a key. */
export function isFixed(key: string): boolean {
  return !free.includes(key) && fixed.some((name) => key === name || key.startsWith(`${name}.`));
}

/** The first fixed key in which a shared part differs from the run, in words; null: none. */
export function fixedDifference(units: RunUnits, shared: Config): string | null {
  const before = new Map(leaves(shared));
  const after = new Map(leaves(units.config));
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    // The wish of a shared part; the record has the backend that was used.
    if (key === 'evaluation.backend' || !isFixed(key) || before.get(key) === after.get(key)) continue;
    return `expected ${key} ${after.get(key) ?? 'not set'}, as in the configuration of the run, got ${before.get(key) ?? 'not set'}`;
  }
  return null;
}
