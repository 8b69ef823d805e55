/** The games of the reference in Python against recorded steps; whole episodes where a Python with Gymnasium is given. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';

const given = process.env.R2PO_PYTHON;
const python = given ?? (spawnSync('python3', ['--version']).status === 0 ? 'python3' : null);
if (python === null) console.warn('NOT TESTED: the games in Python, as there is no python3');

it.skipIf(python === null)('Nim, the maze and Pong take the recorded steps', () => {
  const args = [assetPath('test/baselines/check-games.py'), assetPath('test/golden'), ...(given ? ['episodes'] : [])];
  const { status, stdout, stderr } = spawnSync(python!, ['-B', ...args], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    steps: { 'Nim-v0': 63, 'maze-sample-3x3-v0': 108, 'Pong-v0': 210 },
    ...(given && { episodes: { 'Nim-v0': 12, 'maze-sample-3x3-v0': 12, 'Pong-v0': 12 } }),
  });
});
