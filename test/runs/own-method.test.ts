/** A method of the user's own: a module that a path names, or a record that a program gives. */
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  defineMethod,
  findEnv,
  openCpuBackend,
  type RunConfig,
  readRun,
  readRuns,
  run,
  type SearchOptions,
  UsageError,
} from '../../src/index.ts';
import { props, r2po } from '../../src/methods/authoring.ts';
import { runIteration } from '../../src/methods/interpreter.ts';
import type { AskedCall, Effects, IterationContext, PromptParts } from '../../src/methods/method.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const small = ['iterations=2', 'evaluation.episodes=5', 'recheck.episodes=20', 'evaluation.backend=cpu'];
const module = `
import { defineMethod, formatSection, parameterSection, progressSection, trialHistory } from 'r2po-webgpu/method';
const terse = (context) => ({
  constant: ['Maximise f.', parameterSection(context), formatSection(context)].join('\\n\\n'),
  history: trialHistory(context),
  fresh: progressSection(context, 'search'),
});
export default defineMethod({
  id: 'terse', title: 'Terse', about: 'Two searches without a rule; the better is kept.',
  stages: ['search', 'evaluate', 'search', 'evaluate'], candidates: ['first', 'second'],
  prompts: { search: terse, critic: null }, shows: [], keep: 'best', representative: 'median',
});
`;
let folder: string;
let file: string;
let runs: string;
beforeAll(async () => {
  folder = temporaryFolder();
  file = join(folder, 'terse.ts');
  runs = join(folder, 'runs');
  writeFileSync(file, module);
  const made = await runCommand('run', `cartpole/${file}`, ...small, '--runs-dir', runs, '--name', 'own');
  expect(made).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const own = () => join(runs, 'own');

describe('a method module', () => {
  it('is played with the settings of the environment, and named by its id in the files of the run', () => {
    const { summary, manifest } = { summary: readRun(own()).summary(), manifest: readRun(own()).manifest };
    expect(summary).toMatchObject({ method: 'terse', env: 'CartPole-v1', iterations: 2, status: 'finished' });
    expect(manifest).toMatchObject({ method: 'terse', method_source: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const sent = JSON.stringify([...readRun(own()).wholeEvents()].flatMap(({ messages }) => messages ?? []));
    expect(sent).toContain('Maximise f.');
  });

  it.each([
    ['replay', ['replay'], 'equal to the record', 0],
    // The record was made with another path.
    ['verify', ['verify'], 'manifest +differs', 6],
  ])('is loaded by %s, once the command names it', async (_, command, result, exitCode) => {
    const strange = join(folder, `${command[0]}.ts`);
    const copy = join(folder, command[0]!);
    cpSync(file, strange);
    cpSync(own(), copy, { recursive: true });
    const config = readFileSync(join(copy, 'config.yaml'), 'utf8');
    writeFileSync(join(copy, 'config.yaml'), config.replace(/^method: .*$/m, `method: ${strange}`));
    const refused = await runCommand(...command, copy);
    expect(refused.stderr + refused.stdout).toContain(`then add --trust-method ${strange}`);
    const { code, stdout } = await runCommand(...command, copy, '--trust-method', strange);
    expect(stdout).toMatch(new RegExp(result));
    expect(stdout).not.toContain('--trust-method');
    expect(code).toBe(exitCode);
  });

  it('is needed neither by a report nor to play the policy of its run', async () => {
    const report = await runCommand('report', own());
    expect(report).toMatchObject({ code: 0, stdout: expect.stringContaining('terse') });
    const played = await runCommand('eval', '--policy', own(), '--episodes', '3', '--backend', 'cpu');
    expect(played).toMatchObject({ code: 0 });
  });

  it('is refused by --resume when its source has changed', async () => {
    const copy = join(folder, 'changing.ts');
    cpSync(file, copy);
    const command = ['run', 'cartpole/r2po', `method=${copy}`, ...small, '--runs-dir', runs, '--name', 'part'];
    expect((await runCommand(...command, '--max-calls', '3')).code).toBe(5);
    appendFileSync(copy, '// a remark\n');
    // This process keeps the code that it has imported.
    const { code, stderr } = await runCli([...command, '--resume']);
    expect(stderr).toMatch(/expected the code of the earlier part, but the source of terse/);
    expect(code).toBe(2);
  });

  it.each([
    ['a missing field', "candidates: ['first', 'second'],", '', /expected at least one name|expected .* at candidates/],
    [
      'a call whose answer is never played',
      "stages: ['search', 'evaluate', 'search', 'evaluate'], candidates: ['first', 'second'],",
      "stages: ['search', 'search', 'evaluate'], candidates: ['first'],",
      /expected an evaluate stage for each candidate, got none for one of them; add one, or remove a stage/,
    ],
    ['an id of ours', "id: 'terse'", "id: 'props'", /expected an id of its own in ".*", got "props", which is ours/],
    ['an unknown stage', "['search', 'evaluate', 'search'", "['serch', 'evaluate', 'search'", /a stage out of search/],
    ['nothing exported', 'export default', 'const unused =', /to export one method made by defineMethod/],
  ])('says what is wrong with %s', async (name, from, to, message) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.ts`);
    writeFileSync(path, module.replace(from, to));
    const { code, stderr } = await runCommand('run', 'cartpole/r2po', `method=${path}`, '--dry-run');
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('is told apart in reports from another one of its id, and from itself before a change', async () => {
    const path = join(folder, 'edited.ts');
    const sources = [module, module.replace('Maximise f.', 'Maximise it.')];
    const out = join(folder, 'edited');
    for (const [i, source] of sources.entries()) {
      writeFileSync(path, source);
      // As another process: this one keeps the module as it was.
      const command = ['run', `cartpole/${path}`, ...small, '--runs-dir', out, '--name', `run-${i}`];
      expect(await runCli(command)).toMatchObject({ code: 0 });
    }
    const { code, stdout } = await runCommand('report', out, '--json');
    expect(code).toBe(0);
    const { groups } = JSON.parse(stdout);
    expect(groups).toHaveLength(2);
  });

  it('is named by a path that exists', async () => {
    const { code, stderr } = await runCommand('run', 'cartpole/./nowhere.ts', '--dry-run');
    expect(stderr).toMatch(/expected a method's module at ".*nowhere\.ts", found nothing/);
    expect(code).toBe(2);
  });
});

describe('a prompt', () => {
  it.each([
    ['fresh', 'a text under "fresh" of its search prompt, got undefined', { fresh: undefined }],
    ['constant', 'a text under "constant" of its search prompt, got a number', { constant: 5 }],
    ['history', 'a list of texts under "history" of its search prompt, got a text', { history: 'one line' }],
    ['line', 'a list of texts under "history" of its search prompt, got a list', { history: [1] }],
  ])('that gives a wrong %s is refused', async (_what, message, parts) => {
    const whole = { constant: 'c', history: [], fresh: 'f' };
    const prompt = () => ({ ...whole, ...parts }) as unknown as PromptParts;
    const method = defineMethod({ ...props, id: 'wrong-prompt', prompts: { search: prompt, critic: null } });
    const context = {
      settings: { repairTurns: 0 },
      trials: [],
      policy: {},
      iteration: 1,
      remarks: {},
    } as unknown as IterationContext;
    const ask = async (call: AskedCall) => {
      await call.messages('lines');
      throw new Error('asked');
    };
    await expect(runIteration(method, context, { ask } as unknown as Effects)).rejects.toThrow(
      `[method wrong-prompt] expected ${message}; return { constant, history, fresh }`,
    );
  });
});

describe('run', () => {
  const settings = { 'evaluation.episodes': 4, 'recheck.episodes': 10, iterations: 2 };

  it('plays a record, resumes it, and its folder is read from code', async () => {
    const backend = openCpuBackend();
    const method = defineMethod({ ...props, id: 'kept-last', keep: 'proposal' });
    const options = { runsDir: runs, name: 'record', overrides: settings, backend };
    try {
      const first = await run({ extends: 'cartpole/r2po', method, budget: { max_calls: 1 } }, options).catch((e) => e);
      expect(first.message).toContain('resume with: run(..., { resume: true })');
      const { folder: made, summary } = await run({ extends: 'cartpole/r2po', method }, { ...options, resume: true });
      expect(summary).toMatchObject({ method: 'kept-last', iterations: 2, status: 'finished' });
      const stored = readRuns(made).runs[0]!;
      expect(stored.metrics()).toHaveLength(2);
      const started = join(runs, 'started');
      cpSync(made, started, { recursive: true });
      rmSync(join(started, 'summary.json'));
      expect(readRuns([made, started])).toMatchObject({
        runs: [{ folder: made }],
        leftOut: [
          { path: started, reason: expect.stringContaining('expected summary.json, found none; the run is st') },
        ],
      });
      rmSync(started, { recursive: true });
      expect(readFileSync(join(made, 'config.yaml'), 'utf8')).toContain('method: kept-last');
      expect((await run({ extends: 'cartpole/r2po', method }, { ...options, resume: true })).summary).toEqual(summary);
    } finally {
      await backend.close();
    }
  });

  it('plays an environment with the options of its object', async () => {
    const options = {
      runsDir: runs,
      overrides: { ...settings, 'budget.max_calls': 1, 'evaluation.success_threshold': 5 },
      backend: 'cpu',
    } as const;
    const configOf = async (config: RunConfig, name: string) => {
      await expect(run({ extends: 'cartpole/r2po', ...config }, { ...options, name })).rejects.toThrow('budget');
      return parse(readFileSync(join(runs, name, 'config.yaml'), 'utf8'));
    };
    const short = findEnv('CartPole-v1', { max_episode_steps: 7 });
    expect(await configOf({ env: short }, 'short')).toMatchObject({ env_options: { max_episode_steps: 7 } });
    const given = { env: findEnv('CartPole-v1'), env_options: { max_episode_steps: 8 } };
    expect(await configOf(given, 'given')).toMatchObject({ env_options: { max_episode_steps: 8 } });
    await expect(run({ extends: 'cartpole/r2po', ...given, env: short })).rejects.toThrow(
      'expected the options of CartPole-v1 once, got {"max_episode_steps":7} in "env" and {"max_episode_steps":8} in',
    );
    await expect(run({ extends: 'cartpole/r2po', env: { ...short } })).rejects.toThrow('got another object');
  });

  it('goes on with the prices that its folder keeps', async () => {
    const backend = openCpuBackend();
    const options = { runsDir: runs, name: 'priced', overrides: settings, backend };
    const prices = { offline: { prompt_per_million: 3, completion_per_million: 11, date: '2026-02-03' } };
    const config = { extends: 'cartpole/props' };
    try {
      await expect(run({ ...config, prices, budget: { max_calls: 1 } }, options)).rejects.toThrow('1 model calls');
      const { summary } = await run(config, { ...options, resume: true });
      const { prompt_tokens: asked, completion_tokens: answered } = summary.llm;
      expect(summary.llm.cost_usd).toBeCloseTo((3 * asked + 11 * answered) / 1e6, 12);
      expect((await run(config, { ...options, resume: true })).summary).toEqual(summary);
    } finally {
      await backend.close();
    }
  });

  it('refuses an id of ours, and a key that nothing knows', async () => {
    await expect(run({ extends: 'cartpole/r2po', method: r2po })).rejects.toThrow(/"r2po", which is ours/);
    await expect(run({ extends: 'cartpole/r2po', iteration: 3 })).rejects.toThrow(/did you mean "iterations"/);
    const misspelt = { runDir: runs } as SearchOptions;
    await expect(run('cartpole/r2po', misspelt)).rejects.toThrow(
      '[run] unknown key in "options" "runDir"; did you mean "runsDir"?',
    );
  });

  it.each<[string, unknown, unknown, string]>([
    ['no configuration', undefined, {}, '[run] expected a text, or an object as "config", got nothing'],
    ['what is no backend', 'cartpole/r2po', { backend: 5 }, '[run] expected an open backend, as openBackend gives it,'],
    ['an empty backend', 'cartpole/r2po', { backend: {} }, 'or a text as "options.backend", got {}'],
    ['no backend', 'cartpole/r2po', { backend: null }, 'as "options.backend", got null'],
    ['an unknown backend', 'cartpole/r2po', { backend: 'CPU' }, 'unknown backend "CPU"; did you mean "cpu"?'],
    ['a number as a name', 'cartpole/r2po', { name: 5 }, '[run] expected a text as "options.name", got 5'],
    ['a list of overrides', 'cartpole/r2po', { overrides: [] }, 'expected an object as "options.overrides", got []'],
    ['a bigint', 'cartpole/r2po', { overrides: { seed: 3n } }, 'a value that JSON has as "overrides.seed", got 3n'],
    ['no environment', { extends: 'cartpole/r2po', env: {} }, {}, 'or what loadEnv or findEnv gave as "env", got'],
    ['null as one', { extends: 'cartpole/r2po', env: null }, {}, 'or what loadEnv or findEnv gave as "env", got'],
    ['a function as a method', { extends: 'cartpole/r2po', method: () => r2po }, {}, '[defineMethod] expected'],
    ['a part of a method', { extends: 'cartpole/r2po', method: { id: 'x' } }, {}, '[method x] expected a text'],
    [
      'a record that was not defined',
      { extends: 'cartpole/r2po', method: { ...props, kind: undefined, id: 'loose' } },
      {},
      '[methods] expected what defineMethod gives as loose, got another object; call it',
    ],
  ])('refuses %s', async (_, config, given, message) => {
    const made = run(config as RunConfig, { runsDir: runs, ...(given as SearchOptions) });
    await expect(made).rejects.toThrow(UsageError);
    await expect(run(config as RunConfig, given as SearchOptions)).rejects.toThrow(message);
  });
});
