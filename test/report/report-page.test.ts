/** The page of a report in a browser: it opens from disk, asks for nothing, fits on a telephone, and can be read at night. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { saveReport } from '../../src/report/pages/report-files.ts';
import { defaultReport, makeReport } from '../../src/report/report.ts';
import { findReportRuns } from '../../src/report/run-records.ts';
import { openBrowser } from '../support/browser.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { writeRun } from '../support/run-folders.ts';

const browser = await openBrowser();
const root = temporaryFolder();
const url = pathToFileURL(join(root, 'report', 'index.html')).href;

beforeAll(async () => {
  const model = `https://example.org/v1#a-very-long-name-${'of-a-model-'.repeat(9)}<b>&"bold"</b>`;
  for (const env of ['CartPole-v1', 'FrozenLake-v1']) {
    for (const [m, method] of ['r2po', 'props', 'reptraj'].entries()) {
      for (const seed of [1, 2, 3]) {
        const means = [10 + seed, 20 * (m + 1) + seed, 25 * (m + 1) + 3 * seed];
        const facts = { env, method, seed, means, model, rechecked: 50 * m + seed, countsCalls: seed !== 2 };
        writeRun(join(root, 'runs', `${env}-${method}-${seed}`), facts);
      }
    }
  }
  writeRun(join(root, 'runs', 'z-offline'), { kind: 'offline', model: 'offline', status: 'stopped' });
  const axes = ['episodes', 'calls'] as const;
  const report = makeReport(findReportRuns([join(root, 'runs')]), { ...defaultReport, axes, allowMixed: true });
  await saveReport(join(root, 'report'), report);
});

afterAll(async () => {
  await browser?.close();
  rmSync(root, { recursive: true });
});

describe.skipIf(!browser)('the page of a report', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 400]) {
      it(`can be read in ${colorScheme}, ${width} pixels wide`, async () => {
        const context = await browser!.newContext({ viewport: { width, height: 800 }, colorScheme });
        const page = await context.newPage();
        const heard: string[] = [];
        const requests: string[] = [];
        page.on('console', (message) => heard.push(message.text()));
        page.on('pageerror', (error) => heard.push(error.message));
        page.on('request', (request) => requests.push(request.url()));
        await page.addInitScript({ path: assetPath('test/support/in-page.js') });
        await page.goto(url);
        const ask = (question: string) => page.evaluate(`inPage.${question}()`);
        expect(await ask('contentWidth')).toBe(width);
        expect(await ask('faintTexts')).toEqual([]);
        expect(await ask('isLight')).toBe(colorScheme === 'light');
        // The conclusion comes first.
        const first = page.locator('li').first();
        expect((await first.boundingBox())?.y).toBeLessThan(150);
        expect(await first.textContent()).toMatch(/^CartPole-v1, .*: highest re-checked best/);
        expect(await ask('clippedTexts')).toEqual([]);
        expect(await ask('shownCurves')).toEqual(['curves-episodes']);
        await page.getByText('against calls', { exact: true }).click();
        expect(await ask('shownCurves')).toEqual(['curves-calls']);
        expect(await ask('contentWidth')).toBe(width);
        expect(await ask('faintTexts')).toEqual([]);
        expect(await ask('clippedTexts')).toEqual([]);
        // The name of the model is text, whatever it holds.
        expect(await page.locator('b').count()).toBe(0);
        expect(heard).toEqual([]);
        expect(requests).toEqual([url]);
        await context.close();
      });
    }
  }
});
