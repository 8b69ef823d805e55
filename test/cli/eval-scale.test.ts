/** `r2po eval` over many seeds, as a user calls it: what is written to disk, and what is not. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mainFile, runCli } from '../support/cli.ts';

let folder: string;
let policy: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-scale-'));
  policy = join(folder, 'nim.json');
  writeFileSync(policy, JSON.stringify({ kind: 'tabular', params: [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const nim = () => ['eval', '--env', 'Nim-v0', '--backend', 'cpu', '--policy', policy];
const drafts = () => readdirSync(folder).filter((name) => name.includes('.tmp'));

describe('r2po eval --returns', () => {
  it('writes into a pipe, and through a dangling symbolic link', async () => {
    const run = promisify(execFile);
    const command = `"${process.execPath}" "${mainFile}" ${nim().join(' ')} --episodes 3 --quiet --json --returns /dev/stderr 2>&1 >/dev/null | cat`;
    const { stdout } = await run('sh', ['-c', command]);
    expect(stdout.split('\n').slice(0, 2)).toEqual(['index,seed,return,length,end', expect.stringMatching(/^0,0,/)]);
    const [link, target] = [join(folder, 'link.csv'), join(folder, 'not-yet.csv')];
    symlinkSync(target, link);
    expect((await runCli([...nim(), '--episodes', '3', '--returns', link])).code).toBe(0);
    expect(readFileSync(target, 'utf8').split('\n')).toHaveLength(5);
  });

  it('writes more episodes than fit into one part, with unchanged statistics', async () => {
    const returns = join(folder, 'many.csv');
    const episodes = 2 ** 20 + 3;
    const args = [...nim(), '--episodes', String(episodes), '--seed', '11', '--json'];
    const both = await Promise.all([runCli([...args, '--returns', returns]), runCli(args)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const [written, plain] = both.map(({ stdout }) => JSON.parse(stdout));
    for (const field of [
      'mean',
      'std',
      'quantiles',
      'median',
      'success',
      'length',
      'ends',
      'median_episode',
      'steps',
    ]) {
      expect(written[field]).toEqual(plain[field]);
    }
    const lines = readFileSync(returns, 'utf8').split('\n');
    expect(lines).toHaveLength(episodes + 2);
    expect(lines[0]).toBe('index,seed,return,length,end');
    let sum = 0;
    for (let i = 0; i < episodes; i++) {
      const [index, seed, value] = lines[i + 1]!.split(',').map(Number);
      if (index !== i || seed !== 11 + i) throw new Error(`expected index ${i}, got the line "${lines[i + 1]}"`);
      sum += value!;
    }
    expect(sum / episodes).toBe(written.mean);
    // What stands on the edge of two parts is an episode like any other.
    const edge = join(folder, 'edge.csv');
    await runCli([...nim(), '--episodes', '2', '--seed', String(11 + 2 ** 20 - 1), '--returns', edge]);
    const alone = readFileSync(edge, 'utf8').split('\n').slice(1, 3);
    expect(alone.map((line) => line.replace(/^\d+,/, ''))).toEqual(
      lines.slice(2 ** 20, 2 ** 20 + 2).map((line) => line.replace(/^\d+,/, '')),
    );
  });

  it('leaves the existing file unchanged when it is interrupted, and reports it', async () => {
    const returns = join(folder, 'earlier.csv');
    writeFileSync(returns, 'from before\n');
    const child = spawn(process.execPath, [mainFile, ...nim(), '--episodes', '1e9', '--returns', returns]);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    while (drafts().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopping the evaluation without a result; press Ctrl-C again to quit immediately/);
    expect(stderr).toMatch(/the evaluation was interrupted \(SIGINT\)/);
    expect(readFileSync(returns, 'utf8')).toBe('from before\n');
    expect(drafts()).toEqual([]);
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', async () => {
    const { code, stdout, stderr } = await runCli([...nim(), '--episodes', '50000', '--returns', '/dev/full']);
    expect(stderr).toMatch(/cannot write "\/dev\/full": ENOSPC.*; free some space, or name a file on another disk/);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });
});
