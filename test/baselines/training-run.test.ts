/** Trainings as runs, with a program that stands for Python and takes recorded models for snapshots. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { InterruptedError } from '../../src/base/errors.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { openBaseline } from '../../src/baselines/run-folder.ts';
import { executeBaseline } from '../../src/baselines/training-run.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { readModel } from '../../src/interop/sb3/model.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { readEvents } from '../../src/runs/journal/journal.ts';
import { deriveSeed } from '../../src/runs/seeds.ts';
import { verifyRun } from '../../src/runs/verify/verify.ts';
import { readJson, temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const python = assetPath('test/baselines/fake-python.mjs');
const small = ['evaluation.episodes=3', 'recheck.episodes=11'];
const behave = (how: string) => vi.stubEnv('R2PO_FAKE', how);
afterEach(() => vi.unstubAllEnvs());

const train = (runsDir: string, name: string, ...more: string[]) =>
  runCommand('baseline', name, ...small, '--python', python, '--runs-dir', runsDir, '--backend', 'cpu', ...more);

const only = (runsDir: string): string => join(runsDir, readdirSync(runsDir)[0]!);

async function meanOf(model: string, episodes: number, seed: number): Promise<number> {
  const backend = openCpuBackend({ threads: 1 });
  const { env, document } = readModel(assetPath(`test/golden/sb3/${model}.zip`), findEnv('cartpole'));
  const policy = buildPolicy(document.kind, env, document.options);
  const candidates = [Float64Array.from(document.params)];
  const { means } = await evaluate({ backend, env, policy, candidates, episodes, seed }).finally(() => backend.close());
  return means[0]!;
}

describe('a training', () => {
  it('is a run: snapshots evaluated by r2po, the best one kept, re-checked and in best.json', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    const { code, stdout, stderr } = await train(
      runsDir,
      'cartpole/ppo',
      'episodes=6',
      'evaluation.every=2',
      '--seed',
      '5',
      '--json',
    );
    expect(stderr).toContain('iteration 3/3');
    expect(code).toBe(0);
    const summary = JSON.parse(stdout);
    const folder = only(runsDir);
    expect(readJson(folder, 'summary.json')).toEqual(summary);
    const models = ['ppo-cartpole', 'dqn-cartpole', 'qrdqn-cartpole'];
    const means = await Promise.all(models.map((model, i) => meanOf(model, 3, deriveSeed(5, 'evaluation', i + 1))));
    const best = means.indexOf(Math.max(...means));
    expect(summary).toMatchObject({
      status: 'finished',
      method: 'sb3/ppo',
      seed: 5,
      iterations: 3,
      episodes: 6,
      steps: 42,
    });
    expect(summary.best).toMatchObject({ iteration: best + 1, mean: means[best] });
    expect(summary.best.rechecked).toMatchObject({
      episodes: 11,
      mean: await meanOf(models[best]!, 11, deriveSeed(5, 'recheck', 0)),
    });
    const { document } = readModel(assetPath(`test/golden/sb3/${models[best]}.zip`), findEnv('cartpole'));
    expect(readJson(folder, 'best.json')).toEqual(document);
    const rows = readFileSync(join(folder, 'metrics.csv'), 'utf8').trim().split('\n').slice(1);
    expect(rows.map((row) => row.split(',').slice(0, 3).join())).toEqual(['1,2,14', '2,4,28', '3,6,42']);
    expect(readdirSync(join(folder, 'training'))).not.toContain('snapshots');
    const verified = await verifyRun(folder, { open: async () => ({ reason: 'not asked' }) });
    expect(verified.difference).toBeNull();
    const checked = new Map(verified.checks.map(({ check, result, detail }) => [check, [result, detail]]));
    // Its episodes are ours: no return can be outside of what the environment gives.
    expect(checked.get('returns')).toEqual(['holds', expect.stringContaining('all returns are inside')]);
    expect(checked.get('trajectories')).toEqual(['not checked', 'the record of a training has rewards only']);
    // Its policy is played like that of any run.
    const played = await runCommand(
      'eval',
      '--policy',
      folder,
      '--episodes',
      '3',
      '--seed',
      '9',
      '--backend',
      'cpu',
      '--json',
    );
    expect(JSON.parse(played.stdout)).toMatchObject({ env: 'CartPole-v1', mean: await meanOf(models[best]!, 3, 9) });
    const ranked = await runCommand('eval', '--policies', runsDir, '--episodes', '3', '--backend', 'cpu', '--json');
    expect(JSON.parse(ranked.stdout)).toMatchObject({ env: 'CartPole-v1', policies: 1 });
    const report = await runCommand('report', runsDir);
    expect(report.stdout).toContain('sb3/ppo');
  });

  it('charges its evaluations where the budget is that of the reference', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    const { stdout } = await train(runsDir, 'cartpole/sb3/ppo', 'budget=evaluated-episodes', 'episodes=9', '--json');
    const { events } = readEvents(only(runsDir));
    const evaluated = events.flatMap((event) => (event.type === 'evaluated' ? [event.summary.steps] : []));
    expect(evaluated).toHaveLength(2);
    // 2 training episodes of 7 steps with 3 evaluation episodes after each: 8 of 9.
    const steps = 2 * 7 + evaluated[0]! + evaluated[1]!;
    expect(JSON.parse(stdout)).toMatchObject({ iterations: 2, episodes: 8, steps });
  });

  it('that is interrupted resumes where it stopped, and ends as one that was not', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    behave('wait');
    const started = await train(runsDir, 'cartpole/ppo', 'episodes=3', '--name', 'a', '--dry-run', '--json');
    expect(JSON.parse(started.stdout)).toMatchObject({ python, install: null, config: { iterations: 3 } });
    const { folder, backend } = await interruptedRun(runsDir);
    expect(readJson(folder, 'run.json')).toMatchObject({ status: 'stopped', stopped: { exit_code: 130 } });
    behave('');
    const summary = await executeBaseline({ folder, python, backend, argv: [], resumeCommand: 'r2po' });
    await backend.close();
    expect(summary).toMatchObject({ status: 'finished', iterations: 3 });
    const whole = join(temporaryFolder(), 'runs');
    await train(whole, 'cartpole/ppo', 'episodes=3');
    const decisive = (path: string) =>
      readEvents(path)
        .events.filter(({ type }) => type === 'evaluated' || type === 'iteration' || type === 'rechecked')
        .map(({ time: _, seq: __, ...event }) => event);
    expect(decisive(folder)).toEqual(decisive(only(whole)));
    // A finished one only shows its result.
    const again = await runCommand('baseline', folder, '--resume', '--python', python, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ status: 'finished', iterations: 3 });
  });

  it('re-checks the policy that it evaluated, not one with the normalisation of its checkpoint', async () => {
    behave('wait');
    const { folder, backend } = await interruptedRun(join(temporaryFolder(), 'runs'));
    const statistics = join(folder, 'training', 'checkpoint', 'vecnormalize.pkl');
    cpSync(assetPath('test/golden/sb3/a2c-mountaincar.vecnormalize.pkl'), statistics);
    behave('');
    const { best } = await executeBaseline({ folder, python, backend, argv: [], resumeCommand: 'r2po' });
    await backend.close();
    const model = ['ppo-cartpole', 'dqn-cartpole', 'qrdqn-cartpole'][best!.iteration - 1]!;
    expect(best!.rechecked!.mean).toBe(await meanOf(model, 11, deriveSeed(0, 'recheck', 0)));
  });

  it('that was killed evaluates the snapshots that it left behind', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    behave('killed');
    const { code, stderr } = await train(runsDir, 'cartpole/ppo', 'episodes=4');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /expected the training to end by itself, got a signal that killed it.*resume with: r2po baseline .* --resume --python/s,
    );
    const folder = only(runsDir);
    expect(readJson(folder, 'summary.json')).toMatchObject({ status: 'failed', iterations: 2 });
    behave('');
    const left = join(folder, 'training', 'snapshots', '000003.json');
    const figures = readFileSync(left);
    writeFileSync(left, '{"index": 3}');
    const damaged = await train(runsDir, 'cartpole/ppo', 'episodes=4', '--resume');
    expect(damaged).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('000003.json" how far the training was'),
    });
    writeFileSync(left, figures);
    const { stdout } = await train(runsDir, 'cartpole/ppo', 'episodes=4', '--resume', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'finished', iterations: 4, episodes: 4 });
  });

  it('whose losses are no numbers stops with what it has', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    behave('nan');
    const { code, stderr } = await train(runsDir, 'cartpole/ppo', 'episodes=5');
    expect(code).toBe(1);
    expect(stderr).toContain('the training failed: the parameters action_net.weight are no longer finite numbers');
    expect(stderr).toMatch(/no checkpoint was due yet; lower hyperparameters\.learning_rate in a new run\n$/);
    expect(readJson(only(runsDir), 'summary.json')).toMatchObject({ status: 'failed', iterations: 2 });
    expect(existsSync(join(only(runsDir), 'best.json'))).toBe(true);
    mkdirSync(join(only(runsDir), 'training', 'checkpoint'));
    const again = await train(runsDir, 'cartpole/ppo', 'episodes=5', '--resume');
    expect(again.stderr).toContain('the last checkpoint is from before');
  });

  it('whose settings Stable-Baselines3 refuses is not said to be resumable', async () => {
    behave('refused');
    const { code, stderr } = await train(join(temporaryFolder(), 'runs'), 'cartpole/ppo', 'episodes=5');
    expect(code).toBe(1);
    expect(stderr).toMatch(/must be greater than 1; begin a new run with other hyperparameters\n$/);
  });

  it.each([
    ['crash', 'got exit code 139: Fatal Python error: Segmentation fault; what Python said is in'],
    ['garbage', 'expected a line of train.py, got "a library prints this"'],
  ])('says what happened to it: %s', async (how, message) => {
    behave(how);
    const { code, stderr } = await train(join(temporaryFolder(), 'runs'), 'cartpole/ppo', 'episodes=5');
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it('that cannot keep its best model says how to resume', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    behave('no-place');
    const { code, stderr } = await train(runsDir, 'cartpole/ppo', 'episodes=3');
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot write ".*best_model\.zip": .*; resume with: r2po baseline/);
    behave('');
    const model = join(only(runsDir), 'training', 'best_model.zip');
    rmSync(model, { recursive: true });
    expect((await train(runsDir, 'cartpole/ppo', 'episodes=3', '--resume')).code).toBe(0);
    expect(statSync(model).isFile()).toBe(true);
  });

  it('is resumed with its own settings only', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    behave('nan');
    await train(runsDir, 'cartpole/ppo', 'episodes=5', '--name', 'mine');
    behave('');
    const other = await train(runsDir, 'cartpole/ppo', 'episodes=7', '--resume');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('sb3.training_episodes (5 there, 7 here)');
    const given = await runCommand('baseline', join(runsDir, 'mine'), 'episodes=7', '--resume', '--python', python);
    expect(given.code).toBe(2);
    expect(given.stderr).toContain('expected no settings with a run folder, which has its own, got episodes=7');
    const played = await runCommand('baseline', join(runsDir, 'mine'), '--resume', '--backend', 'wasm');
    expect(played.stderr).toContain('[--backend] expected it without a run folder');
    const asSearch = await runCommand('run', join(runsDir, 'mine'), '--resume');
    expect(asSearch.stderr).toContain('resume it with "r2po baseline');
    const config = join(runsDir, 'mine', 'config.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('training_episodes: 5', 'training_episodes: 6'));
    const changed = await runCommand('baseline', join(runsDir, 'mine'), '--resume', '--python', python);
    expect(changed.code).toBe(2);
    expect(changed.stderr).toContain('the settings that the training began with, got others');
    for (const text of ['', 'a: 1\n', 'evaluation: 5\n']) {
      writeFileSync(config, text);
      const emptied = await runCommand('baseline', join(runsDir, 'mine'), '--resume', '--python', python);
      expect(emptied).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('that the training began with, got others'),
      });
    }
    const copy = join(temporaryFolder(), 'search');
    cpSync(assetPath('test/cases/stopped-run'), copy, { recursive: true });
    expect(() => openBaseline(copy)).toThrow('expected the run folder of a training');
  });
});

describe('a finished training', () => {
  const runsDir = join(temporaryFolder(), 'runs');
  let finished: string;
  beforeAll(async () => {
    await train(runsDir, 'cartpole/ppo', 'episodes=3');
    finished = only(runsDir);
  });
  /** A copy of it, to be damaged. */
  const copied = (): string => {
    const folder = join(temporaryFolder(), 'copy');
    cpSync(finished, folder, { recursive: true });
    return folder;
  };
  const change = (path: string, from: string | RegExp, to: string): void => {
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(from);
    writeFileSync(path, text.replace(from, to));
  };
  const model = (name: string): string => assetPath(`test/golden/sb3/${name}.zip`);

  it.each([
    ['empty', ''],
    ['cut', null],
  ])('whose journal is %s is not trained again', async (_how, text) => {
    const folder = copied();
    const path = join(folder, 'events.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, text ?? `${lines.slice(0, 4).join('\n')}\n`);
    const before = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mtimeMs]);
    const { code, stderr } = await runCommand('baseline', folder, '--resume', '--python', python);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /the run is finished by run\.json and summary\.json.*nothing was changed; restore events\.jsonl/,
      ),
    ]);
    expect(stderr).toContain('or move the folder away and train again');
    expect(readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mtimeMs])).toEqual(before);
    // Other commands that need the whole journal name no other way out.
    const exported = await runCommand('export', folder, '--out', join(temporaryFolder(), 'table.csv'));
    expect(exported.stderr).toContain('or move the folder away and train again');
  });

  it('is resumed with no Python of an empty name', async () => {
    const { code, stderr } = await runCommand('baseline', copied(), '--resume', '--python', '');
    expect([code, stderr]).toEqual([2, expect.stringContaining('expected the path of a Python, got ""; name one')]);
  });

  it('is verified with its settings, its model and its best policy', async () => {
    const { code, stdout } = await runCommand('verify', finished, '--json');
    expect(code).toBe(0);
    const results = JSON.parse(stdout).runs[0].checks.map(({ check, result }: Record<string, string>) => [
      check,
      result,
    ]);
    expect(Object.fromEntries(results)).toMatchObject({ manifest: 'holds', best: 'holds', 'played again': 'holds' });
  });

  it.each<[string, (folder: string) => void, RegExp]>([
    [
      'best.json',
      (f) => change(join(f, 'best.json'), /-?\d\.\d+/, '0.125'),
      /played again at seq \d+: evaluated: expected summary/,
    ],
    ['no best.json', (f) => rmSync(join(f, 'best.json')), /best: .*best\.json/],
    [
      'the model',
      (f) => cpSync(model('ars-cartpole'), join(f, 'training', 'best_model.zip')),
      /best: best\.json: expected/,
    ],
    ['no model', (f) => rmSync(join(f, 'training', 'best_model.zip')), /best: .*best_model\.zip/],
    ['a broken model', (f) => writeFileSync(join(f, 'training', 'best_model.zip'), 'PK'), /best: .*best_model\.zip/],
    [
      'the settings',
      (f) => change(join(f, 'config.yaml'), 'seed: 0', 'seed: 1'),
      /manifest: .* the training began with/,
    ],
    ['the seed', (f) => change(join(f, 'run.json'), '"seed": 0', '"seed": 1'), /manifest: run\.json: expected seed 0/],
    [
      'model and policy',
      (f) => {
        cpSync(model('ars-cartpole'), join(f, 'training', 'best_model.zip'));
        writeFileSync(
          join(f, 'best.json'),
          JSON.stringify(readModel(model('ars-cartpole'), findEnv('cartpole')).document),
        );
      },
      /played again at seq \d+: evaluated: expected summary/,
    ],
  ])('with another %s differs', async (_what, damage, message) => {
    const folder = copied();
    damage(folder);
    const { code, stderr } = await runCommand('verify', folder);
    expect([code, stderr]).toEqual([6, expect.stringMatching(message)]);
  });

  it('is not finished for a sweep where its journal is not', async () => {
    const folder = join(temporaryFolder(), 'runs');
    cpSync(runsDir, folder, { recursive: true });
    writeFileSync(join(only(folder), 'events.jsonl'), '');
    const args = ['cartpole/ppo', 'episodes=3', ...small, '--python', python, '--runs-dir', folder, '--json'];
    const { code, stdout } = await runCommand('sweep', ...args, '--backend', 'cpu');
    expect([code, JSON.parse(stdout).runs[0].outcome]).toEqual([7, 'failed']);
  });

  it.each([
    ['test/cases/stopped-run', 'the run folder of a search; resume it with: r2po run test/cases/stopped-run --resume'],
  ])('is told from the folder %s', async (folder, message) => {
    const { code, stderr } = await runCommand('baseline', folder, '--resume', '--python', python);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

/** A run that is interrupted after two snapshots. */
async function interruptedRun(runsDir: string) {
  const { createBaselineFolder } = await import('../../src/baselines/run-folder.ts');
  const { resolveBaseline } = await import('../../src/baselines/settings.ts');
  const config = await resolveBaseline('cartpole/ppo', [...small, 'episodes=3', 'evaluation.backend=cpu']);
  const folder = createBaselineFolder({ runsDir, name: null }, config, [], 1);
  const backend = openCpuBackend({ threads: 1 });
  const controller = new AbortController();
  const run = executeBaseline({
    ...{ folder, python, backend, argv: [], resumeCommand: 'r2po baseline' },
    signal: controller.signal,
    onProgress: ({ totals }) => {
      if (totals.rows.length === 2)
        controller.abort(new InterruptedError('run', 'the training was interrupted (SIGINT)'));
    },
  });
  await expect(run).rejects.toMatchObject({
    exitCode: 130,
    detail: expect.stringContaining('resume with: r2po baseline'),
  });
  return { folder, backend };
}

describe('a Python that cannot train', () => {
  it.each([
    [
      'no-python',
      'expected a Python 3.11 or later with Stable-Baselines3',
      'it is no Python 3.11 or later (SyntaxError: invalid syntax)',
    ],
    ['old-python', 'expected Python 3.11 or later, got 3.8.10', 'name another one'],
    ['no-sb3', 'expected a Python with sb3-contrib', '-m pip install stable-baselines3=='],
    ['sb3-1', 'expected stable-baselines3 2.x, got 1.8.0', 'pip install'],
  ])('is refused with what to do: %s', async (how, expected, remedy) => {
    behave(how);
    const runsDir = join(temporaryFolder(), 'runs');
    for (const more of [[], ['--dry-run']]) {
      const { code, stderr } = await train(runsDir, 'cartpole/ppo', ...more);
      expect(code).toBe(2);
      expect(stderr).toContain(expected);
      expect(stderr).toContain(remedy);
    }
    expect(existsSync(runsDir)).toBe(false);
  });

  it('needs what the MuJoCo environments import for these alone', async () => {
    behave('no-imageio');
    const runsDir = join(temporaryFolder(), 'runs');
    const { code, stderr } = await train(runsDir, 'swimmer/ppo');
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected a Python with imageio, got .* -m pip install .* imageio==\S+ packaging==/);
    expect((await train(runsDir, 'cartpole/ppo', 'episodes=1')).code).toBe(0);
  });

  it('is named where there is none at all', async () => {
    const missing = await runCommand('baseline', 'cartpole/ppo', '--python', '/nowhere/python3');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('"/nowhere/python3": it cannot be started');
  });

  it('may have other versions, which are named', async () => {
    behave('other-torch');
    const { stderr } = await train(join(temporaryFolder(), 'runs'), 'cartpole/ppo', 'episodes=1');
    expect(stderr).toMatch(/torch 2\.1\.0\+cpu at .*; the lock file has 2\.15\.0, so that results may differ/);
  });
});
