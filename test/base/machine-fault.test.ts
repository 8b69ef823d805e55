/** Faults of the machine: their words, folders that cannot be made, and paths that name no file. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { R2poError, UsageError } from '../../src/base/errors.ts';
import { cannotUse, faultWords, machineFault, readingWords } from '../../src/base/machine-fault.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { makeFolder } from '../../src/base/node/make-folder.ts';
import { openRegular, readRegular, readRegularText } from '../../src/base/node/read-file.ts';
import { readInput } from '../../src/config/input.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-fault-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);

const systemError = (code: string) =>
  Object.assign(new Error(`${code}: raw`), { code, errno: -1, syscall: 'write', path: '/x' });

describe('the words of a fault', () => {
  it.each([
    'ENOSPC',
    'EDQUOT',
    'EROFS',
    'EACCES',
    'EMFILE',
    'ENAMETOOLONG',
    'EISDIR',
    'ENOTDIR',
    'ELOOP',
    'EIO',
    'ENOENT',
  ])('%s is no defect of the program', (code) => {
    const fault = machineFault(systemError(code));
    expect(fault).toBeInstanceOf(R2poError);
    expect(fault!.message).toMatch(new RegExp(`^\\[machine\\] the system cannot write "/x": ${code}: [a-z]`));
    expect(fault!.exitCode).toBe(1);
    expect(faultWords(systemError(code))).not.toContain('raw');
  });

  it('keeps the words of a system error that is not in the list', () => {
    expect(machineFault(systemError('EWHATEVER'))?.message).toContain('EWHATEVER: raw');
  });

  it('is no excuse for a defect', () => {
    for (const error of [
      new TypeError('x'),
      new Error('y'),
      Object.assign(new Error('z'), { code: 'ERR_INVALID_ARG_VALUE' }),
    ]) {
      expect(machineFault(error)).toBeNull();
    }
  });

  it('makes a wrong path wrong usage, and a full disk a failure', () => {
    expect(cannotUse('--out', 'a folder', '/x', systemError('ENOTDIR'))).toBeInstanceOf(UsageError);
    expect(cannotUse('--out', 'a folder', '/x', systemError('ENOSPC'))).toMatchObject({
      exitCode: 1,
      message:
        '[--out] expected a folder, got "/x": ENOSPC: no space or no inodes left on the disk; free some space, or name a file on another disk',
    });
  });
});

describe('making a folder', () => {
  it('makes the missing ones above it, also when they are there', () => {
    makeFolder(at('a', 'b', 'c'));
    makeFolder(at('a', 'b', 'c'));
    expect(readdirSync(at('a', 'b'))).toEqual(['c']);
  });

  it.runIf(existsSync('/proc/self'))('ends where the system makes none, and does not try for ever', () => {
    for (const path of ['/proc/nope', '/proc/nope/x/y']) expect(() => makeFolder(path)).toThrow('ENOENT');
  });

  it('refuses a file, a link to nothing and a circle of links in its place', () => {
    writeFileSync(at('file'), '');
    symlinkSync(at('nothing'), at('broken'));
    symlinkSync(at('circle'), at('circle'));
    expect(() => makeFolder(at('file'))).toThrow('EEXIST');
    expect(() => makeFolder(at('file', 'x'))).toThrow('ENOTDIR');
    expect(() => makeFolder(at('broken'))).toThrow('EEXIST');
    expect(() => makeFolder(at('circle', 'x'))).toThrow('ELOOP');
  });

  it('is done here only', () => {
    const sources = readdirSync(assetPath('src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const recursive = sources.filter((name) =>
      /mkdir(?:Sync)?\([^)]*recursive/.test(readFileSync(join(assetPath('src'), name), 'utf8')),
    );
    expect(recursive).toEqual([]);
  });
});

describe('reading a file that somebody named', () => {
  const pipe = (): string => {
    execFileSync('mkfifo', [at('pipe')]);
    return at('pipe');
  };

  it.skipIf(process.platform === 'win32')('never waits for a pipe or reads a device', async () => {
    for (const path of [pipe(), '/dev/zero']) {
      expect(() => openRegular(path)).toThrow('no regular file');
      expect(() => readRegular(path)).toThrow('no regular file');
      await expect(readInput('config', path, 'a file')).rejects.toThrow(
        /\[config\] expected a file at ".*no regular file/,
      );
    }
  });

  it('reads no more than the limit, also where a file does not say its size', () => {
    writeFileSync(at('big'), 'x'.repeat(10_001));
    expect(readRegularText(at('big'), 10_001)).toHaveLength(10_001);
    expect(() => readRegular(at('big'), 10_000)).toThrow('expected at most 10000 bytes, got 10001');
    if (!existsSync('/proc/self/maps')) return;
    expect(readRegularText('/proc/self/maps')).toContain('\n');
    expect(() => readRegular('/proc/self/maps', 5000)).toThrow('expected at most 5000 bytes, got more');
  });

  it('says what is there instead', () => {
    expect(() => readRegular(folder)).toThrow('EISDIR');
    symlinkSync(at('circle'), at('circle'));
    for (const [path, words] of [
      [folder, 'it is a folder'],
      [at('none'), 'file not found'],
      [at('x'.repeat(300)), 'the name is too long'],
      [at('circle'), 'its links lead in a circle'],
    ] as const) {
      let error: unknown;
      try {
        readRegular(path);
      } catch (thrown) {
        error = thrown;
      }
      expect(readingWords(error)).toBe(words);
    }
  });
});
