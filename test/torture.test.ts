/** The script behind docs/reliability.md, in small: nothing is lost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../src/base/node/assets.ts';

async function torture(...args: string[]) {
  const child = spawn(process.execPath, [assetPath('scripts/torture.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

const only = (...ids: string[]) => ids.flatMap((id) => ['--only', id]);

describe('npm run torture', () => {
  it('loses nothing to kills at random moments and at writes, and to a full disk', async () => {
    const { code, stdout, stderr } = await torture(
      '--tries',
      '2',
      '--seed',
      '7',
      ...only('kills', 'writes', 'full-disk'),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^\| (?:kills|writes|full-disk) \|.*\| 2 \| 2 \| 0 \|$/gm)).toHaveLength(3);
  }, 180_000);

  it('writes through no link, and stops at no damaged folder and no hostile text', async () => {
    const { code, stderr } = await torture('--tries', '1', '--seed', '3', ...only('links', 'damaged', 'texts'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }, 60_000);

  it('refuses a class that it does not know', async () => {
    const { code, stderr } = await torture('--only', 'killls');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('known: kills, writes') });
  });

  it('has each of its classes in docs/reliability.md', () => {
    const docs = readFileSync(assetPath('docs/reliability.md'), 'utf8');
    const script = readFileSync(assetPath('scripts/torture.mjs'), 'utf8');
    const ids = [...script.matchAll(/\bid: '([a-z-]+)'/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(9);
    for (const id of ids) expect(docs).toMatch(new RegExp(`^\\| \`?${id}\`? \\|`, 'm'));
    const tests = [...docs.matchAll(/`(test\/[\w./-]+\.ts)`/g)].map(([, path]) => path!);
    for (const path of tests) expect(existsSync(assetPath(path)), path).toBe(true);
  });
});
