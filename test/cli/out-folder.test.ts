/** A path that cannot be written to is wrong usage, said before the work is done. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const run = 'test/cases/format-2-finished-run';
const runsDir = join(temporaryFolder(), 'runs');

describe.runIf(existsSync('/proc'))('--out /proc/nope', () => {
  it.each([
    ['export', run, '--format', 'csv'],
    ['export', run, '--format', 'parquet'],
    ['export', run, '--format', 'reference'],
    ['export', run, '--format', 'calls'],
    ['report', run],
    ['sweep', 'cartpole/r2po', 'iterations=1', '--runs-dir', runsDir],
  ])('of %s %s %s %s ends with exit code 2', async (...args) => {
    const { code, stderr } = await runCommand(...args, '--out', '/proc/nope');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('[--out] ') });
    expect(stderr).toContain('"/proc/nope');
    expect(existsSync(runsDir)).toBe(false);
  });
});

const folder = temporaryFolder();
const nowhere = join(folder, 'no', 'file.json');

describe('a file that cannot be written', () => {
  const policy = join(folder, 'policy.json');
  writeFileSync(policy, JSON.stringify({ env: 'CartPole-v1', kind: 'linear', params: Array(10).fill(1) }));
  // Far more than would be played or solved within the time of a test.
  const long = ['eval', '--policy', policy, '--backend', 'cpu', '--episodes', '50000000'];
  const vary = [...long, '--vary', 'gravity=1..9:9'];
  const solve = ['solve', 'FrozenLake-v1', '--env-option', 'map=8x8', '--max-time', '600'];

  it.each([
    ['--out', solve],
    ['--returns', long],
    ['--trajectory', long],
    ['--animate', long],
    ['--csv', vary],
    ['--picture', vary],
    ['--csv', ['analyze', 'search', run]],
    ['--picture', ['analyze', 'search', run]],
  ])('of %s ends with exit code 2', async (option, command) => {
    const path = nowhere.replace('.json', option === '--animate' ? '.svg' : '.json');
    const { code, stdout, stderr } = await runCommand(...command, option, path);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`\\[${option}\\] cannot write ".*": ENOENT.*; name a file in a folder that exists`),
    );
    expect((await runCommand(...command, option, folder)).code).toBe(2);
  });

  it.each([
    ['exa ct', /\[--name\] expected a folder name of letters/],
    ['taken', /\[--name\] expected a new folder, got ".*taken", which exists/],
  ])('nor can a run of the name %s', async (name, message) => {
    mkdirSync(join(folder, 'taken'), { recursive: true });
    const { code, stderr } = await runCommand(...solve, '--runs-dir', folder, '--name', name);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});
