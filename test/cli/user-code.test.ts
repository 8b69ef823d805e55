/** What the code of the user's modules throws and prints: never a bug of this program, never part of a result. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { writeTutorial } from '../support/tutorial.ts';

const root = temporaryFolder();
beforeAll(() => {
  writeTutorial(root);
  writeFileSync(join(root, 'policy.json'), JSON.stringify({ env: './docking', kind: 'linear', params: [-1, -1, 0] }));
});
afterAll(() => rmSync(root, { recursive: true }));

/** The environment of the tutorial with a statement at the beginning of a function. */
function changed(name: string, method: 'reset' | 'step' | 'observe', statement: string, top = ''): string {
  const folder = join(root, name);
  cpSync(join(root, 'docking'), folder, { recursive: true });
  const file = join(folder, 'index.js');
  const begin = new RegExp(`^  ${method}\\(.*\\{$`, 'm');
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(begin);
  writeFileSync(file, top + text.replace(begin, (line) => `${line} ${statement}`));
  const policy = JSON.parse(readFileSync(join(root, 'policy.json'), 'utf8'));
  writeFileSync(join(root, `${name}.json`), JSON.stringify({ ...policy, env: `./${name}` }));
  return file;
}

const evaluate = (name: string, ...more: string[]) =>
  runCli(['eval', '--env', `./${name}`, '--policy', `${name}.json`, '--backend', 'cpu', ...more], { cwd: root });

describe('an environment that throws', () => {
  it.each([
    ['reset', '5'],
    ['observe', '5'],
    // In worker threads.
    ['step', '40000'],
  ] as const)('in %s is named with the place', async (method, episodes) => {
    const file = changed(`throws-${method}`, method, `throw new RangeError('kaboom');`);
    const { code, stderr } = await evaluate(`throws-${method}`, '--episodes', episodes);
    expect(code).toBe(2);
    expect(stderr).toMatch(/index\.js:\d+:\d+\] the module threw RangeError: kaboom; mend it\n$/);
    expect(stderr).toContain(file);
  });

  it('in a file of another folder is named with that file', async () => {
    mkdirSync(join(root, 'physics'));
    writeFileSync(join(root, 'physics', 'move.js'), `export const move = () => { throw new Error('no grip'); };\n`);
    changed('throws-elsewhere', 'step', 'move();', `import { move } from '../physics/move.js';\n`);
    const { code, stderr } = await evaluate('throws-elsewhere', '--episodes', '5');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/physics.move\.js:1:\d+\] the module threw Error: no grip/),
    ]);
  });

  it('something that is no error', async () => {
    changed('throws-text', 'step', `throw 'a text';`);
    const { code, stderr } = await evaluate('throws-text', '--episodes', '5');
    expect([code, stderr]).toEqual([2, expect.stringContaining('expected an Error to be thrown, got "a text"')]);
  });

  it('ends a run with its place, and says so in its record', async () => {
    changed('throws-late', 'step', `if (state[1] !== 0) throw new Error('late');`);
    const config = join(root, 'throws-late', 'r2po.yaml');
    const { code, stderr } = await runCli(['run', config, '--backend', 'cpu', '--name', 'late'], { cwd: root });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/the module threw Error: late; mend it\n$/)]);
    expect(stderr).not.toContain('bug in r2po');
  });
});

it('a method whose prompt throws is named with the place', async () => {
  const example = readFileSync(assetPath('examples/own-method.mjs'), 'utf8');
  const prompt = "constant: ['Maximise";
  expect(example).toContain(prompt);
  const statement = `constant: (() => { throw new TypeError('no prompt'); })() ?? [`;
  writeFileSync(join(root, 'my-method.js'), example.replace('constant: [', statement));
  const args = ['run', 'cartpole/./my-method.js', '--backend', 'cpu', 'iterations=2'];
  const { code, stderr } = await runCli(args, { cwd: root });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/my-method\.js:\d+:\d+\] the module threw TypeError: no prompt/),
  ]);
});

it('what a module prints goes to stderr', async () => {
  changed('prints', 'reset', `console.info('in reset');`, `console.log('at the top');\n`);
  const { code, stdout, stderr } = await evaluate('prints', '--episodes', '3', '--json');
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ env: 'Docking-v0', episodes: 3 });
  expect(stderr).toContain('at the top\n');
  expect(stderr).toContain('in reset\n');
});
