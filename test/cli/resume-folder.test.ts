/** `run RUN_FOLDER --resume`, the command that a stopped run prints, and the lines of a log. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { resumeCommandOf, withoutBudget } from '../../src/cli/options.ts';
import { loggedIterations } from '../../src/cli/progress.ts';
import type { RunProgress } from '../../src/runs/session/progress.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

const calls = { key: 'max_calls', option: '--max-calls' } as const;

describe('a run that used up its budget', () => {
  it('prints a command without it, and is resumed by its folder', async () => {
    const args = ['run', 'cartpole/props', 'iterations=4', 'recheck.episodes=50', '--backend', 'cpu', '--name', 'a'];
    const stopped = await runHere([...args, '--max-calls', '2', 'budget.max_calls=2'], { cwd: root });
    const hint = `resume with: r2po ${args.join(' ')} --resume\n`;
    expect(stopped).toMatchObject({ code: 5, stderr: expect.stringContaining(hint) });
    const folder = join('runs', 'a');
    const refused = await runHere(['run', folder], { cwd: root });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('add --resume to resume it') });
    const resumed = await runCli(['run', folder, '--resume', '--json', '--backend', 'cpu'], { cwd: root });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({
      status: 'finished',
      iterations: 4,
      llm: { calls: 4, cost_usd: 0 },
    });
    const elsewhere = await runHere(['run', folder, '--resume', '--runs-dir', 'runs'], { cwd: root });
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('[--runs-dir] expected it without') });
    const named = await runHere(['run', folder, '--resume', '--name', 'b'], { cwd: root });
    expect(named).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[--name] expected it without a run folder'),
    });
  });

  it('is resumed without the limit that stopped it, and with the others', async () => {
    const args = ['run', 'cartpole/props', 'iterations=6', 'recheck.episodes=50', 'evaluation.episodes=5'];
    const rest = ['warmup.policies=4', '--backend', 'cpu', '--name', 'two', '--max-episodes', '12', '--max-calls', '3'];
    const first = await runHere([...args, ...rest], { cwd: root });
    expect(first).toMatchObject({ code: 5, stderr: expect.stringContaining('the budget of 12 episodes is used up') });
    const folder = join('runs', 'two');
    const resume = (...more: string[]) => runHere(['run', folder, '--resume', ...more], { cwd: root });
    const limits = { 'budget={max_episodes: 12}': '12 episodes', 'budget.max_episodes=13': '13 episodes' };
    for (const [stated, text] of Object.entries(limits)) {
      expect(await resume(stated)).toMatchObject({ code: 5, stderr: expect.stringContaining(`the budget of ${text}`) });
    }
    expect(await resume('--max-episodes', '12')).toMatchObject({ code: 5 });
    const mistaken = await resume('iteration=7');
    expect(mistaken).toMatchObject({ code: 2, stderr: expect.stringContaining('override 1 (iteration=7)') });
    const second = await resume();
    expect(second).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('the budget of 3 model calls is used up'),
    });
    expect(second.stderr).toContain('limits that have stopped the run are lifted: episodes 12\n');
    // As Ctrl-C leaves it: the limits that stopped it stay lifted.
    const manifest = join(root, folder, 'run.json');
    const stopped = { reason: 'the run was interrupted', exit_code: 130 };
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), stopped }));
    const third = await resume();
    expect(third).toMatchObject({ code: 0, stderr: expect.stringContaining('are lifted: calls 3, episodes 12\n') });
  });

  it('prints a command that lifts a limit of its file', () => {
    expect(withoutBudget(['run', 'my.yaml', '--resume'], calls)).toEqual([
      'run',
      'my.yaml',
      '--resume',
      'budget.max_calls=null',
    ]);
    expect(withoutBudget(['run', 'x', '--max-calls=3', '--max-tokens', '7'], calls)).toEqual([
      'run',
      'x',
      '--max-tokens',
      '7',
    ]);
    expect(resumeCommandOf(['run', 'x', '--max-calls', '3'])(null)).toBe('r2po run x --max-calls 3');
  });

  it('keeps every other argument, in order', () => {
    const other = fc.string().filter((arg) => !/^(--max-calls|budget\.max_calls)/.test(arg));
    fc.assert(
      fc.property(fc.array(other), fc.nat(), fc.nat(), (argv, at, limit) => {
        const place = at % (argv.length + 1);
        const given = [...argv.slice(0, place), '--max-calls', String(limit), ...argv.slice(place)];
        expect(withoutBudget(given, calls)).toEqual(argv);
      }),
    );
  });
});

describe('a run that has lost a file', () => {
  const config = ['cartpole/props', 'iterations=2', 'recheck.episodes=50', '--backend', 'cpu', '--name', 'lost'];
  const folder = join('runs', 'lost');
  const file = (name: string) => join(root, folder, name);
  const run = (...args: string[]) => runHere(['run', ...args], { cwd: root });
  const verified = (path: string) => runHere(['verify', path], { cwd: root });
  /** What of the manifest the record and the configuration have. */
  const facts = (path = folder) => {
    const manifest = JSON.parse(readFileSync(join(root, path, 'run.json'), 'utf8'));
    const { argv: _, git: _git, versions: _versions, backend_why: _why, created: _created, ...known } = manifest;
    return known;
  };
  const createdAt = (path = folder) => JSON.parse(readFileSync(join(root, path, 'run.json'), 'utf8')).created as string;
  /** A run is made a moment before its first event. */
  const expectNear = (event: string, made: string) => {
    expect(Math.abs(Date.parse(event) - Date.parse(made))).toBeLessThan(30_000);
  };

  it('gets run.json back, whether it is stopped, finished or a branch', async () => {
    expect(await run(...config, '--max-calls', '1')).toMatchObject({ code: 5 });
    const [stopped, made] = [facts(), createdAt()];
    rmSync(file('run.json'));
    const refused = await run(folder, '--resume');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('a run that has lost its run.json') });
    expect(refused.stderr).toMatch(/use "r2po run \S+lost --resume --repair" which writes it again/);
    expect(await run(...config, '--max-calls', '1', '--resume', '--repair')).toMatchObject({ code: 5 });
    expect(facts()).toEqual(stopped);
    expectNear(createdAt(), made);
    rmSync(file('run.json'));
    expect(await run(folder, '--resume', '--repair')).toMatchObject({ code: 0 });
    const finished = facts();
    expect(finished).toMatchObject({ status: 'finished', stopped: null });
    const branch = join('runs', 'branch');
    const branching = ['branch', folder, '--at', '1', '--runs-dir', 'runs', '--name', 'branch', 'seed=8'];
    expect(await runHere(branching, { cwd: root })).toMatchObject({ code: 0 });
    const branchMade = createdAt(branch);
    for (const [path, before] of [[folder, finished] as const, [branch, facts(branch)] as const]) {
      rmSync(join(root, path, 'run.json'));
      expect(await run(path, '--resume', '--repair')).toMatchObject({ code: 0 });
      expect(facts(path)).toEqual(before);
      expect(await verified(path)).toMatchObject({ code: 0 });
    }
    expectNear(createdAt(branch), branchMade);
    // Not the time of the run whose first events it shares.
    const events = readFileSync(join(root, branch, 'events.jsonl'), 'utf8').split('\n');
    const branched = events.find((line) => line.startsWith('{"type":"branched"'));
    expect(createdAt(branch)).toBe(JSON.parse(branched!).time);
  });

  it('gets config.yaml back from the same configuration, and from no other one', async () => {
    const settings = () => readFileSync(file('config.yaml'), 'utf8').replace(/max_calls: \w+/, '');
    const before = settings();
    for (const names of [['config.yaml'], ['run.json', 'config.yaml']]) {
      for (const name of names) rmSync(file(name));
      for (const args of [[folder], config, [folder, '--repair']]) {
        const refused = await run(...args, '--resume');
        expect(refused).toMatchObject({ code: 2 });
        expect(refused.stderr).toContain(`a run that has lost its ${names.join(' and its ')}; `);
        expect(refused.stderr).toMatch(/use "r2po run CONFIG --runs-dir \S+runs --name lost --resume --repair", with/);
      }
      const other = await run(...config, '--resume', '--repair', 'seed=99');
      expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/expected the configuration \w{12} that/) });
      expect(await run(...config, '--resume', '--repair')).toMatchObject({ code: 0 });
      expect(settings()).toBe(before);
      expect(await verified(folder)).toMatchObject({ code: 0 });
    }
  });
});

describe('the log of a run without a terminal', () => {
  const linesOf = (iterations: number, secondsEach: number): number[] => {
    let time = 0;
    const isLogged = loggedIterations(() => time);
    return Array.from({ length: iterations }, (_, i) => i + 1).filter((done) => {
      time += 1000 * secondsEach;
      return isLogged({ totals: { rows: { length: done } }, iterations } as unknown as RunProgress);
    });
  };

  it('has 21 lines for 100 quick iterations, and one for each of 21', () => {
    expect(linesOf(100, 0.1)).toEqual([1, ...Array.from({ length: 20 }, (_, i) => 5 * (i + 1))]);
    expect(linesOf(21, 0.1)).toHaveLength(21);
    expect(linesOf(5000, 0.001).length).toBeLessThan(23);
  });

  it('has a line for each iteration that takes longer than half a minute', () => {
    expect(linesOf(100, 31)).toHaveLength(100);
    expect(linesOf(100, 16)).toHaveLength(60);
  });
});
