/** A policy is played in the environment that it belongs to: that of its run or its file. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallRun } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

let folder: string;
/** a run of FrozenLake without slipping */
let dry: string;
let pole: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-belongs-'));
  const small = { runsDir: folder, overrides: ['iterations=1', 'recheck.episodes=5'] };
  dry = (
    await smallRun({
      ...small,
      config: 'frozenlake/props',
      overrides: [...small.overrides, 'env_options.is_slippery=false'],
    })
  ).folder;
  pole = (await smallRun({ ...small, config: 'cartpole/props' })).folder;
});
afterAll(() => rmSync(folder, { recursive: true }));

const evaluated = async (...args: string[]) => {
  const { code, stdout, stderr } = await runCommand('eval', '--backend', 'cpu', '--episodes', '2', '--json', ...args);
  return { code, stderr, ...(code === 0 ? (JSON.parse(stdout) as { env: string; env_options: object }) : {}) };
};
const firm = { map: '4x4', is_slippery: false };

describe('r2po eval --policy', () => {
  it('of a run ends episodes where the run did, unless it is told otherwise', async () => {
    const run = [
      'run',
      'cartpole/random-search',
      'evaluation.max_steps=7',
      'optimiser.episodes=40',
      'recheck.episodes=2',
    ];
    expect((await runCommand(...run, '--runs-dir', folder, '--name', 'capped', '--backend', 'cpu')).code).toBe(0);
    for (const source of [join(folder, 'capped'), join(folder, 'capped', 'best.json')]) {
      expect(await evaluated('--policy', source)).toMatchObject({ code: 0, length: { max: 7 } });
      const { stderr } = await runCommand('eval', '--policy', source, '--episodes', '2', '--backend', 'cpu');
      expect(stderr).toContain('episodes are stopped after 7 steps, as in the run; change this with --max-steps');
      expect(await evaluated('--policy', source, '--max-steps', '3')).toMatchObject({ length: { max: 3 } });
    }
  });

  it('takes environment and options from a run folder, its best.json, and a copy of that', async () => {
    const copy = join(folder, 'copy.json');
    writeFileSync(copy, readFileSync(join(dry, 'best.json')));
    for (const source of [dry, join(dry, 'best.json'), copy]) {
      expect(await evaluated('--policy', source)).toMatchObject({ code: 0, env: 'FrozenLake-v1', env_options: firm });
    }
  });

  it.each([
    ['--env', 'frozenlake'],
    ['--env-option', 'is_slippery=false'],
    ['--env', 'FrozenLake-v1', '--env-option', 'map_name=4x4', '--env-option', 'is_slippery=false'],
  ])('keeps the options of the run with %s %s', async (...args) => {
    expect(await evaluated('--policy', dry, ...args)).toMatchObject({ code: 0, env_options: firm });
  });

  it('refuses another environment, and other options, naming both', async () => {
    const other = await evaluated('--policy', dry, '--env', 'CliffWalking-v1');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain(
      `expected FrozenLake-v1, the environment of "${dry}", got CliffWalking-v1; leave --env out`,
    );
    for (const given of ['is_slippery=true', 'max_episode_steps=300', 'map_name=8x8']) {
      const refused = await evaluated('--policy', dry, '--env-option', given);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/\[--env-option\] expected the options .*"is_slippery":false.* of ".*", got \{/);
    }
  });

  it('needs --env for a policy that names none', async () => {
    const hand = join(folder, 'hand.json');
    writeFileSync(hand, JSON.stringify({ kind: 'tabular', params: Array(16).fill(1) }));
    const refused = await evaluated('--policy', hand);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('names none; add --env ID') });
    const played = await evaluated('--policy', hand, '--env', 'frozenlake', '--env-option', 'is_slippery=false');
    expect(played).toMatchObject({ code: 0, env_options: firm });
  });
});

describe('the other commands that play a policy', () => {
  it('r2po eval --policies takes the environment of the policies, and refuses two', async () => {
    const one = join(folder, 'one');
    mkdirSync(one);
    writeFileSync(join(one, 'a.json'), readFileSync(join(dry, 'best.json')));
    expect(await evaluated('--policies', one)).toMatchObject({ code: 0, env: 'FrozenLake-v1', env_options: firm });
    writeFileSync(join(one, 'b.json'), readFileSync(join(pole, 'best.json')));
    const refused = await evaluated('--policies', one);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /expected policies of one environment, got FrozenLake-v1 .* and CartPole-v1 .*--env/,
    );
  });

  it('r2po probe takes environment and options from a run', async () => {
    const states = join(folder, 'states.json');
    writeFileSync(states, JSON.stringify([{ state: [14], action: [2] }]));
    const { code, stdout } = await runCommand('probe', '--policy', dry, '--in', states);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ state: [15], reward: 1, terminated: true }]);
    const refused = await runCommand('probe', '--policy', dry, '--env', 'cartpole', '--in', states);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('got CartPole-v1') });
    expect((await runCommand('probe', '--in', states)).stderr).toContain('add --env ID');
  });
});
