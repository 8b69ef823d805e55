/** Which configurations are the same run: the hash and the list of differences must say the same. */
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { differingKeys, runHash } from '../../src/runs/folder/identity.ts';

const resolved = async (...overrides: string[]) =>
  (await resolveConfig('cartpole/r2po', overrides, { model: 'ollama/m' })).config;
const price = 'prices={"a.b": {prompt_per_million: 2, completion_per_million: 7, date: 2026-03-04}}';
const base = await resolved();

describe('the same run', () => {
  it.each([
    'budget.max_calls=5',
    'budget.max_tokens=70000',
    'budget.max_time_s=9',
    'budget.max_cost_usd=0.5',
    'llm.timeout_s=33',
    'llm.idle_timeout_s=11',
    'llm.max_attempts=2',
    'llm.max_concurrent=3',
    'llm.min_spacing_s=0.25',
    'llm.max_unusable_in_a_row=null',
    'llm.keep_alive=5m',
    'llm.headers={x-team: $TEAM}',
    'llm.fallback=[openai/b]',
    price,
  ])('stays the same with %s', async (override) => {
    const other = await resolved(override);
    expect(other).not.toEqual(base);
    expect(runHash(other)).toBe(runHash(base));
    expect(differingKeys(base, other)).toEqual([]);
  });

  it.each([
    ['seed=8', 'seed'],
    ['llm.temperature=0.3', 'llm.temperature'],
    ['llm.top_p=0.9', 'llm.top_p'],
    ['llm.stop=[END]', 'llm.stop'],
    ['llm.reply_form=json', 'llm.reply_form'],
    ['llm.max_reply_tokens=900', 'llm.max_reply_tokens'],
    ['llm.reasoning_effort=low', 'llm.reasoning_effort'],
    ['llm.think=false', 'llm.think'],
    ['llm.num_ctx=8192', 'llm.num_ctx'],
    ['llm.extra_body.min_p=0.1', 'llm.extra_body.min_p'],
    ['llm.search.temperature=0.7', 'llm.search.temperature'],
    ['llm.critic.model=openai/b', 'llm.critic.model'],
    ['evaluation.episodes=77', 'evaluation.episodes'],
  ])('is another with %s', async (override, key) => {
    const other = await resolved(override);
    expect(runHash(other)).not.toBe(runHash(base));
    expect(differingKeys(base, other)).toEqual([expect.stringMatching(`^${key} \\(`)]);
  });
});
