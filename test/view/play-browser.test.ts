/** The playground in a real browser: WebGPU on its software adapter, WebAssembly and float64 in a worker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findEnv } from '../../src/envs/registry.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { SingleThreadBackend } from '../../src/rollout/cpu/single-thread.ts';
import { accessFor } from '../../src/view/server/access.ts';
import { createViewApp } from '../../src/view/server/app.ts';
import { pageFiles } from '../../src/view/server/page-files.ts';
import { RunRoot } from '../../src/view/server/run-root.ts';
import { type Listening, listen } from '../../src/view/server/serve.ts';
import { openBrowser } from '../support/browser.ts';

const params = [0, -0.3, 0.1, 0.4, -0.9, 1.1, -0.4, 0.6, 0.02, -0.03];
const policy = `env=CartPole-v1&policy=linear&params=${params.join('_')}`;
const timeout = 60_000;

let browser: Awaited<ReturnType<typeof openBrowser>> = null;
let listening: Listening;
const folder = mkdtempSync(join(tmpdir(), 'r2po-view-'));
const closing = new AbortController();

beforeAll(async () => {
  const options = { root: new RunRoot(folder), access: accessFor('127.0.0.1', false), page: pageFiles() };
  const app = createViewApp({ ...options, note: () => {}, signal: closing.signal });
  listening = await listen(app, '127.0.0.1', 0);
  browser = await openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
}, timeout);

afterAll(async () => {
  closing.abort();
  await browser?.close();
  await listening.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The page at a state of the playground; problems of the page fail the test. */
async function openPlay(query: string, { script = '', reducedMotion = false } = {}) {
  const context = await browser!.newContext({
    viewport: { width: 1280, height: 800 },
    ...(reducedMotion && { reducedMotion: 'reduce' as const }),
  });
  if (script !== '') await context.addInitScript(script);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${listening.port}/#/play?${query}`);
  return { page, problems, close: () => context.close() };
}

const executorOf = (page: Page, id: string) => page.waitForSelector(`[data-executor="${id}"]`);
const firstMean = async (page: Page): Promise<number> =>
  Number(await (await page.waitForSelector('.play-first')).getAttribute('data-mean'));
const pixels = (page: Page): Promise<string> =>
  page.locator('.scene canvas').evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());

async function meanOfEval(episodes: number, seed: number): Promise<number> {
  const env = findEnv('CartPole-v1');
  const candidates = [Float64Array.from(params)];
  const played = { env, policy: buildPolicy('linear', env), candidates, episodes, seed };
  return (await evaluate({ ...played, backend: new SingleThreadBackend() })).summary(0).mean;
}

