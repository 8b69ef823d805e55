/** The page in a real browser over a real server: one browser for all views. `R2PO_SCREENSHOTS` names a folder for pictures. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessFor } from '../../src/view/server/access.ts';
import { createViewApp } from '../../src/view/server/app.ts';
import { pageFiles } from '../../src/view/server/page-files.ts';
import { RunRoot } from '../../src/view/server/run-root.ts';
import { type Listening, listen } from '../../src/view/server/serve.ts';
import { writeExport } from '../../src/view/server/write-export.ts';
import { seriousFaults } from '../support/accessibility.ts';
import { openBrowser } from '../support/browser.ts';
import { writeRun } from '../support/run-folders.ts';

const hostile = '<img src=x onerror="window.pwned=1">';
const screenshots = process.env.R2PO_SCREENSHOTS;

let folder: string;
let server: Listening;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let page: Page;
/** what the console of the page said, apart from requests that failed while the server was away */
let complaints: string[] = [];
const stop = new AbortController();

function serve(port: number, name = 'runs'): Promise<Listening> {
  const app = createViewApp({
    root: new RunRoot(join(folder, name)),
    access: accessFor('127.0.0.1', false),
    page: pageFiles(),
    note: () => {},
    signal: stop.signal,
    times: { poll: 50, heartbeat: 1000, stall: 10_000 },
  });
  return listen(app, '127.0.0.1', port);
}

/** Opens an address anew: nothing of the page before it stays. */
async function open(hash: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
}
const rows = () => page.getByRole('row').filter({ has: page.getByRole('checkbox') });

