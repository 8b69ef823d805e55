/** `r2po ctl`: what it refuses, and what it prints of a run that goes on. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readLimits } from '../../src/cli/ctl.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const root = temporaryFolder();
const before = process.env.XDG_RUNTIME_DIR;
const runtime = join(root, 'runtime');
mkdirSync(runtime, { mode: 0o700 });
process.env.XDG_RUNTIME_DIR = runtime;
afterAll(() => {
  if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
  else process.env.XDG_RUNTIME_DIR = before;
  rmSync(root, { recursive: true });
});

const started = ['run', 'cartpole/r2po', '--runs-dir', join(root, 'runs'), '--backend', 'cpu', '--model', 'offline'];
const small = ['evaluation.episodes=5', 'recheck.episodes=20', 'warmup.policies=2'];

describe('r2po ctl', () => {
  it.each([
    [['paus', 'x'], 'unknown action "paus"; did you mean "pause"?'],
    [['pause'], 'expected a run folder behind "pause"'],
    [['list', 'runs/a'], 'expected nothing behind "list"'],
    [['pause', 'a', 'b'], 'expected one run folder behind "pause", got "b", too'],
    [['budget', 'a'], 'expected limits behind the run folder, got none; known: iterations, calls'],
    [['budget', 'a', 'call=4'], 'unknown limit "call"; did you mean "calls"?'],
    [['budget', 'a', 'calls'], 'expected a limit such as calls=50, got "calls"'],
    [['budget', 'a', 'calls=0'], '[calls] expected a whole number in 1'],
    [['budget', 'a', 'time=-1'], '[time] expected a number of seconds above 0'],
    [['budget', 'a', 'iterations=none'], 'expected a number of iterations, got none'],
    [['budget', 'a', 'cost=1', 'cost=2'], 'expected one value of cost, got two'],
    [['stop', join(root, 'no-run')], 'got no run folder; see "r2po ctl list"'],
  ])('refuses %j', async (args, message) => {
    expect(await runCommand('ctl', ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });

  it('reads limits by their words', () => {
    expect(readLimits(['calls=1e3', 'time=90.5', 'cost=none'])).toEqual({ calls: 1000, seconds: 90.5, cost: null });
  });

  it('lists, pauses and stops a run of "r2po run"', async () => {
    const running = runCommand(...started, '--name', 'live', 'iterations=2000', 'search.history=5', ...small);
    const folder = join(root, 'runs', 'live');
    const ctl = async (...args: string[]) => {
      const { code, stdout } = await runCommand('ctl', ...args, '--json');
      return code === 0 ? JSON.parse(stdout) : null;
    };
    // Other runs of this user may go on meanwhile.
    const listed = async () => (await ctl('list')).runs.find((run: { folder: string }) => run.folder === folder);
    const soon = () => new Promise((done) => setTimeout(done, 5));
    while ((await ctl('pause', folder)) === null) await soon();
    while ((await listed()).state !== 'paused') await soon();
    expect(await listed()).toMatchObject({ folder, state: 'paused', iterations: 2000, step: null });
    const { stdout } = await runCommand('ctl', 'list');
    expect(stdout).toMatch(/paused +\d+\/2000 +- /);
    expect(await ctl('budget', folder, 'calls=100000')).toMatchObject({ limits: { calls: 100000 } });
    expect((await runCommand('ctl', 'stop', folder)).stdout).toContain('stops; it can be resumed');
    const { code, stderr } = await running;
    expect(code).toBe(143);
    expect(stderr).toContain('--resume');
    expect(stderr).toContain('paused; go on with: r2po ctl continue');
    expect(await runCommand('ctl', 'pause', folder)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('one that has stopped'),
    });
    expect((await runCommand('ctl', 'list')).stdout).not.toContain(folder);
    expect(await listed()).toBeUndefined();
  });
});
