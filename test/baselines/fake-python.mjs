#!/usr/bin/env node
/**
 * Stands for a Python with Stable-Baselines3: it says its versions, and plays `train.py` with recorded models as snapshots.
 * R2PO_FAKE says how it behaves; left out: as it should.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const behaviour = process.env.R2PO_FAKE ?? '';
const golden = new URL('../golden/sb3/', import.meta.url);
const say = (type, fields) => process.stdout.write(`${JSON.stringify({ type, ...fields })}\n`);
const fail = (text, code) => {
  process.stderr.write(`${text}\n`);
  process.exit(code);
};

function versions() {
  const locked = ['requirements.txt', 'torch.txt'].map((name) =>
    readFileSync(new URL(`../../src/baselines/python/${name}`, import.meta.url), 'utf8'),
  );
  const names = ['stable-baselines3', 'sb3-contrib', 'gymnasium', 'torch', 'numpy', 'mujoco', 'imageio', 'packaging'];
  const version = (name) => new RegExp(`^${name}==(\\S+)`, 'm').exec(locked.join('\n'))[1];
  const packages = Object.fromEntries(names.map((name) => [name, version(name)]));
  if (behaviour === 'no-sb3') packages['sb3-contrib'] = null;
  if (behaviour === 'no-imageio') packages.imageio = null;
  if (behaviour === 'sb3-1') packages['stable-baselines3'] = '1.8.0';
  if (behaviour === 'other-torch') packages.torch = '2.1.0+cpu';
  const python = behaviour === 'old-python' ? [3, 8, 10] : [3, 11, 7];
  process.stdout.write(`${JSON.stringify({ python, packages })}\n`);
}

/** Models by turns; the second one is the best. */
const models = ['ppo-cartpole', 'dqn-cartpole', 'qrdqn-cartpole'];

function train(folder) {
  const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
  const every = job.every_episodes ?? job.every_steps;
  const count = Math.ceil((job.episodes ?? job.steps) / every);
  const checkpoint = join(folder, 'checkpoint', 'state.json');
  const resumed = existsSync(checkpoint);
  let index = resumed ? JSON.parse(readFileSync(checkpoint, 'utf8')).index : 0;
  const figures = () => ({
    episodes: index * every,
    steps: index * every * 7,
    seconds: index / 2,
    training_mean: index,
  });
  const snapshot = () => {
    index += 1;
    const stem = join(folder, 'snapshots', String(index).padStart(6, '0'));
    mkdirSync(join(folder, 'snapshots'), { recursive: true });
    writeFileSync(`${stem}.json`, JSON.stringify({ index, ...figures() }));
    copyFileSync(new URL(`${models[(index - 1) % models.length]}.zip`, golden), `${stem}.zip`);
    say('snapshot', { index, file: `snapshots/${String(index).padStart(6, '0')}.zip`, ...figures() });
  };
  const save = () => {
    mkdirSync(join(folder, 'checkpoint'), { recursive: true });
    writeFileSync(checkpoint, JSON.stringify({ index }));
    say('checkpoint', { index, exact: true, ...figures() });
  };
  if (behaviour === 'refused') {
    say('failed', { kind: 'settings', detail: 'AssertionError: `n_steps * n_envs` must be greater than 1' });
    process.exit(1);
  }
  say('started', { versions: { python: '3.11.7' }, resumed, index, ...figures() });
  // In the place of a file that cannot be written.
  if (behaviour === 'no-place') mkdirSync(join(folder, 'best_model.zip'));
  if (behaviour === 'wait') {
    snapshot();
    snapshot();
    process.stdin.on('data', () => {
      save();
      say('stopped', figures());
      process.exit(0);
    });
    return;
  }
  while (index < count) {
    snapshot();
    if (index < 2) continue;
    if (behaviour === 'nan') {
      say('failed', { kind: 'nan', detail: 'the parameters action_net.weight are no longer finite numbers' });
      process.exit(1);
    }
    if (behaviour === 'crash') fail('Fatal Python error: Segmentation fault', 139);
    if (behaviour === 'garbage') process.stdout.write('a library prints this\n');
    // What a killed process leaves: a snapshot that nobody has heard of, in front of its checkpoint.
    if (behaviour === 'killed') {
      const write = process.stdout.write;
      process.stdout.write = () => true;
      snapshot();
      save();
      process.stdout.write = write;
      process.kill(process.pid, 'SIGKILL');
    }
  }
  say('finished', figures());
  process.exit(0);
}

if (behaviour === 'no-python') fail('SyntaxError: invalid syntax', 1);
else if (process.argv[2] === '-c') versions();
else train(process.argv[4]);
