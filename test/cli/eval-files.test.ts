/** What `eval` says of the files that it writes, and what `list envs NAME` shows. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { mainFile } from '../support/cli.ts';
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

describe('files of r2po eval', () => {
  it.each(['--returns', '--trajectory', '--animate'])(
    'are not named "-", which would be a file of that name: %s',
    async (option) => {
      const { code, stderr } = await evaluate(option, '-');
      expect(stderr).toContain(`[${option}] expected the name of a file, got "-"; give /dev/stdout to print it`);
      expect([code, existsSync('-')]).toEqual([2, false]);
    },
  );

  it('are each written once, and none that is read', async () => {
    const path = join(folder, 'twice.csv');
    const twice = await evaluate('--returns', path, '--trajectory', join(folder, '.', 'twice.csv'));
    expect([twice.code, twice.stderr]).toEqual([
      2,
      expect.stringContaining(`[--trajectory] expected a file of its own, got "${path}", that of --returns`),
    ]);
    const input = await evaluate('--returns', policy);
    expect([input.code, input.stderr]).toEqual([2, expect.stringContaining('that of --policy; name another')]);
    expect((await evaluate('--returns', '/dev/null', '--trajectory', '/dev/null')).code).toBe(0);
  });

  const shell = (command: string) =>
    execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const program = `"${process.execPath}" "${mainFile}" eval --policy policy.json --backend cpu --episodes 2 --quiet`;

  it('are never the file that stdout is redirected to', () => {
    expect(shell(`echo before > log; ${program} --returns /dev/stdout >> log; echo $?; cat log`)).toBe('2\nbefore\n');
    expect(shell(`${program} --returns /dev/stdout | head -n 1`)).toBe('index,seed,return,length,end\n');
  });

  it('are no second document beside that of --json', () => {
    expect(shell(`${program} --json --returns /dev/stdout; echo $?`)).toBe('2\n');
  });
});

it('the calls of a run may go to the file that stdout is redirected to', () => {
  const run = assetPath('test/cases/finished-run');
  const command = (more: string) => `"${process.execPath}" "${mainFile}" export "${run}" --format calls --out ${more}`;
  const shell = (text: string) => execFileSync('sh', ['-c', text], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  const piped = shell(`${command('/dev/stdout')} | cat`);
  expect(piped).toMatch(/^{"seq":\d+,"iteration":1,/);
  expect(shell(`echo before > calls; ${command('/dev/stdout')} >> calls; cat calls`)).toBe(`before\n${piped}`);
  expect(shell(`${command('/dev/stdout')} > calls; cat calls`)).toBe(piped);
  expect(shell(`${command('/dev/stdout --json')} 2>&1 || echo $?`)).toMatch(/another file than stdout.*\n2\n$/s);
});

it('an option of an environment is given once', async () => {
  const { code, stderr } = await evaluate(...['4', '5'].flatMap((n) => ['--env-option', `max_episode_steps=${n}`]));
  expect([code, stderr]).toEqual([2, expect.stringContaining('expected one value of max_episode_steps, got two')]);
});

describe('r2po list envs', () => {
  it('shows an environment of the user', async () => {
    const { code, stdout } = await runCommand('list', 'envs', './examples/thermostat');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^constant\s+loss\s+0\.1\s/m)]);
  });

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