async function picture(name: string): Promise<void> {
  if (screenshots === undefined) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

beforeAll(async () => {
  browser = await openBrowser();
  folder = mkdtempSync(join(tmpdir(), 'r2po-page-'));
  const runs = join(folder, 'runs');
  for (const seed of [1, 2, 3]) {
    writeRun(join(runs, `cartpole-r2po-s${seed}`), { seed, means: [10, 30, 20 + seed], rechecked: 22 + seed });
    writeRun(join(runs, `cartpole-props-s${seed}`), {
      seed,
      method: 'props',
      means: [9, 12, 14],
      rechecked: 10 + seed,
    });
  }
  writeRun(join(runs, `hostile ${hostile.replaceAll('/', '')}`), { model: hostile, status: 'stopped' });
  writeRun(join(runs, 'damaged'));
  rmSync(join(runs, 'damaged', 'run.json'));
  writeFileSync(join(runs, 'damaged', 'events.jsonl'), '');
  server = await serve(0);
  if (!browser) return;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true });
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load')) complaints.push(message.text());
  });
  page.setDefaultTimeout(10_000);
});
afterAll(async () => {
  await browser?.close();
  stop.abort();
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('the page of r2po view', () => {
  it('lists runs, filters them by an expression, and has the filter in its address', async ({ skip }) => {
    if (!browser) return skip();
    await open('');
    await rows().first().waitFor();
    expect(await rows().count()).toBe(8);
    await page.getByText('lost its run.json').waitFor();
    await picture('runs-light');
    await page.keyboard.press('/');
    await page.keyboard.type('status=finished method=r2po rechecked>23.5 foo=1');
    await page.getByText('unknown key "foo"').waitFor();
    expect(await rows().count()).toBe(2);
    expect(decodeURIComponent(new URL(page.url()).hash)).toContain('rechecked>23.5');
    expect(await seriousFaults(page)).toEqual([]);
    await page.reload();
    await rows().first().waitFor();
    expect(await rows().count()).toBe(2);
    expect(complaints).toEqual([]);
  });

  it('shows text of models and folders as text', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/');
    await page.getByRole('link', { name: hostile.replaceAll('/', '') }).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.evaluate(() => 'pwned' in globalThis)).toBe(false);
  });

  it('goes through runs by j, k and x, and compares the selected ones', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/?q=status=finished&sort=run');
    await rows().first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('x');
    expect(new URLSearchParams(new URL(page.url()).hash.split('?')[1]).getAll('sel')).toEqual([
      'cartpole-props-s1',
      'cartpole-props-s2',
    ]);
    await page.keyboard.press('c');
    await page.waitForURL(/#\/compare\?run=cartpole-props-s1&run=cartpole-props-s2/);
  });

  it('groups by the keys of an address, also where they are no choice', async ({ skip }) => {
    if (!browser) return skip();
    const groups = page.locator('.runs-group');
    const choice = page.getByRole('combobox', { name: 'group by' });
    await open('#/?q=status=finished&group=seed');
    await groups.first().waitFor();
    expect([await groups.count(), await choice.inputValue()]).toEqual([3, 'seed']);
    await open('#/?q=status=finished&group=foo');
    await rows().first().waitFor();
    expect([await groups.count(), await choice.inputValue()]).toEqual([0, '']);
    await open('#/compare?q=status=finished&by=method,seed');
    await page.getByRole('heading', { name: '6 runs compared' }).waitFor();
    expect(await choice.inputValue()).toBe('method,seed');
    await choice.selectOption('environment and method');
    await expect
      .poll(() => page.getByRole('region', { name: 'Rewards of the groups' }).getByRole('row').count())
      .toBe(3);
  });

  it('selects and compares a run whose name has a line break', async ({ skip }) => {
    if (!browser) return skip();
    const path = join(folder, 'runs', 'two\nlines');
    cpSync(join(folder, 'runs', 'cartpole-r2po-s1'), path, { recursive: true });
    await open('#/?q=two');
    await rows().getByRole('checkbox').check();
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: '1 run compared' }).waitFor();
    rmSync(path, { recursive: true });
  });

  it('names the command for a first run as a shell takes it', async ({ skip }) => {
    if (!browser) return skip();
    mkdirSync(join(folder, 'no runs'));
    const other = await serve(0, 'no runs');
    await page.goto(`http://127.0.0.1:${other.port}/`);
    await page.getByText(`r2po run cartpole/r2po --runs-dir '${join(folder, 'no runs')}'`).waitFor();
    await page.goto('about:blank');
    await other.close();
  });

  it('compares runs with the numbers of the report', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/compare?q=status=finished');
    await page.getByRole('heading', { name: '6 runs compared' }).waitFor();
    const groups = page.getByRole('region', { name: 'Rewards of the groups' }).getByRole('row');
    expect(await groups.count()).toBe(3);
    // Re-checked means are 23, 24 and 25: Student's t of three runs, 24 ± 4.303 / sqrt(3).
    expect(await groups.nth(2).innerText()).toMatch(/r2po[\s\S]*24\.00 ± 1\.00\s*\[21\.52, 26\.48\]/);
    const tests = page.getByRole('region', { name: 'Tests' }).getByRole('row');
    expect(await tests.nth(1).innerText()).toMatch(/props\s+3 \/ 3\s+12\.00/);
    expect(await page.getByRole('slider', { name: 'Curves of CartPole-v1 against episodes' }).count()).toBe(1);
    await picture('compare-light');
    expect(complaints).toEqual([]);
  });

  it('goes to a run by Ctrl+K', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/');
    await rows().first().waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('r2po s2');
    expect(await page.getByRole('listbox', { name: 'Places' }).getByRole('option').count()).toBe(1);
    await picture('palette-light');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/run\/cartpole-r2po-s2$/);
  });

  it('shows a run that arrives, and goes on when the server is back', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/?q=arrived');
    await page.getByText('No run matches this filter').waitFor();
    const copy = (name: string): void =>
      cpSync(join(folder, 'runs', 'cartpole-r2po-s1'), join(folder, 'runs', name), { recursive: true });
    copy('arrived-1');
    await page.getByRole('link', { name: 'arrived-1' }).waitFor();
    const { port } = server;
    await server.close();
    await page.getByText('The server does not answer').waitFor();
    copy('arrived-2');
    server = await serve(port);
    await page.getByRole('link', { name: 'arrived-2' }).waitFor();
    expect(await page.getByText('The server does not answer').count()).toBe(0);
    complaints = [];
  });

  it('opens an export from disk, without a server', async ({ skip }) => {
    if (!browser) return skip();
    const target = join(folder, 'export');
    const root = new RunRoot(join(folder, 'runs'));
    const say = (): void => {};
    await writeExport({ root, page: pageFiles(), folder: target, note: say, warn: say, signal: stop.signal });
    await page.goto('about:blank');
    await page.goto(`${pathToFileURL(join(target, 'index.html'))}#/?q=hostile`);
    await rows().first().waitFor();
    expect(await rows().count()).toBe(1);
    expect(await page.evaluate(() => 'pwned' in globalThis)).toBe(false);
    await page.getByRole('link', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: /runs compared/ }).waitFor();
    await page.goto(`${pathToFileURL(join(target, 'index.html'))}#/compare?q=method=props`);
    await page.getByText('This export has no comparison of these runs').waitFor();
    await page.getByRole('link', { name: 'all runs' }).click();
    await page.getByRole('heading', { name: /runs compared/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('has cards on a phone, in dark colours, without a serious fault for screen readers', async ({ skip }) => {
    if (!browser) return skip();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await open('#/?group=method');
    await rows().first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await seriousFaults(page)).toEqual([]);
    await picture('runs-phone-dark');
  });
});