describe('the playground', () => {
  it(
    'has the mean of r2po eval in float64 on the same seeds, with the constants of a link',
    async (t) => {
      if (browser === null) return t.skip('no browser for this platform');
      const { page, problems, close } = await openPlay(`${policy}&on=cpu&seed=70&episodes=300&paused=1`);
      await executorOf(page, 'cpu');
      expect(await firstMean(page)).toBe(await meanOfEval(300, 70));
      await page.locator('input[aria-label="gravity (m/s^2)"]').fill('40');
      await page.keyboard.press('Tab');
      await page.waitForFunction(() => location.hash.includes('c.gravity=40'));
      // Seeds that nothing has played yet: the mean stays beside those that it is of.
      const first = page.getByText('Seeds 70 to 369: mean');
      await first.waitFor();
      await page.getByRole('spinbutton', { name: 'First seed' }).fill(String(Number.MAX_SAFE_INTEGER));
      await page.keyboard.press('Tab');
      await page.getByRole('alert').getByText('expected episode seeds').waitFor();
      expect(await first.count()).toBe(1);
      expect(problems).toEqual([]);
      await close();
    },
    timeout,
  );

  it(
    'plays on the WebGPU of the browser, compares it with float64, and goes on without the device when it is lost',
    async (t) => {
      if (browser === null) return t.skip('no browser for this platform');
      const script = `
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...given) {
        globalThis.lastDevice = await request.apply(this, given);
        return globalThis.lastDevice;
      };`;
      const { page, problems, close } = await openPlay(`${policy}&seed=3&episodes=512`, { script });
      await executorOf(page, 'webgpu');
      const badge = page.locator('.badge-ok');
      await badge.waitFor();
      expect(await badge.textContent()).toMatch(/ok.*WebGPU of this browser against float64.*of 256 episodes equal/);
      await page.evaluate('lastDevice.destroy()');
      await executorOf(page, 'wasm');
      expect(await page.locator('.executor-notice').textContent()).toMatch(
        /WebGPU of this browser failed: the device .* was lost.*WebAssembly, in a worker goes on/,
      );
      expect(problems).toEqual([]);
      await close();
    },
    timeout,
  );

  it(
    'says that there is no WebGPU and plays by WebAssembly; steps and scrubs its median episode',
    async (t) => {
      if (browser === null) return t.skip('no browser for this platform');
      const script = `Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });`;
      const { page, problems, close } = await openPlay(`${policy}&episodes=256`, { script, reducedMotion: true });
      await executorOf(page, 'wasm');
      expect(await page.locator('.executor-reasons').textContent()).toContain('this browser has no WebGPU');
      await page.waitForSelector('.scene canvas');
      const scrubber = page.locator('input[aria-label="Step"]');
      const before = await pixels(page);
      await scrubber.fill('12');
      expect(await page.locator('.step-number').textContent()).toMatch(/^12 \//);
      const scrubbed = await pixels(page);
      expect(scrubbed).not.toBe(before);
      await page.getByLabel('One step on').click();
      expect(await page.locator('.step-number').textContent()).toMatch(/^13 \//);
      // Space plays, also with reduced motion, because it is asked for.
      await page.locator('h1').click();
      await page.keyboard.press(' ');
      await page.waitForFunction(() => !document.querySelector('.step-number')!.textContent!.startsWith('13 /'));
      expect(problems).toEqual([]);
      await close();
    },
    timeout,
  );

  it(
    'says what is wrong with a link when it is opened, and plays without that when it is asked to',
    async (t) => {
      if (browser === null) return t.skip('no browser for this platform');
      const unknown = await openPlay('env=CartPole-v9');
      await unknown.page.getByRole('alert').getByText('CartPole-v9').waitFor();
      await unknown.close();
      const { page, problems, close } = await openPlay(`${policy}&on=cpu&seed=70&episodes=many&paused=1`);
      await page.getByText('episodes: expected a whole number from 1 to 131072, got "many"').waitFor();
      expect(await page.locator('.play-first').count()).toBe(0);
      await page.getByText('Play without what cannot be read').click();
      expect(await firstMean(page)).toBe(await meanOfEval(4096, 70));
      expect(problems).toEqual([]);
      await close();
    },
    timeout,
  );

  it(
    'takes a pasted policy, and says what is wrong with one',
    async (t) => {
      if (browser === null) return t.skip('no browser for this platform');
      const { page, close } = await openPlay(`${policy}&on=cpu&episodes=64&paused=1`);
      const text = page.getByRole('textbox', { name: 'Policy file' });
      await text.fill('{"kind": "linear", "parms": []}');
      await page.getByText('Use the pasted policy').click();
      expect(await page.locator('.policy-file [role="alert"]').textContent()).toContain('did you mean "params"?');
      await text.fill(JSON.stringify({ env: 'MountainCar-v0', kind: 'linear', params: new Array(9).fill(0.5) }));
      await page.getByText('Use the pasted policy').click();
      await page.waitForFunction(() => location.hash.includes('env=MountainCar-v0'));
      await page.getByText('Episodes of MountainCar-v0').waitFor();
      await close();
    },
    timeout,
  );
});
