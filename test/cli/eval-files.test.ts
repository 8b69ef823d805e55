/** What `eval` says of the files that it writes, and what `list envs NAME` shows. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/in-process.ts';

let folder: string;
let policy: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-eval-'));
  policy = join(folder, 'policy.json');
  writeFileSync(
    policy,
    JSON.stringify({ env: 'CartPole-v1', kind: 'linear', params: [-1, 2, -3, 4, 5, -6, 1, 0, 2, 1] }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const evaluate = (...args: string[]) =>
  runCommand('eval', '--policy', policy, '--backend', 'cpu', '--episodes', '3', ...args);

describe('r2po eval', () => {
  it('says which files it wrote', async () => {
    const given = { '--returns': 'r.csv', '--trajectory': 't.json', '--animate': 'a.svg', '--dump-wgsl': 'p.wgsl' };
    const paths = Object.values(given).map((name) => join(folder, name));
    const { code, stderr } = await evaluate(...Object.keys(given).flatMap((option, i) => [option, paths[i]!]));
    expect(code).toBe(0);
    for (const path of paths) expect(stderr).toContain(`wrote ${path}\n`);
    const many = join(folder, 'many.csv');
    const ranked = await runCommand('eval', '--policies', folder, '--backend', 'cpu', '--csv', many);
    expect(ranked.stderr).toContain(`wrote ${many}\n`);
  });

  it.each(['x.png', 'x.gif', 'x.json'])('refuses to write an SVG animation into %s, before it plays', async (name) => {
    const path = join(folder, name);
    const { code, stderr } = await evaluate('--animate', path);
    expect([code, existsSync(path)]).toEqual([2, false]);
    expect(stderr).toContain(`[--animate] expected a name that ends in .svg, got "${path}"`);
  });
});

describe('r2po list envs', () => {
  it('shows the options and constants of one environment, with sources', async () => {
    const { stdout } = await runCommand('list', 'envs', 'FrozenLake-v1');
    expect(stdout).toMatch(/^option\s+is_slippery\s+true\s+whether a move may go aside; true or false$/m);
    expect(stdout).toMatch(/^constant\s+columns\s+4\s+cells; gymnasium\//m);
    expect(stdout).toMatch(/^success\s+return of at least\s+1\s+the goal was reached$/m);
    expect(stdout).toMatch(/^best known\s+mean return, tabular policy\s+0\.740165\s+exact\./m);
  });

  it('counts numbers, and shows what is known to be reached', async () => {
    const { stdout } = await runCommand('list', 'envs');
    expect(stdout).toMatch(/^Pendulum-v1 .*1 number .*-774/m);
    expect(stdout).not.toMatch(/\b1 numbers/);
    // All names, twenty for each environment, are in --json.
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(200);
  });
});
