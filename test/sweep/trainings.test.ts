/** Trainings with Stable-Baselines3 in sweeps, with a program that stands for Python. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { createBaselineFolder } from '../../src/baselines/run-folder.ts';
import { resolveBaseline } from '../../src/baselines/settings.ts';
import { parseAxis } from '../../src/config/axes.ts';
import { audience, isTraining } from '../../src/sweep/trainings.ts';
import { eventsOf, temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const python = assetPath('test/baselines/fake-python.mjs');
const small = ['evaluation.episodes=3', 'recheck.episodes=11', 'episodes=2'];
const searched = 'optimiser.episodes=60';

const sweep = (runsDir: string, ...more: string[]) =>
  runCommand('sweep', ...more, ...small, '--python', python, '--runs-dir', runsDir, '--backend', 'cpu', '-j', '2');

describe('a sweep', () => {
  it('runs trainings beside searches, reports them with published numbers, and skips what is finished', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    const names = ['cartpole/ppo', 'cartpole/cma-es', searched, 'seed=0,1'];
    const first = await sweep(runsDir, ...names, '--json');
    expect(first.code).toBe(0);
    const { runs, report } = JSON.parse(first.stdout);
    const shown = runs.map((run: { method: string; seed: number; outcome: string }) => [
      run.method,
      run.seed,
      run.outcome,
    ]);
    expect(shown).toEqual([
      ['cma-es', 0, 'finished'],
      ['cma-es', 1, 'finished'],
      ['sb3/ppo', 0, 'finished'],
      ['sb3/ppo', 1, 'finished'],
    ]);
    expect(report.published.map(({ method }: { method: string }) => method).sort()).toEqual(['cma-es', 'sb3/ppo']);
    expect(readdirSync(runsDir)).toHaveLength(4);
    const again = await sweep(runsDir, ...names, '--json');
    expect(JSON.parse(again.stdout).runs.every(({ already }: { already: boolean }) => already)).toBe(true);
    const planned = await sweep(runsDir, ...names, '--dry-run');
    expect(planned.stdout).toMatch(
      /^CartPole-v1, sb3\/ppo, seed 1, 2 training episodes, .*, finished\n2 trainings, 2 /m,
    );
  });

  it('plans trainings with the settings in which they differ, and how far each is', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    const gamma = 'hyperparameters.gamma';
    const settings = ['episodes=2', `${gamma}=0.9`, 'evaluation.episodes=3', 'recheck.episodes=11'];
    const config = await resolveBaseline('cartpole/ppo', settings);
    createBaselineFolder({ runsDir, name: null }, config, [], 1);
    const asked = ['cartpole/ppo', 'cartpole/zoo/ppo', `${gamma}=0.9,0.8`, '--dry-run'];
    const { trainings } = JSON.parse((await sweep(runsDir, ...asked, '--json')).stdout);
    const shown = ({ method, settings, state }: Record<string, unknown>) => [method, settings, state];
    expect(trainings.map(shown)).toEqual([
      ['sb3/ppo', ['sb3.hyperparameters.gamma 0.9'], 'started'],
      ['sb3/ppo', ['sb3.hyperparameters.gamma 0.8'], 'new'],
      ['zoo/ppo', ['sb3.hyperparameters.gamma 0.9'], 'new'],
      ['zoo/ppo', ['sb3.hyperparameters.gamma 0.8'], 'new'],
    ]);
    expect((await sweep(runsDir, ...asked)).stdout).toContain('seed 0, sb3.hyperparameters.gamma 0.8, 2 training');
  });

  it('starts no training after a failed search with --fail-fast', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    const stopped = ['cartpole/ppo', 'cartpole/cma-es', searched, 'budget.max_episodes=10', '--json'];
    const { code, stdout } = await sweep(runsDir, ...stopped, '--fail-fast');
    expect(code).toBe(7);
    const outcomes = (text: string) => JSON.parse(text).runs.map(({ outcome }: { outcome: string }) => outcome);
    expect(outcomes(stdout)).toEqual(['stopped', 'waiting']);
    expect(outcomes((await sweep(runsDir, ...stopped)).stdout)).toEqual(['stopped', 'finished']);
  });

  it('waits for the trainings of another one, and has the time of all runs', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    vi.stubEnv('R2PO_HEARTBEAT_S', '0.2');
    const asked = ['evaluation.episodes=3', 'recheck.episodes=11', 'episodes=2', '--backend', 'cpu', '--json'];
    const both = await Promise.all(
      [0, 1].map(() => runCommand('sweep', 'cartpole/ppo', ...asked, '--python', python, '--runs-dir', runsDir)),
    );
    vi.unstubAllEnvs();
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const names = readdirSync(runsDir);
    expect(names).toHaveLength(1);
    const documents = both.map(({ stdout }) => JSON.parse(stdout));
    expect(documents.map(({ runs: [run] }) => run.already).sort()).toEqual([false, true]);
    const times = eventsOf(join(runsDir, names[0]!)).map(({ time }) => Date.parse(time));
    const played = documents.find(({ runs: [run] }) => !run.already);
    expect(played.seconds).toBeGreaterThan((times.at(-1)! - times[0]!) / 1000);
  });

  it('takes the folder that another one has just made, where a training asked for twice gets another', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    const config = await resolveBaseline('cartpole/ppo', ['episodes=2']);
    const made = (isShared: boolean) => createBaselineFolder({ runsDir, name: null, isShared }, config, [], 1);
    const first = made(true);
    expect([made(true), made(false)]).toEqual([first, `${first}-2`]);
    expect(readdirSync(runsDir)).toHaveLength(2);
  });

  it('refuses what a training cannot have', async () => {
    const runsDir = join(temporaryFolder(), 'runs');
    const unknown = await runCommand('sweep', 'cartpole/ppo', 'optimiser.episodes=3', '--python', python);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('unknown key "optimiser"') });
    const alone = await runCommand('sweep', 'cartpole/cma-es', '--python', python, '--runs-dir', runsDir);
    expect(alone.stderr).toContain('expected a training such as cartpole/ppo, got searches alone');
    const modelled = await runCommand('sweep', 'cartpole/ppo', '--model', 'offline', '--python', python);
    expect(modelled.stderr).toContain('[--model] expected it together with a search');
    for (const more of [[], ['--dry-run']]) {
      const queued = await runCommand('sweep', 'cartpole/ppo', '--queue', 'redis://127.0.0.1:1', ...more);
      expect(queued).toMatchObject({ code: 2, stderr: expect.stringContaining('got the training cartpole/ppo') });
    }
    const address = await runCommand('sweep', 'cartpole/cma-es', '--queue', 'http://127.0.0.1:1', '--dry-run');
    expect(address).toMatchObject({ code: 2, stderr: expect.stringContaining('expected redis://host[:port]') });
    const unfit = await runCommand('sweep', 'cartpole/sac', '--python', python);
    expect(unfit.stderr).toContain('use one of dqn, a2c, ppo, trpo, ars');
    const backends = await runCommand('sweep', 'cartpole/ppo', 'evaluation.backend=cpu,wasm', '--python', python);
    expect(backends).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('got cpu and wasm; sweep over backends'),
    });
  });
});

it('names and axes belong to trainings, to searches or to both', () => {
  const names = ['cartpole/ppo', 'CartPole-v1/ppo', 'cartpole/ars', 'cartpole/sb3/ars', 'cartpole/*', 'cartpole/r2po'];
  expect(names.filter(isTraining)).toEqual(['cartpole/ppo', 'CartPole-v1/ppo', 'cartpole/sb3/ars']);
  const texts = [
    'seed=0..3',
    'settings=zoo',
    'settings=published',
    'budget.max_calls=3',
    'budget=steps',
    'iterations=3',
  ];
  expect(texts.map((text) => audience(parseAxis(text, 1)))).toEqual([
    ...['both', 'trainings', 'searches', 'searches', 'trainings', 'searches'],
  ]);
});
