#!/usr/bin/env node
/**
 * Long work, watched: does memory grow, do files stay open? After `npm run build`:
 *
 *     npm run soak -- --iterations 100000 --runs 2000 --browser-seconds 3600 [--keep FOLDER]
 *
 * 1. A search of many iterations with the offline optimiser, and `r2po view` with the page of that run open in a browser
 *    until both the search and the time are over.
 * 2. A sweep of many short runs.
 *
 * Memory (resident, MiB) and open files of each process are read once a second from /proc, so this needs Linux. The heap of
 * the page is read after a garbage collection. The table compares the first fifth of the readings, without the start,
 * with the last fifth.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createJiti } from 'jiti';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist/cli/main.js');
/** an iteration of these takes milliseconds */
const short = ['warmup.policies=2', 'evaluation.episodes=1', 'evaluation.max_steps=20', 'recheck.episodes=10'];

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '2000' },
    'browser-seconds': { type: 'string', default: '3600' },
    keep: { type: 'string' },
  },
});
const [iterations, runs, browserSeconds] = [values.iterations, values.runs, values['browser-seconds']].map(Number);
if (![iterations, runs, browserSeconds].every((value) => Number.isInteger(value) && value >= 0)) {
  console.error('expected whole numbers behind --iterations, --runs and --browser-seconds');
  process.exit(2);
}

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function residentMebibytes(pid) {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return kibibytes === undefined ? null : Number(kibibytes) / 1024;
}

/** A program of ours with its output thrown away, and what was read of it. */
function start(args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const series = { memory: [], files: [] };
  let [printed, complaint] = ['', ''];
  child.stdout.on('data', (text) => {
    printed = (printed + text).slice(-10_000);
  });
  child.stderr.on('data', (text) => {
    complaint = (complaint + text).slice(-10_000);
  });
  const timer = setInterval(() => {
    try {
      const memory = residentMebibytes(child.pid);
      if (memory === null) return;
      series.memory.push(memory);
      series.files.push(readdirSync(`/proc/${child.pid}/fd`).length);
    } catch {
      // It ended between two readings.
    }
  }, 1000);
  const ended = new Promise((resolve) => {
    child.once('exit', (code) => {
      clearInterval(timer);
      resolve(code);
    });
  });
  return { child, series, ended, printed: () => printed, complaint: () => complaint };
}

const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** Means of the first and the last fifth; the first readings are those of the start. */
function compare(what, series) {
  const settled = series.slice(Math.min(20, Math.floor(series.length / 10)));
  const fifth = Math.max(1, Math.floor(settled.length / 5));
  const [first, last] = [settled.slice(0, fifth), settled.slice(-fifth)].map(mean);
  const cell = (value) => (Number.isFinite(value) ? value.toFixed(1) : '-');
  const highest = series.reduce((a, b) => Math.max(a, b), 0);
  return `| ${what} | ${series.length} | ${cell(first)} | ${cell(last)} | ${cell(highest)} |`;
}

async function must(what, { ended, complaint }) {
  const code = await ended;
  if (code === 0) return;
  console.error(complaint());
  throw new Error(`${what} ended with exit code ${code}`);
}

/** Heap of the page in MiB, after a garbage collection. */
async function heapOf(session) {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 2 ** 20;
}

async function longSearch(folder) {
  const jiti = createJiti(import.meta.url);
  mkdirSync(folder, { recursive: true });
  const { openBrowser } = await jiti.import(join(root, 'test/support/browser.ts'));
  const search = start([
    'run',
    'cartpole/r2po',
    `iterations=${iterations}`,
    'search.history=10',
    ...short,
    '--backend',
    'cpu',
    '--runs-dir',
    folder,
    '--name',
    'long',
    '--quiet',
  ]);
  const view = start(['view', folder, '--port', '0']);
  const begun = Date.now();
  const heap = [];
  const complaints = [];
  const browser = await openBrowser();
  try {
    for (let i = 0; i < 60 && !/http:\S+/.test(view.printed()); i++) await wait(1);
    const [address] = /http:\S+/.exec(view.printed()) ?? [];
    if (browser === null) throw new Error('expected the browser of @sparticuz/chromium; got none');
    if (address === undefined) throw new Error(`r2po view printed no address: ${view.complaint()}`);
    // The episode on the page does not play by itself: drawn without a GPU, it would take a core of the search.
    const page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${address.replace(/\/$/, '')}/#/run/long`);
    const session = await page.context().newCDPSession(page);
    let over = false;
    search.ended.then(() => {
      over = true;
    });
    while (!over || Date.now() - begun < browserSeconds * 1000) {
      await wait(10);
      heap.push(await heapOf(session));
    }
    await must('the search', search);
    const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
    console.log(compare(`search of ${iterations} iterations: memory, MiB`, search.series.memory));
    console.log(compare('search: open files', search.series.files));
    console.log(compare(`server of the page, ${minutes} min: memory, MiB`, view.series.memory));
    console.log(compare('server: open files', view.series.files));
    console.log(compare('page in the browser: heap, MiB', heap));
    console.log(`| errors in the console of the page | ${heap.length} | - | - | ${complaints.length} |`);
    for (const complaint of complaints.slice(0, 5)) console.error(complaint);
  } finally {
    search.child.kill();
    view.child.kill();
    await browser?.close();
  }
}

async function manyRuns(folder) {
  const sweep = start([
    'sweep',
    'cartpole/props',
    `seed=0..${runs - 1}`,
    'iterations=3',
    ...short,
    '--backend',
    'cpu',
    '--runs-dir',
    folder,
    '--quiet',
  ]);
  await must('the sweep', sweep);
  console.log(compare(`sweep of ${runs} runs: memory, MiB`, sweep.series.memory));
  console.log(compare('sweep: open files', sweep.series.files));
}

const home = values.keep ?? mkdtempSync(join(tmpdir(), 'r2po-soak-'));
mkdirSync(home, { recursive: true });
try {
  console.log('| what | readings | first fifth | last fifth | highest |\n|---|---:|---:|---:|---:|');
  if (iterations > 0) await longSearch(join(home, 'long'));
  if (runs > 0) await manyRuns(join(home, 'sweep'));
} finally {
  if (values.keep === undefined) rmSync(home, { recursive: true, force: true });
}
