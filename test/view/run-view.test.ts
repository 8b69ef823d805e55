/** The view of one run in a real browser, over a real server. `R2PO_SCREENSHOTS` names a folder for pictures. */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessFor } from '../../src/view/server/access.ts';
import { createViewApp } from '../../src/view/server/app.ts';
import { pageFiles } from '../../src/view/server/page-files.ts';
import { RunRoot } from '../../src/view/server/run-root.ts';
import { type Listening, listen } from '../../src/view/server/serve.ts';
import { seriousFaults } from '../support/accessibility.ts';
import { openBrowser } from '../support/browser.ts';
import { runCommand } from '../support/in-process.ts';

const hostile = '<img src=x onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>';
const screenshots = process.env.R2PO_SCREENSHOTS;
const stop = new AbortController();

let folder: string;
let server: Listening;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let page: Page;
const complaints: string[] = [];
/** lines of the record of `growing` that are not written yet */
let rest: string;

async function open(hash: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`http://127.0.0.1:${server.port}/${hash}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
}
const query = (): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.split('?')[1] ?? ''));
const selected = () => page.locator('.rows [aria-selected="true"]');

async function picture(name: string): Promise<void> {
  if (screenshots === undefined) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}

beforeAll(async () => {
  browser = await openBrowser();
  if (!browser) return;
  folder = mkdtempSync(join(tmpdir(), 'r2po-run-view-'));
  const settings = ['iterations=6', 'evaluation.episodes=4', 'evaluation.max_steps=60', 'recheck.episodes=8'];
  const common = ['--runs-dir', folder, '--backend', 'cpu', '--quiet'];
  const { code, stderr } = await runCommand('run', 'cartpole/r2po', '--name', 'chain', ...settings, ...common);
  if (code !== 0) throw new Error(stderr);
  cpSync(join(folder, 'chain'), join(folder, 'growing'), { recursive: true });
  const events = join(folder, 'growing', 'events.jsonl');
  const record = readFileSync(events, 'utf8').trimEnd().split('\n');
  const end = record.findIndex((line) => line.startsWith('{"type":"iteration","iteration":4')) + 1;
  writeFileSync(events, `${record.slice(0, end).join('\n')}\n`);
  rest = `${record.slice(end).join('\n')}\n`;
  const app = createViewApp({
    root: new RunRoot(folder),
    access: accessFor('127.0.0.1', false),
    page: pageFiles(),
    note: (text) => complaints.push(text),
    signal: stop.signal,
    times: { poll: 50, heartbeat: 1000, stall: 10_000 },
  });
  server = await listen(app, '127.0.0.1', 0);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    bypassCSP: true,
    locale: 'en-US',
  });
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.setDefaultTimeout(10_000);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  stop.abort();
  await server?.close();
  if (folder) rmSync(folder, { recursive: true });
});

describe('the view of one run', () => {
  it('leads from a point of the curve to the call, its prompt, the parameters and the episode', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/run/chain?at=6');
    const plot = page.locator('.u-over').first();
    const box = (await plot.boundingBox())!;
    await plot.click({ position: { x: (2 / 5) * box.width, y: box.height / 2 } });
    await expect.poll(query).toMatchObject({ at: '3' });
    await page.getByRole('heading', { name: 'Iteration 3' }).waitFor();
    expect(await selected().innerText()).toMatch(/^3\b/);

    await page.getByRole('button', { name: /^proposal/ }).click();
    expect(query()).toMatchObject({ at: '3', policy: 'proposal' });
    const prompt = page.getByRole('region', { name: 'Changes of the prompt' });
    await prompt.locator('ins').first().waitFor();
    expect(await prompt.innerText()).toContain('Iteration 23 of 6');
    expect(await page.getByRole('button', { name: /unchanged lines/ }).count()).toBeGreaterThan(0);
    expect(await page.getByRole('region', { name: 'Reply of the model' }).innerText()).toMatch(/params\[0\]: -?\d/);
    const cells = page.locator('.matrix .cell');
    expect(await cells.count()).toBe(10);
    expect(await page.getByText(/of 10 changed since the policy that iteration 2 kept/).count()).toBe(1);

    await page.locator('.when-seen').scrollIntoViewIfNeeded();
    await page
      .getByRole('button', { name: /^(Play|Pause)/ })
      .first()
      .waitFor();
    expect(await page.locator('.when-seen canvas').count()).toBeGreaterThanOrEqual(2);
    await picture('run-chain');
    await page.reload();
    await page.getByRole('heading', { name: 'Parameters of the proposal' }).waitFor();
  });

  it('steps over iterations by j and k, and over calls by the arrow keys', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/run/chain?at=3');
    await page.keyboard.press('j');
    await expect.poll(query).toEqual({ at: '4' });
    await page.keyboard.press('k');
    await page.keyboard.press('k');
    await expect.poll(query).toEqual({ at: '2' });
    await page.getByRole('button', { name: /^calls/ }).click();
    await page.getByRole('listbox', { name: 'Calls' }).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await expect.poll(query).toMatchObject({ at: '1', list: 'calls' });
    expect(await selected().innerText()).toContain('critic');
  });

  it('shows iterations that arrive, without a change of what is selected', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/run/growing?at=2');
    const count = page.getByRole('button', { name: /^iterations \d/ }).last();
    expect(await count.innerText()).toBe('iterations 4');
    appendFileSync(join(folder, 'growing', 'events.jsonl'), rest);
    await expect.poll(() => count.innerText()).toBe('iterations 6');
    expect(await page.getByRole('heading', { name: 'Iteration 2' }).count()).toBe(1);
    expect(query()).toEqual({ at: '2' });
  });

  it('shows texts of models as text', async ({ skip }) => {
    if (!browser) return skip();
    await page.route('**/api/runs/chain/calls/*', async (route) => {
      const answer = await (await route.fetch()).json();
      const messages = [{ role: 'user', content: `a\n${hostile}` }];
      const call = { ...answer.call, problem: hostile, model: hostile };
      const body = { ...answer, call, messages, reply: `${hostile}\u202e`, reasoning: hostile };
      await route.fulfill({ json: { ...body, previous: [{ role: 'user', content: 'a\nb' }] } });
    });
    await open('#/run/chain?at=2');
    const reply = page.getByRole('region', { name: 'Reply of the model' });
    await reply.waitFor();
    expect(await reply.innerText()).toBe(hostile);
    expect(await page.getByRole('region', { name: 'Reasoning of the model' }).innerText()).toBe(hostile);
    expect(await page.locator('main ins').first().innerText()).toContain(hostile);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.evaluate(() => 'pwned' in globalThis)).toBe(false);
    await page.unroute('**/api/runs/chain/calls/*');
  });

  it('says what a branch will do, and asks for what was written', async ({ skip }) => {
    if (!browser) return skip();
    await page.route('**/api/runs', async (route) => {
      const index = await (await route.fetch()).json();
      await route.fulfill({ json: { ...index, can: { ...index.can, steer: true } } });
    });
    const asked: unknown[] = [];
    await page.route('**/api/runs/chain/branch', async (route) => {
      asked.push(route.request().headers()['x-r2po'], route.request().postDataJSON());
      await route.fulfill({ json: { id: 'chain-b', command: '' } });
    });
    await open('#/run/chain?at=4');
    await page.getByRole('button', { name: /Branch from iteration 4/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Branch' });
    expect(await dialog.innerText()).toContain('shares the record up to iteration 4');
    expect(asked).toEqual([]);
    await dialog.getByLabel(/settings/).fill('search.step_size=0.5');
    await dialog.getByRole('button', { name: 'Branch' }).click();
    await page.getByRole('link', { name: 'chain-b' }).waitFor();
    expect(asked).toEqual(['1', { at: 4, settings: ['search.step_size=0.5'] }]);
    await page.unroute('**/api/runs');
  });

  it('has nothing that keeps people out, in light, in dark and on a phone', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/run/chain?at=4');
    await page.getByRole('region', { name: 'Reply of the model' }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await seriousFaults(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await picture('run-phone-dark');
    expect(complaints).toEqual([]);
  });

  it('says so when the run is deleted while it is shown, and keeps what was known', async ({ skip }) => {
    if (!browser) return skip();
    await open('#/run/growing?at=2');
    await page.getByRole('heading', { name: 'Iteration 2' }).waitFor();
    rmSync(join(folder, 'growing'), { recursive: true });
    await page.getByRole('alert').getByText('this run was deleted').waitFor();
    expect(await page.getByRole('heading', { name: 'Iteration 2' }).count()).toBe(1);
  });

  it('shows nothing of a deleted run as that of a run that took its name', async ({ skip }) => {
    if (!browser) return skip();
    cpSync(join(folder, 'chain'), join(folder, 'again'), { recursive: true });
    await open('#/run/again');
    const count = page.getByRole('button', { name: /^iterations \d/ }).last();
    expect(await count.innerText()).toBe('iterations 6');
    rmSync(join(folder, 'again'), { recursive: true });
    await page.getByRole('alert').getByText('this run was deleted').waitFor();
    const settings = ['iterations=2', 'evaluation.episodes=4', 'recheck.episodes=8', '--runs-dir', folder, '--quiet'];
    await runCommand('run', 'mountaincar/props', '--name', 'again', '--backend', 'cpu', ...settings);
    await expect.poll(() => count.innerText(), { timeout: 10_000 }).toBe('iterations 2');
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('says so where there is no such run', async ({ skip }) => {
    if (!browser) return skip();
    await page.goto('about:blank');
    await page.goto(`http://127.0.0.1:${server.port}/#/run/gone`);
    await page.getByRole('alert').getByText('it may have been deleted').waitFor();
  });
});
