/** What a shipped configuration says of its environment holds for its default options, and is not told of another one. */
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';

const factsOf = async (name: string, ...overrides: string[]) => {
  const { config } = await resolveConfig(name, overrides);
  const { search, critic, evaluation } = config as unknown as Record<string, Record<string, unknown>>;
  return [search!.optimum, critic!.conservative_threshold, evaluation!.success_threshold, evaluation!.max_steps];
};
const none = [null, null, null, null];

describe('optimum, thresholds and step cap of a shipped configuration', () => {
  it.each([
    ['cartpole/r2po', [], [500, 480, 500, null]],
    ['cartpole/r2po', ['env=cartpole'], [500, 480, 500, null]],
    ['cartpole/r2po', ['env_options.max_episode_steps=1000'], none],
    ['cartpole/r2po', ['env_options={sutton_barto_reward: true}'], none],
    ['cartpole/r2po', ['env=mountaincar'], none],
    ['cartpole/r2po', ['env_options.max_episode_steps=1000', 'search.optimum=1000'], [1000, null, null, null]],
    [
      'cartpole/r2po',
      ['env_options.max_episode_steps=1000', 'critic={conservative_threshold: 900}'],
      [null, 900, null, null],
    ],
    // Its step cap is ours, and no fact of the option.
    ['cliffwalking/r2po', ['env_options.is_slippery=true'], [null, null, null, 300]],
    ['cliffwalking/r2po', ['env_options.max_episode_steps=100'], none],
  ])('of %s with %j', async (name, overrides, facts) => {
    expect(await factsOf(name, ...overrides)).toEqual(facts);
  });

  it('of the published settings stay', async () => {
    const [optimum] = await factsOf('cartpole/r2po', 'settings=published', 'env_options.max_episode_steps=1000');
    expect(optimum).toBe(500);
  });
});
