/**
 * A headless Chromium that needs nothing of the machine: the libraries that a bare one lacks come with it, and its font
 * is that of the package. Null when there is none for the platform.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type LaunchOptions, chromium as playwright } from 'playwright-core';
import { shippedBrowser } from './shipped.ts';

const require = createRequire(import.meta.url);

/** Once in hundreds of starts this Chromium ends by itself at once; a second start is another draw. */
async function launch(options: LaunchOptions): Promise<Browser> {
  return playwright.launch(options).catch(() => playwright.launch(options));
}

/** `flags` of Chromium replace those of the package where they set the same switch. */
export async function openBrowser(
  flags: readonly string[] = [],
): Promise<Pick<Browser, 'newContext' | 'close'> | null> {
  const folder = shippedBrowser();
  if (folder === null) return null;
  const home = mkdtempSync(join(tmpdir(), 'r2po-browser-'));
  const fonts = join(home, 'fonts.conf');
  const font = dirname(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'));
  writeFileSync(
    fonts,
    `<?xml version="1.0"?><fontconfig><dir>${font}</dir><cachedir>${join(home, 'cache')}</cachedir></fontconfig>`,
  );
  const browser = await launch({
    executablePath: join(folder, 'chromium'),
    // In one process, as the package proposes, closing a page ends all of it.
    args: [...chromium.args.filter((flag) => flag !== '--single-process'), ...flags],
    headless: true,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      // Without it the language of a page is "en-US@posix", which its own Intl refuses.
      LC_ALL: 'en_US.UTF-8',
      LD_LIBRARY_PATH: join(folder, 'lib'),
      FONTCONFIG_FILE: fonts,
    },
  });
  return {
    newContext: (options) => browser.newContext(options),
    close: async () => {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
