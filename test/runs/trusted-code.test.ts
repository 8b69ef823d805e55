/** Reading a folder runs no code: a module is loaded only where the user names it. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceDigest } from '../../src/base/node/module-source.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';
import { writeTutorial } from '../support/tutorial.ts';

const small = ['iterations=2', 'evaluation.episodes=5', 'recheck.episodes=20', 'evaluation.backend=cpu'];
let folder: string;
/** runs of the user */
let runs: string;
/** written by the code of the stranger */
let marker: string;

beforeAll(async () => {
  folder = temporaryFolder();
  runs = join(folder, 'runs');
  marker = join(folder, 'code-has-run');
  writeTutorial(folder);
  await made('mine');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run of the environment at `module`, which the command names. */
async function made(name: string, config = join(folder, 'docking', 'r2po.yaml')): Promise<string> {
  const { code, stderr } = await runCommand('run', config, ...small, '--runs-dir', runs, '--name', name);
  expect(stderr).toContain('run folder');
  expect(code).toBe(0);
  return join(runs, name);
}

/** A copy of a run in a folder of its own, whose files name the module of a stranger instead; returns its parent. */
function strange(name: string, edit: (run: string) => void): string {
  const parent = join(folder, name);
  const run = join(parent, 'run');
  cpSync(join(runs, 'mine'), run, { recursive: true });
  cpSync(join(folder, 'docking'), join(run, 'evil'), { recursive: true });
  appendFileSync(
    join(run, 'evil', 'index.js'),
    `\nimport { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(marker)}, '');\n`,
  );
  edit(run);
  return parent;
}

function rewrite(file: string, from: RegExp, to: string): void {
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(file, text.replace(from, to));
}

const namesEvil = (run: string): void => rewrite(join(run, 'config.yaml'), /^env: .*$/m, 'env: ./evil');

describe('a run folder that names a module', () => {
  let parent: string;
  let run: string;
  beforeAll(() => {
    parent = strange('stranger', namesEvil);
    run = join(parent, 'run');
  });

  it.each([
    ['replay', () => ['replay', run]],
    ['analyze', () => ['analyze', 'edits', run]],
    ['export', () => ['export', run, '--format', 'reference', '--out', join(folder, 'exported')]],
    ['run', () => ['run', join(run, 'config.yaml'), '--runs-dir', join(folder, 'other')]],
    ['run --resume', () => ['run', join(run, 'config.yaml'), '--resume', '--runs-dir', parent, '--name', 'run']],
    ['branch', () => ['branch', run, '--at', '1', '--runs-dir', join(folder, 'other')]],
    ['sweep', () => ['sweep', join(run, 'config.yaml'), '--runs-dir', join(folder, 'other')]],
  ])('is refused by %s, which says what to type', async (_, command) => {
    const { code, stderr, stdout } = await runCommand(...command());
    expect(stderr).toMatch(/expected an environment that this command names, got the module ".*evil\/index\.js"/);
    expect(stderr).toMatch(/add --trust-env .*evil\/index\.js/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(marker)).toBe(false);
  });

  it.each([
    ['run --resume beside it', () => ['run', 'cartpole/r2po', '--resume', '--runs-dir', parent]],
    ['report', () => ['report', run]],
    ['verify', () => ['verify', run]],
    ['export --format csv', () => ['export', run, '--out', join(folder, 'table')]],
    ['eval --policies', () => ['eval', '--env', 'FrozenLake-v1', '--policies', parent]],
    ['eval --policy', () => ['eval', '--env', 'CartPole-v1', '--policy', run]],
  ])('is not loaded by %s', async (_, command) => {
    await runCommand(...command());
    expect(existsSync(marker)).toBe(false);
  });

  it('is not loaded where its manifest passes it off as a run of the user', async () => {
    const manifest = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    writeFileSync(join(run, 'run.json'), JSON.stringify({ ...manifest, status: 'stopped' }));
    const config = join(folder, 'docking', 'r2po.yaml');
    const { code, stderr } = await runCommand('run', config, ...small, '--resume', '--runs-dir', parent);
    expect(stderr).toContain('--trust-env');
    expect(code).toBe(2);
    expect(existsSync(marker)).toBe(false);
  });

  it.each([
    ['a file beside it', 'extends: ./base.yaml'],
    ['a shipped configuration', 'extends: cartpole/r2po'],
    ['a file elsewhere', 'extends: /etc/hostname'],
  ])('cannot extend %s', async (_, line) => {
    const other = strange(`extends-${line.length}`, (copy) => {
      writeFileSync(join(copy, 'base.yaml'), 'env: ./evil\n');
      rewrite(join(copy, 'config.yaml'), /^env: .*$/m, line);
    });
    const { code, stderr } = await runCommand('replay', join(other, 'run'));
    expect(stderr).toMatch(/config\.yaml:\d+:\d+: expected no "extends" in the configuration of a run/);
    expect(code).toBe(2);
    expect(existsSync(marker)).toBe(false);
  });
});

describe('--trust-env', () => {
  it('lets verify play the best policy again; without it, verify says what to type, and that is no difference', async () => {
    const run = join(strange('verified', namesEvil), 'run');
    const { code, stdout } = await runCommand('verify', run);
    expect(stdout).toMatch(/played again +not checked .*--trust-env/);
    expect(code).toBe(0);
    const mine = await runCommand('verify', join(runs, 'mine'), '--trust-env', join(folder, 'docking'));
    expect(mine).toMatchObject({ code: 0, stdout: expect.stringMatching(/played again +holds/) });
  });

  it('lets the run that names this module be read, and no other', async () => {
    const parent = strange('trusted', namesEvil);
    const run = join(parent, 'run');
    const other = await runCommand('replay', run, '--trust-env', join(folder, 'docking'));
    expect(other.stderr).toContain('add --trust-env');
    expect(existsSync(marker)).toBe(false);
    const { code, stderr, stdout } = await runCommand('replay', run, '--trust-env', join(run, 'evil'));
    expect(stderr).toMatch(/warning: the source of Docking-v0 in ".*evil\/index\.js" has changed since the run began/);
    expect(stdout).toContain('equal to the record');
    expect(code).toBe(0);
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);
  });

  it('loads the module at the path that was typed, with the shader beside that one', async () => {
    const own = join(folder, 'own');
    cpSync(join(folder, 'docking'), own, { recursive: true });
    const parent = strange('linked', (run) => {
      mkdirSync(join(run, 'shown'));
      symlinkSync(join(own, 'index.js'), join(run, 'shown', 'index.js'));
      writeFileSync(join(run, 'shown', 'docking.wgsl'), 'the shader of a stranger');
      rewrite(join(run, 'config.yaml'), /^env: .*$/m, 'env: ./shown');
    });
    const run = join(parent, 'run');
    expect((await runCommand('replay', run)).stderr).toContain('--trust-env');
    const { code } = await runCommand('replay', run, '--trust-env', own);
    expect(code).toBe(0);
    const { findEnv } = await import('../../src/envs/registry.ts');
    expect(findEnv(join(run, 'shown', 'index.js')).module).toBe(join(own, 'index.js'));
  });

  it('says when nothing is there', async () => {
    const { code, stderr } = await runCommand('replay', join(runs, 'mine'), '--trust-env', join(folder, 'nowhere'));
    expect(stderr).toMatch(/expected an environment's module at ".*nowhere", found nothing/);
    expect(code).toBe(2);
  });
});

describe('the source of an environment', () => {
  it('is recorded, and a change of it is refused by --resume and said by the others', async () => {
    const config = join(folder, 'changing', 'r2po.yaml');
    cpSync(join(folder, 'docking'), join(folder, 'changing'), { recursive: true });
    const stopped = await runCommand('run', config, ...small, '--runs-dir', runs, '--name', 'part', '--max-calls', '3');
    expect(stopped.code).toBe(5);
    const { env_source } = JSON.parse(readFileSync(join(runs, 'part', 'run.json'), 'utf8'));
    expect(env_source).toMatch(/^[0-9a-f]{64}$/);
    appendFileSync(join(folder, 'changing', 'docking.wgsl'), '// a remark\n');
    const resumed = await runCommand('run', config, ...small, '--runs-dir', runs, '--name', 'part', '--resume');
    expect(resumed.stderr).toMatch(/expected the code of the earlier part, but the source of Docking-v0/);
    expect(resumed.code).toBe(2);
    const module = join(folder, 'changing');
    for (const command of [['replay'], ['analyze', 'edits'], ['export', '--format', 'reference']]) {
      const out = command[0] === 'export' ? ['--out', join(folder, 'changed')] : [];
      const { stderr } = await runCommand(...command, join(runs, 'part'), ...out, '--trust-env', module);
      expect(stderr).toMatch(/warning: .*the source of Docking-v0 in ".*" has changed since the run began/);
    }
  });

  it('has the files that the module imports and its shader, and not its place', () => {
    const write = (place: string, part: string, shader: string): string => {
      mkdirSync(join(folder, place, 'parts'), { recursive: true });
      writeFileSync(join(folder, place, 'index.js'), "export * from './parts/one.ts';\nimport './missing.js';\n");
      writeFileSync(join(folder, place, 'parts', 'one.ts'), part);
      writeFileSync(join(folder, place, 'unused.ts'), place);
      writeFileSync(join(folder, place, 'e.wgsl'), shader);
      return sourceDigest(join(folder, place, 'index.js'), join(folder, place, 'e.wgsl'));
    };
    const first = write('a', 'export {};', 'fn f() {}');
    expect(write('b', 'export {};', 'fn f() {}')).toBe(first);
    expect(write('c', 'export { };', 'fn f() {}')).not.toBe(first);
    expect(write('d', 'export {};', 'fn g() {}')).not.toBe(first);
  });
});
