/**
 * The pictures of the page of `r2po view` in docs/images: the list of runs, one run, and an animated one of the
 * playground. After `npm run build`: `node scripts/view-pictures.mjs`. Runs are made with the offline model in a folder
 * that is removed; the browser is the one of the tests.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { createJiti } from 'jiti';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist/cli/main.js');
const images = join(root, 'docs/images');
const size = { width: 1200, height: 760 };
const frames = 16;
/** the panel of the playground with the episode */
const panel = { x: 16, y: 132, width: 692, height: 500 };
const frameMilliseconds = 100;

function makeRuns(folder) {
  const place = ['--runs-dir', folder, '--quiet', '--backend', 'cpu'];
  const r2po = (...args) => execFileSync(process.execPath, [program, ...args, ...place], { stdio: 'ignore' });
  r2po(
    'sweep',
    'cartpole/r2po',
    'cartpole/cma-es',
    'pendulum/props-plus',
    'frozenlake/cem',
    'seed=0..2',
    'iterations=80',
  );
}

/** The address of a server for these runs, and how to stop it. */
function openView(folder) {
  const server = spawn(process.execPath, [program, 'view', folder, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = () => server.kill();
  return new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`r2po view ended with exit code ${code}`)));
    server.stdout.once('data', (text) => resolve({ address: /http:\S+/.exec(text)[0], stop }));
  });
}

/** The chunks of a PNG as `[type, data]`. */
function chunksOf(png) {
  const chunks = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push([png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)]);
    at += 12 + length;
  }
  return chunks;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

const words = (...values) => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
};

/** PNGs of equal size as one animated PNG that begins again at its end; PNG specification, third edition, 11.3.6. */
function animated(pngs) {
  const all = pngs.map(chunksOf);
  const [, header] = all[0].find(([type]) => type === 'IHDR');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const parts = [pngs[0].subarray(0, 8), chunk('IHDR', header), chunk('acTL', words(pngs.length, 0))];
  let sequence = 0;
  all.forEach((chunks, frame) => {
    const timing = Buffer.from([frameMilliseconds >> 8, frameMilliseconds & 255, 1000 >> 8, 1000 & 255, 0, 0]);
    parts.push(chunk('fcTL', Buffer.concat([words(sequence++, width, height, 0, 0), timing])));
    for (const [type, data] of chunks) {
      if (type !== 'IDAT') continue;
      parts.push(frame === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([words(sequence++), data])));
    }
  });
  parts.push(chunk('IEND', Buffer.alloc(0)));
  return Buffer.concat(parts);
}

const { openBrowser } = await createJiti(import.meta.url).import('../test/support/browser.ts');
const folder = mkdtempSync(join(tmpdir(), 'r2po-pictures-'));
let stop = () => {};
let browser = null;
try {
  makeRuns(folder);
  const view = await openView(folder);
  stop = view.stop;
  // Without WebGPU: on a software adapter a frame takes seconds, on WebAssembly a part of one.
  browser = await openBrowser();
  if (browser === null)
    throw new Error('expected the browser of @sparticuz/chromium, which is for Linux on x64; got none');
  const context = await browser.newContext({ viewport: size, colorScheme: 'light' });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const save = async (name, height = size.height) => {
    const clip = { x: 0, y: 0, width: size.width, height };
    writeFileSync(join(images, name), await page.screenshot({ clip, fullPage: true }));
  };
  const visit = async (route) => {
    await page.goto(`${view.address}/${route}`);
    await page.waitForTimeout(2500);
  };
  await visit('#/?sort=run');
  await save('view-runs.png');
  const run = readdirSync(folder).find((name) => name.startsWith('cartpole-r2po'));
  await visit(`#/run/${encodeURIComponent(run)}`);
  await save('view-run.png', 1250);
  await visit(`#/play?run=${encodeURIComponent(run)}`);
  await page.waitForTimeout(3000);
  const pngs = [];
  for (let frame = 0; frame < frames; frame++) {
    pngs.push(await page.screenshot({ clip: panel }));
    await page.waitForTimeout(frameMilliseconds);
  }
  writeFileSync(join(images, 'view-play.png'), animated(pngs));
} finally {
  await browser?.close();
  stop();
  rmSync(folder, { recursive: true, force: true });
}
