/** The examples: each is short and works, against the sources in place of the installed package. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJiti } from 'jiti';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as library from '../src/index.ts';
import { runCommand } from './support/in-process.ts';

const files = ['search.mjs', 'own-policy.mjs', 'own-method.mjs', 'page.html', 'thermostat/index.js'];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-examples-'));
  cpSync('examples', folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = ['recheck.episodes=20', 'evaluation.backend=cpu', '--runs-dir', ''];
const into = (name: string) => [...small.slice(0, -1), join(folder, 'runs'), '--name', name];

/** What a script prints. */
async function printed(file: string): Promise<string> {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...words) => lines.push(words.join(' ')));
  const before = process.argv;
  process.argv = [...before.slice(0, 2), join(folder, 'runs')];
  try {
    await createJiti(import.meta.url, { fsCache: false, virtualModules: { 'r2po-webgpu': library } }).import(
      join(folder, file),
    );
  } finally {
    process.argv = before;
    log.mockRestore();
  }
  return lines.join('\n');
}

describe('examples', () => {
  it.each(files)('%s has fewer than 40 lines', (file) => {
    expect(readFileSync(join('examples', file), 'utf8').split('\n').length).toBeLessThan(40);
  });

  it('are all in the tarball', () => {
    const { files: packed } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(packed).toContain('examples');
    expect(readdirSync('examples')).toContain('parity-workflow.yml');
  });

  it('search from a program', async () => {
    expect(await printed('search.mjs')).toMatch(/example-search: mean return \d+\.\d, 95 % interval/);
  });

  it('beat the best known linear policy on a pendulum with a policy of their own', async () => {
    const [, mean] = /fresh episodes (-\d+)/.exec(await printed('own-policy.mjs'))!;
    expect(Number(mean)).toBeGreaterThan(-774);
  });

  it('search with a method of their own', async () => {
    const method = join(folder, 'own-method.mjs');
    expect(await runCommand('run', `cartpole/${method}`, 'iterations=2', ...into('own'))).toMatchObject({ code: 0 });
  });

  it('search in an environment of their own', async () => {
    const config = join(folder, 'thermostat', 'cma-es.yaml');
    const run = await runCommand('run', config, 'optimiser.episodes=400', ...into('warm'));
    expect(run.code).toBe(0);
    // On every backend of this machine: the shader has to compile in a driver as well.
    const sizes = ['--episodes', '32', '--transitions', '200', '--quiet'];
    const parity = await runCommand('parity', '--env', join(folder, 'thermostat'), ...sizes);
    expect(parity, parity.stderr).toMatchObject({ code: 0 });
  });
});
