/**
 * What a configuration of an earlier version means by what it does not say. A run that such a version began goes on as it
 * began, and is found again by the hash that it was given: a key that came later counts in a hash only where it says
 * something else than this.
 */
import { isSection } from './layers.ts';
import type { Config } from './schema.ts';

/** Keys that came later, with what runs did before. */
export const laterKeys = {
  prompt: { knowledge: 'full', explanation: 'sentence', reward_decimals: null, count_from: 1 },
  warmup: { inside: false },
  evaluation: { success_tolerance: 0 },
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

/** Keys that were always there and had another default. */
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

/** What holds in a configuration of an earlier version where it has no entry. */
export const earlierDefaults: Section = joined(laterKeys, changedDefaults);

/** The configuration without the later keys that say nothing new: what an earlier version would have written. */
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
