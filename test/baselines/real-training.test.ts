/**
 * Real trainings with Stable-Baselines3: only where R2PO_PYTHON names a Python that has it. Each takes some seconds.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, vi } from 'vitest';
import { InterruptedError } from '../../src/base/errors.ts';
import { assetPath, besideCode } from '../../src/base/node/assets.ts';
import { createBaselineFolder } from '../../src/baselines/run-folder.ts';
import { resolveBaseline } from '../../src/baselines/settings.ts';
import { writeJob } from '../../src/baselines/trainer.ts';
import { executeBaseline } from '../../src/baselines/training-run.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { readEvents } from '../../src/runs/journal/journal.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const python = process.env.R2PO_PYTHON ?? '';
if (python === '') {
  console.warn('NOT TESTED: trainings with the real Stable-Baselines3; set R2PO_PYTHON to a Python that has it');
}
/** Loading torch alone takes seconds of a busy machine. */
const limitMs = 600_000;
const small = ['evaluation.episodes=4', 'recheck.episodes=20', 'evaluation.backend=cpu'];

/** name, algorithm in Python, settings, largest relative error of a return against Stable-Baselines3 */
const trainings = [
  ['cartpole/ppo', 'PPO', ['episodes=12', 'hyperparameters.n_steps=64'], 0],
  ['acrobot/zoo/dqn', 'DQN', ['steps=600'], 0],
  ['mountaincar/zoo/a2c', 'A2C', ['steps=800'], 0],
  ['mountaincar-continuous/zoo/ppo', 'PPO', ['steps=200'], 1e-5],
  ['pendulum/td3', 'TD3', ['steps=300', 'hyperparameters.learning_starts=100'], 1e-5],
  ['inverted-pendulum/zoo/ppo', 'PPO', ['steps=200'], 1e-5],
] as const;

describe.skipIf(python === '')('a training with Stable-Baselines3', () => {
  it.each(trainings)(
    '%s returns by r2po what it returns by evaluate_policy',
    async (name, algorithm, settings, tolerance) => {
      const runsDir = join(temporaryFolder(), 'runs');
      const { code, stderr } = await runCommand('baseline', name, ...settings, ...small, '--runs-dir', runsDir);
      expect(code, stderr).toBe(0);
      const folder = join(runsDir, readdirSync(runsDir)[0]!);
      const { env } = await resolveBaseline(name, settings);
      const model = join(folder, 'training', 'best_model');
      const statistics = existsSync(`${model}.vecnormalize.pkl`) ? [`${model}.vecnormalize.pkl`] : [];
      const script = assetPath('test/baselines/evaluate.py');
      const asked = spawnSync(python, ['-B', script, `${model}.zip`, algorithm, env, '1000', '6', ...statistics], {
        encoding: 'utf8',
      });
      expect(asked.status, asked.stderr).toBe(0);
      const theirs = JSON.parse(asked.stdout) as number[];
      const returns = join(folder, 'returns.csv');
      await runCommand(
        'eval',
        '--policy',
        folder,
        '--episodes',
        '6',
        '--seed',
        '1000',
        '--backend',
        'cpu',
        '--returns',
        returns,
      );
      const ours = readFileSync(returns, 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => Number(row.split(',')[2]));
      ours.forEach((value, i) => {
        expect(Math.abs(value - theirs[i]!) / Math.max(1, Math.abs(value))).toBeLessThanOrEqual(tolerance);
      });
      expect(ours).toHaveLength(theirs.length);
    },
    limitMs,
  );

  it(
    'that diverges says so, and leaves no folder of logs among temporary files',
    async () => {
      const temporary = temporaryFolder();
      vi.stubEnv('TMPDIR', temporary);
      const { code, stderr } = await runCommand(
        ...['baseline', 'pendulum/ddpg', 'steps=1500', 'evaluation.every=1500', ...small],
        ...['hyperparameters={learning_rate: 1.0e+20, learning_starts: 20}', '--runs-dir', temporaryFolder()],
      ).finally(() => vi.unstubAllEnvs());
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /the training failed: .* no longer finite numbers; .* lower hyperparameters.learning_rate/,
      );
      expect(readdirSync(temporary).filter((name) => name.startsWith('SB3-'))).toEqual([]);
    },
    limitMs,
  );

  it(
    'that gets the signals of its group saves itself when it is told to',
    async () => {
      const folder = temporaryFolder();
      writeJob(folder, await resolveBaseline('cartpole/ppo', ['steps=1000000', 'hyperparameters.n_steps=64']));
      const child = spawn(python, ['-B', besideCode('baselines/python/train.py'), folder], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const types: string[] = [];
      for await (const text of createInterface({ input: child.stdout })) {
        types.push(JSON.parse(text).type);
        if (types.length !== 2) continue;
        for (const signal of ['SIGINT', 'SIGTERM'] as const) child.kill(signal);
        child.stdin.end('stop\n');
      }
      expect(types.slice(-2)).toEqual(['checkpoint', 'stopped']);
      expect(existsSync(join(folder, 'checkpoint', 'model.zip'))).toBe(true);
    },
    limitMs,
  );

  it(
    'that is interrupted takes the path of one that was not',
    async () => {
      const config = await resolveBaseline('cartpole/ppo', [
        ...small,
        'episodes=30',
        'evaluation.every=3',
        'hyperparameters={n_steps: 64, normalize: true}',
      ]);
      const backend = openCpuBackend({ threads: 1 });
      const play = async (runsDir: string, isInterrupted: boolean) => {
        const folder = createBaselineFolder({ runsDir, name: null }, config, [], 1);
        const controller = new AbortController();
        const run = { folder, python, backend, argv: [], resumeCommand: 'r2po' };
        if (isInterrupted) {
          const stopped = executeBaseline({
            ...run,
            signal: controller.signal,
            onProgress: ({ totals }) => {
              if (totals.rows.length === 3)
                controller.abort(new InterruptedError('run', 'the training was interrupted (SIGINT)'));
            },
          });
          await expect(stopped).rejects.toMatchObject({ exitCode: 130 });
        }
        await executeBaseline(run);
        return readEvents(folder).events.flatMap((event) => (event.type === 'evaluated' ? [event.summary] : []));
      };
      const [whole, resumed] = [
        await play(join(temporaryFolder(), 'a'), false),
        await play(join(temporaryFolder(), 'b'), true),
      ];
      await backend.close();
      expect(whole).toHaveLength(10);
      expect(resumed).toEqual(whole);
    },
    limitMs,
  );
});
