import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SingleThreadBackend } from '../../../src/rollout/cpu/single-thread.ts';
import { exportedMark, exportScript } from '../../../src/view/api/export.ts';
import { apiProblem, machine, runIndex } from '../../../src/view/api/index-of-runs.ts';
import { comparison, evaluateAnswer, exportedComparisons } from '../../../src/view/api/requests.ts';
import { callPage, runPage } from '../../../src/view/api/run.ts';
import { comparisonPath, documentOf, pooledText, setOf } from '../../../src/view/page/compare/document.ts';
import { Evaluator } from '../../../src/view/server/evaluator.ts';
import { RunRoot } from '../../../src/view/server/run-root.ts';
import { branchArguments } from '../../../src/view/server/steering.ts';
import { dataScript, writeExport } from '../../../src/view/server/write-export.ts';
import { anyText } from '../../support/any-text.ts';
import { runCommand } from '../../support/in-process.ts';
import { writeRun } from '../../support/run-folders.ts';
import { smallPage, type TestView, testView } from '../../support/view.ts';

let folder: string;
let view: TestView;
const runs = () => join(folder, 'runs');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-requests-'));
  const common = ['--runs-dir', runs(), '--backend', 'cpu', '--quiet', 'evaluation.episodes=3', 'recheck.episodes=8'];
  for (const argv of [
    ['cartpole/r2po', '--name', 'a', 'iterations=2'],
    ['cartpole/r2po', '--name', 'b', 'iterations=2', '--seed', '5'],
    ['cartpole/props', '--name', 'c', 'iterations=2'],
  ]) {
    const { code, stderr } = await runCommand('run', ...argv, ...common);
    if (code !== 0) throw new Error(stderr);
  }
  view = testView(runs());
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true }));

const problemOf = async (response: Response): Promise<string> => apiProblem.parse(await response.json()).problem;

describe('POST /api/evaluate', () => {
  const params = [0, 0, 0, 0, 0, 1, 0, 1, 0, 0];
  const playable = { env: 'CartPole-v1', envOptions: {}, policy: { kind: 'linear' }, maxSteps: null, known: true };
  const request = { playable, params, episodes: 20, seed: 7 };

  it('plays what r2po eval plays for the same seeds', async () => {
    const answer = evaluateAnswer.parse(await (await view.post('/api/evaluate', request)).json());
    const policy = join(folder, 'policy.json');
    writeFileSync(policy, JSON.stringify({ kind: 'linear', params }));
    const options = [
      '--env',
      'CartPole-v1',
      '--policy',
      policy,
      '--episodes',
      '20',
      '--seed',
      '7',
      '--backend',
      'cpu',
      '--json',
    ];
    const evaluated = JSON.parse((await runCommand('eval', ...options)).stdout);
    expect(evaluated).toMatchObject(answer.summary);
    expect([answer.returns.length, answer.lengths.length, answer.backend]).toEqual([20, 20, 'cpu']);
    expect(answer.returns.reduce<number>((sum, value) => sum + value!, 0) / 20).toBeCloseTo(evaluated.mean);
  });

  it('plays under other constants', async () => {
    const plain = evaluateAnswer.parse(await (await view.post('/api/evaluate', request)).json());
    const heavy = { ...request, constants: { gravity: 30 } };
    const answer = evaluateAnswer.parse(await (await view.post('/api/evaluate', heavy)).json());
    expect(answer.summary.mean).not.toBe(plain.summary.mean);
  });

  it('refuses in words what it cannot play, and never runs code that a request names', async () => {
    const wrong: [object | string, string][] = [
      ['{', 'expected JSON'],
      [{ ...request, params: [1] }, 'expected 10 params'],
      [{ ...request, episodes: 2_000_000 }, 'episodes'],
      [{ ...request, extra: 1 }, 'extra'],
      [{ ...request, constants: { gravty: 3 } }, 'gravity'],
      [{ ...request, playable: { ...playable, env: 'CartPol-v1' } }, 'CartPole-v1'],
      [{ ...request, playable: { ...playable, env: './env.ts' } }, 'a page does not run'],
      [{ ...request, playable: { ...playable, policy: { kind: 'mlpp' } } }, 'mlp'],
    ];
    for (const [body, words] of wrong) {
      const response = await view.post('/api/evaluate', body);
      expect(response.status, words).toBe(400);
      expect(await problemOf(response)).toContain(words);
    }
  });

  it('ends an evaluation when its page has gone, and plays the next one', async () => {
    const gone = new AbortController();
    const long = view.post('/api/evaluate', { ...request, episodes: 1_000_000 }, {}, gone.signal);
    const next = view.post('/api/evaluate', request);
    gone.abort();
    expect((await long).status).toBe(500);
    expect((await next).status).toBe(200);
  });

  it('refuses evaluations above a number that wait', async () => {
    const evaluator = new Evaluator(async () => new SingleThreadBackend());
    const { signal } = new AbortController();
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => evaluator.evaluate(request, signal)));
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    expect((await evaluator.evaluate(request, signal)).returns).toHaveLength(20);
  });

  it('says on which machine it plays', async () => {
    expect(machine.parse(await view.json('/api/machine')).backend).toBe('cpu');
  });
});

