/** The commit of the working directory is read without running a program that its repository names. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { gitState } from '../../src/runs/folder/git-state.ts';
import { temporaryFolder } from '../support/experiment.ts';

const start = process.cwd();
afterEach(() => process.chdir(start));

it.skipIf(spawnSync('git', ['--version']).status !== 0)('runs no monitor, filter or hook of the repository', () => {
  const folder = temporaryFolder();
  process.chdir(folder);
  expect(gitState()).toBeNull();
  const git = (...args: string[]) => execFileSync('git', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  const marks = join(folder, 'marks');
  mkdirSync(marks);
  git('init', '-q');
  writeFileSync('code.txt', 'x\n');
  writeFileSync('.gitattributes', '*.txt filter=a=b\n*.md filter=process\n');
  git('add', 'code.txt', '.gitattributes');
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'first');
  const mark = (name: string): string => `touch ${join(marks, name)}; cat`;
  git('config', 'core.fsmonitor', `${mark('monitor')} >/dev/null; false`);
  git('config', 'filter.a=b.clean', mark('clean'));
  git('config', 'filter.a=b.required', 'true');
  git('config', 'filter.process.process', mark('process'));
  const hook = join(folder, '.git', 'hooks', 'post-index-change');
  mkdirSync(join(hook, '..'), { recursive: true });
  writeFileSync(hook, `#!/bin/sh\ntouch ${join(marks, 'hook')}\n`);
  chmodSync(hook, 0o755);
  utimesSync('code.txt', 1, 1);
  expect(gitState()).toEqual({ revision: git('rev-parse', 'HEAD').trim(), dirty: false });
  writeFileSync('code.txt', 'y\n');
  expect(gitState()?.dirty).toBe(true);
  expect(readdirSync(marks)).toEqual([]);
  // The same question without care.
  git('status', '--porcelain');
  expect(existsSync(join(marks, 'clean'))).toBe(true);
});
