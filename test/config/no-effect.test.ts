/** Settings that would have no effect are refused, and lists and policy kinds can be set from the command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAxis } from '../../src/config/axes.ts';
import { resolveConfig } from '../../src/config/resolve.ts';

const cartpole = 'cartpole/r2po';

describe('a step cap', () => {
  it('above the step limit of the environment is refused, with the option that lengthens episodes', async () => {
    await expect(resolveConfig(cartpole, ['evaluation.max_steps=501'])).rejects.toThrow(
      '[config] override 1 (evaluation.max_steps=501): expected "evaluation.max_steps" to be null or at most 500, the step ' +
        'limit of CartPole-v1, got 501, which has no effect; for longer episodes, remove it and set env_options.max_episode_steps',
    );
    const longer = ['evaluation.max_steps=501', 'env_options.max_episode_steps=501'];
    expect((await resolveConfig(cartpole, longer)).config.evaluation.max_steps).toBe(501);
    expect((await resolveConfig(cartpole, ['evaluation.max_steps=500'])).config.evaluation.max_steps).toBe(500);
  });

  it('below max_episode_steps is refused, as that would have no effect', async () => {
    const overrides = ['env_options.max_episode_steps=700', 'evaluation.max_steps=300'];
    await expect(resolveConfig(cartpole, overrides)).rejects.toThrow(
      /to be null with env_options.max_episode_steps 700/,
    );
  });

  it('is none in the fair settings, and that of the reference in the published ones', async () => {
    expect((await resolveConfig(cartpole)).config.evaluation.max_steps).toBeNull();
    const published = await resolveConfig(cartpole, ['settings=published']);
    expect(published.config.evaluation.max_steps).toBe(1000);
    await expect(resolveConfig(cartpole, ['settings=published', 'evaluation.max_steps=2000'])).rejects.toThrow(
      /at most 500/,
    );
  });

  describe('of a file', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'r2po-steps-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };

    it('is refused with its line, but stays in the configuration of a run', async () => {
      const text =
        'env: CartPole-v1\nmethod: r2po\niterations: 3\npolicy: { kind: linear }\nevaluation:\n  max_steps: 1000\n';
      const name = write('config.yaml', text);
      await expect(resolveConfig(name)).rejects.toThrow(/config\.yaml:6:14: expected "evaluation.max_steps"/);
      write('run.json', '{}');
      expect((await resolveConfig(name)).config.evaluation.max_steps).toBe(1000);
    });
  });
});

describe('policy.kind', () => {
  it('as an override drops the options of the other kind, and keeps those of its own', async () => {
    const { config } = await resolveConfig(cartpole, ['policy.kind=mlp']);
    expect(config.policy.kind).toBe('mlp');
    expect(config.policy.options).not.toHaveProperty('bias');
    for (const overrides of [
      ['policy.kind=mlp', 'policy.options.hidden=[3]'],
      ['policy.options.hidden=[3]', 'policy.kind=mlp'],
    ]) {
      expect((await resolveConfig(cartpole, overrides)).config.policy.options).toMatchObject({ hidden: [3] });
    }
    expect((await resolveConfig(cartpole, ['policy.kind=linear'])).config).toEqual(
      (await resolveConfig(cartpole)).config,
    );
  });
});

describe('a list in brackets', () => {
  it('is several values of a key that holds one, and one value of a key that holds a list', () => {
    expect(parseAxis('seed=[0, 1,5..7]', 1).choices).toEqual(['seed=0', 'seed=1', 'seed=5', 'seed=6', 'seed=7']);
    expect(parseAxis('policy.kind=[linear,mlp]', 1).choices).toEqual(['policy.kind=linear', 'policy.kind=mlp']);
    expect(parseAxis('policy.options.hidden=[8,8],[4]', 1).choices).toEqual([
      'policy.options.hidden=[8,8]',
      'policy.options.hidden=[4]',
    ]);
    expect(() => parseAxis('seed=[]', 1)).toThrow(/expected a value/);
  });
});