describe('GET /api/compare', () => {
  it('is the document of r2po report --json, number by number', async () => {
    const names = ['a', 'b', 'c'];
    const query = names.map((name) => `run=${name}`).join('&');
    const compared = comparison.parse(await view.json(`/api/compare?${query}`));
    const paths = names.map((name) => join(runs(), name));
    const { stdout } = await runCommand('report', ...paths, '--json');
    expect(compared.report).toEqual(JSON.parse(stdout));
    const grouped = comparison.parse(await view.json(`/api/compare?${query}&by=method`));
    expect(grouped.report).toEqual(
      JSON.parse((await runCommand('report', ...paths, '--by', 'method', '--json')).stdout),
    );
    const both = comparison.parse(await view.json(comparisonPath(names, 'env,method')));
    expect([both.report.by, documentOf(both).groups.length]).toEqual([['env', 'method'], 2]);
    expect(pooledText(documentOf(both))).toBeNull();
    const differs = new Map(compared.differs.map(({ key, values }) => [key, values]));
    expect([differs.get('method'), differs.get('seed')?.length]).toEqual([['"r2po"', '"r2po"', '"props"'], 3]);
    expect(differs.has('env')).toBe(false);
  });

  it('says in which settings the runs of a group differ', async () => {
    const root = join(folder, 'pooled');
    for (const episodes of [20, 30]) {
      writeRun(join(root, `e${episodes}`), { settings: `evaluation:\n  episodes: ${episodes}\n` });
    }
    const { json } = testView(root);
    const compared = async (by: string) => documentOf(comparison.parse(await json(comparisonPath(['e20', 'e30'], by))));
    expect(pooledText(await compared('env,method'))).toMatch(/differ in evaluation.episodes; grouped by what differs/);
    expect(pooledText(await compared(''))).toBeNull();
  });

  it('refuses in words: no runs, an unknown one, an unknown key', async () => {
    for (const [query, status, words] of [
      ['', 400, 'expected runs to compare'],
      ['?run=a&run=zz', 404, 'zz'],
    ] as const) {
      const response = await view.get(`/api/compare${query}`);
      expect(response.status).toBe(status);
      expect(await problemOf(response)).toContain(words);
    }
  });
});

