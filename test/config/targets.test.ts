/** The targets of the fair settings can be reached; the published ones are those of the reference. */
import { describe, expect, it } from 'vitest';
import { leaves } from '../../src/config/leaves.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { shippedConfigs } from '../../src/config/shipped.ts';
import { variantOf } from '../../src/config/variants.ts';
import { envs } from '../../src/envs/index.ts';
import { ceilingOf } from '../../src/report/published/ceilings.ts';
import { llmConfig } from '../support/llm-config.ts';

describe.each(envs.map((env) => ({ env, id: env.id })))('of $id', ({ env }) => {
  it('optimum and threshold lie where a policy of the settings gets', async () => {
    const config = llmConfig((await resolveConfig(`${env.folder}/r2po`)).config);
    const ceiling = ceilingOf(env.id)!;
    expect(ceiling.policy).toBe(config.policy.kind);
    // To the digits of a target, or a noisy step of a return of -120.
    const margin = 0.05 * Math.abs(ceiling.mean);
    expect(config.search.optimum).toBeGreaterThanOrEqual(ceiling.mean - 0.08 * Math.abs(ceiling.mean));
    expect(config.search.optimum).toBeLessThanOrEqual(ceiling.mean + 0.001 * Math.abs(ceiling.mean));
    expect(config.critic.conservative_threshold).toBeLessThanOrEqual(ceiling.mean);
    expect(config.critic.conservative_threshold).toBeGreaterThan(ceiling.mean - 4 * margin);
  });

  it('a success is a return that good policies have', () => {
    const ceiling = ceilingOf(env.id)!;
    // Returns of single episodes scatter about the mean most where some fail: on ice, and where a swing up comes too late.
    const scatters = ['FrozenLake-v1', 'Pendulum-v1', 'MountainCar-v0', 'MountainCarContinuous-v0'];
    if (!scatters.includes(env.id)) expect(env.success.threshold).toBeLessThanOrEqual(ceiling.mean);
  });
});

describe('the published settings', () => {
  it.each([
    ['frozenlake/r2po', 1, 0.85],
    ['frozenlake/tau-c-half', 1, 0.425],
    ['frozenlake/tau-c-none', 1, null],
    ['mountaincar-continuous/tau-c', 100, 97],
    ['swimmer/always-critic', 250, 230],
    ['inverted-double-pendulum/r2po', 500, 450],
    ['cartpole/tau-c-none', 500, null],
  ])('of %s keep the targets of the reference', async (name, optimum, threshold) => {
    const config = llmConfig((await resolveConfig(name, ['settings=published'])).config);
    expect([config.search.optimum, config.critic.conservative_threshold]).toEqual([optimum, threshold]);
  });

  it('are those of the same variants', async () => {
    for (const name of ['frozenlake/tau-c-half', 'swimmer/tau-c-none', 'cartpole/tau-c-half']) {
      expect(shippedConfigs()).toContain(name);
      for (const family of ['fair', 'published']) {
        const { config } = await resolveConfig(name, [`settings=${family}`]);
        expect(await variantOf(config.env, config.method, new Map(leaves(config)))).toBe(name.split('/')[1]);
      }
    }
    await expect(resolveConfig('pendulum/tau-c-none', ['settings=published'])).rejects.toThrow(/found none/);
  });
});
