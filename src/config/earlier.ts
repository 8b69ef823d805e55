/**
 * Defaults of earlier versions. A run of an earlier version resumes with the settings it started with, and keeps its
 * hash: a later key counts in the hash only if its value differs from the earlier behaviour.
 */
import { isSection } from './layers.ts';
import type { Config } from './schema.ts';

/** Keys added later, with the behaviour before. */
export const laterKeys = {
  prompt: { knowledge: 'full', explanation: 'sentence', reward_decimals: null, count_from: 1 },
  search: { history: null },
  warmup: { inside: false, dir: null },
  evaluation: { success_tolerance: 0, holdout: null },
  budget: { max_episodes: null },
  llm: {
    top_p: null,
    stop: [],
    max_reply_tokens: null,
    reasoning_effort: null,
    think: null,
    num_ctx: null,
    keep_alive: null,
    extra_body: {},
    headers: {},
    fallback: [],
    max_unusable_in_a_row: null,
    search: {},
    critic: {},
  },
} as const;

/** Original keys whose default has changed. */
const changedDefaults = {
  llm: { reply_form: 'lines' },
} as const;

type Section = Record<string, unknown>;

function joined(a: Section, b: Section): Section {
  const both = (key: string): unknown => {
    const [left, right] = [a[key], b[key]];
    return isSection(left) && isSection(right) ? { ...left, ...right } : (right ?? left);
  };
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [key, both(key)]));
}

/** Values of missing keys in a configuration of an earlier version. */
export const earlierDefaults: Section = joined(laterKeys, changedDefaults);

/** The configuration without later keys that have their earlier value, as an earlier version would write it. */
export function withoutLaterKeys(config: Config): object {
  return stripped(config as unknown as Section, laterKeys);
}

function stripped(section: Section, later: Section): Section {
  const kept = Object.entries(section).flatMap(([key, value]): [string, unknown][] => {
    if (!Object.hasOwn(later, key)) return [[key, value]];
    const neutral = later[key];
    if (JSON.stringify(value) === JSON.stringify(neutral)) return [];
    if (!isSection(neutral) || !isSection(value) || Object.keys(neutral).length === 0) return [[key, value]];
    const inner = stripped(value, neutral);
    return Object.keys(inner).length === 0 ? [] : [[key, inner]];
  });
  return Object.fromEntries(kept);
}