describe('POST /api/runs/:id/control and /branch', () => {
  it('say in words what cannot be done', async () => {
    for (const [path, body] of [
      ['/api/runs/a/control', { action: 'pause' }],
      ['/api/runs/a/control', { action: 'explode' }],
      ['/api/runs/a/branch', { at: 0 }],
      ['/api/runs/a/branch', { at: 1, settings: ['--trust-env=x'] }],
      ['/api/runs/a/branch', { at: 1, settings: ['-q=x'] }],
      ['/api/runs/a/branch', { at: 1, settings: ['=1'] }],
      ['/api/runs/a/branch', { at: 1, model: '--name' }],
    ] as const) {
      const response = await view.post(path, body);
      expect(response.status, JSON.stringify(body)).toBe(400);
      await problemOf(response);
    }
    expect((await view.post('/api/runs/zz/control', { action: 'pause' })).status).toBe(404);
    expect((await view.post('/api/runs/a/control', { action: 'pause' }, { 'x-r2po': '' })).status).toBe(403);
  });

  it('give a branch its own folder beside the run', () => {
    const settings = ['critic.conservative_threshold=400', 'prices.ollama/qwen3-4b.prompt_per_million=0.5'];
    const body = { at: 3, model: 'ollama/m', settings };
    expect(branchArguments('runs/x/trial', body, 'trial-at3')).toEqual([
      ...['branch', 'runs/x/trial', '--at', '3', '--name', 'trial-at3', '--runs-dir', 'runs/x', '--quiet'],
      ...['--model', 'ollama/m', ...settings],
    ]);
  });
});

