import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../support/in-process.ts';
import { writeRun } from '../support/run-folders.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-view-'));
  writeRun(join(folder, 'runs', 'a'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('view --export writes the built page with the data of the runs', async () => {
  const target = join(folder, 'page');
  const { code, stdout } = await runCommand('view', join(folder, 'runs'), '--export', target, '--json');
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { folder: target, runs: 1 }]);
  expect(readFileSync(join(target, 'index.html'), 'utf8')).toContain('<meta name="r2po-data" content="scripts" />');
  for (const name of ['app.js', 'app.css', 'engine.js', 'worker.js', 'data/runs.js']) {
    expect(existsSync(join(target, name)), name).toBe(true);
  }
});

it('view counts the folders that are too deep to be searched', async () => {
  const deep = join(folder, 'a', 'b', 'c', 'd');
  for (const name of ['e', 'f']) writeRun(join(deep, name));
  const { stderr } = await runCommand('view', join(folder, 'a'), '--export', join(folder, 'deep-page'));
  expect(stderr).toContain(`"${join(folder, 'a')}" holds 2 folders that were not searched`);
  const named = await runCommand('view', deep, '--export', join(folder, 'named-page'), '--json');
  expect([JSON.parse(named.stdout).runs, named.stderr]).toEqual([2, expect.not.stringContaining('not searched')]);
});

it('view refuses a folder that is not there, and an address that other machines reach', async () => {
  const missing = await runCommand('view', join(folder, 'nowhere'));
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('start a run first')]);
  const wide = await runCommand('view', join(folder, 'runs'), '--host', '0.0.0.0');
  expect([wide.code, wide.stderr]).toEqual([2, expect.stringContaining('--allow-remote')]);
});