describe('a static export', () => {
  const options = (target: string) => ({
    ...{ root: new RunRoot(runs()), page: smallPage, folder: target, note: () => {}, warn: () => {} },
    signal: new AbortController().signal,
  });

  /** Runs the scripts of an export as a browser does. */
  function loaded(target: string): Map<string, unknown> {
    const values = new Map<string, unknown>();
    const context = createContext({
      r2po_data: (key: string, value: unknown) => values.set(key, JSON.parse(JSON.stringify(value))),
    });
    for (const name of readdirSync(join(target, 'data')))
      runInContext(readFileSync(join(target, 'data', name), 'utf8'), context);
    return values;
  }

  it('has what the server answers, in the scripts in which the page looks for it', async () => {
    const target = join(folder, 'page');
    const { runs: count } = await writeExport(options(target));
    expect([count, readFileSync(join(target, 'index.html'), 'utf8').includes(exportedMark)]).toEqual([3, true]);
    const values = loaded(target);
    expect(runIndex.parse(values.get('/api/runs')).can).toEqual({ follow: false, evaluate: false, steer: false });
    const page = runPage.parse(values.get('/api/runs/a'));
    expect(values.get('/api/runs/a')).toEqual(await view.json('/api/runs/a'));
    for (const { seq } of page.calls) callPage.parse(values.get(`/api/runs/a/calls/${seq}`));
    expect(exportedComparisons.parse(values.get('/api/compare'))).toEqual([
      { title: 'all runs', runs: ['a', 'b', 'c'] },
    ]);
    expect(values.get('/api/compare/0')).toEqual(await view.json('/api/compare?run=a&run=b&run=c'));
    for (const key of values.keys()) {
      expect(readFileSync(join(target, exportScript(key)), 'utf8')).toContain(`r2po_data(${JSON.stringify(key)}, `);
    }
  });

  it('compares the runs of each environment, those of the offline optimiser apart from those of models', async () => {
    const root = join(folder, 'mixed');
    const env = 'Acrobot-v1';
    writeRun(join(root, 'model'));
    writeRun(join(root, 'offline'), { kind: 'offline', model: 'offline' });
    writeRun(join(root, 'search'), { kind: 'none', model: 'none', method: 'cem' });
    writeRun(join(root, 'swing'), { env });
    writeRun(join(root, 'unreadable'));
    writeFileSync(join(root, 'unreadable', 'config.yaml'), '[');
    const target = join(folder, 'page-of-mixed');
    const warnings: string[] = [];
    await writeExport({ ...options(target), root: new RunRoot(root), warn: (text) => warnings.push(text) });
    const values = loaded(target);
    const sets = exportedComparisons.parse(values.get('/api/compare'));
    expect(sets.map(({ title, runs: ids }) => [title, ...ids])).toEqual([
      ['all runs, language models', 'model', 'search', 'swing'],
      ['all runs, offline optimiser', 'offline', 'search'],
      ['CartPole-v1, language models', 'model', 'search'],
      ['CartPole-v1, offline optimiser', 'offline', 'search'],
      [env, 'swing'],
    ]);
    for (const [i, set] of sets.entries()) {
      expect(comparison.parse(values.get(`/api/compare/${i}`)).runs).toEqual(set.runs);
    }
    expect(warnings).toEqual([]);
    const { runs: rows } = runIndex.parse(values.get('/api/runs'));
    expect(setOf(sets, ['unreadable', 'search', 'model'], rows)).toBe(2);
    expect(setOf(sets, ['search', 'swing'], rows)).toBe(-1);
  });

  it('replaces an earlier export, and no other folder', async () => {
    const target = join(folder, 'again');
    await writeExport(options(target));
    const size = statSync(join(target, 'data', 'runs.js')).size;
    await writeExport(options(target));
    expect(statSync(join(target, 'data', 'runs.js')).size).toBe(size);
    await expect(writeExport(options(runs()))).rejects.toThrow(/expected a new or empty folder/);
    expect(existsSync(join(runs(), 'index.html'))).toBe(false);
  });

  it('holds any text as data: no text ends a script', () => {
    let found: unknown;
    const context = createContext({
      r2po_data: (key: string, value: unknown) => {
        found = [key, JSON.parse(JSON.stringify(value))];
      },
    });
    const marks = fc.constantFrom('</script>', '<!--', '\u2028', ']]>', '<script');
    fc.assert(
      fc.property(anyText(), marks, (text, mark) => {
        const given = { [mark + text]: `${text}${mark}` };
        const script = dataScript(text, given);
        expect(script).not.toMatch(/<|[\u2028\u2029]/);
        runInContext(script, context);
        expect(found).toEqual([text, given]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a branch that a page starts', () => {
  /** A program that makes the folder of its branch after a while, with a record that is not read here; `at` 2: it fails. */
  const program = () => {
    const path = join(folder, 'program.mjs');
    writeFileSync(
      path,
      `import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
      const argv = process.argv.slice(2);
      const of = (flag) => argv[argv.indexOf(flag) + 1];
      const target = of('--runs-dir') + '/' + of('--name');
      setTimeout(() => {
        if (of('--at') === '2' || existsSync(target)) {
          if (!existsSync(target)) mkdirSync(target);
          console.error('error: [branch] no');
          process.exit(2);
        }
        const manifest = JSON.parse(readFileSync(argv[1] + '/run.json', 'utf8'));
        mkdirSync(target);
        writeFileSync(target + '/run.json', JSON.stringify({ ...manifest, argv }));
      }, 300);`,
    );
    return path;
  };
  const branch = async (
    id: string,
    at: number,
    settings: string[] = [],
    view = testView(runs(), { program: program() }),
  ) => (await view.post(`/api/runs/${encodeURIComponent(id)}/branch`, { at, settings })).json();

  it('has a folder of its own, also beside one that is being started', async () => {
    const own = testView(runs(), { program: program() });
    const answers = await Promise.all(['x=1', 'x=2'].map((setting) => branch('b', 1, [setting], own)));
    expect(answers.map(({ id }) => id).sort()).toEqual(['b-at1', 'b-at1-2']);
  });

  it('of a folder whose name an option does not take is named after the method', async () => {
    cpSync(join(runs(), 'c'), join(runs(), 'my run'), { recursive: true });
    expect(await branch('my run', 1)).toMatchObject({ id: 'props-at1' });
  });

  it('has not begun where the command fails and somebody else made the folder', async () => {
    expect(await branch('c', 2)).toEqual({ problem: '[branch] no' });
  });
});
