#!/usr/bin/env node
/**
 * Long work, watched: does memory grow, do files stay open, does an iteration take longer? After `npm run build`:
 *
 *     npm run soak -- --iterations 100000 --runs 2000 --browser-seconds 3600 [--out FOLDER] [--keep FOLDER]
 *
 * 1. A search of many iterations with the offline optimiser, and `r2po view` with the page of that run open in a browser
 *    until both the search and the time are over.
 * 2. A sweep of many short runs.
 *
 * Resident memory (MiB) and open files of each process are read once a second from /proc, so this needs Linux; what is in
 * use after a garbage collection (MiB), and processor time, every ten seconds. The table compares the first fifth of the
 * readings, without the start, with the last fifth.
 *
 * `--out`: folder for `readings.jsonl` (every reading as it comes), `result.json` and `result.md` (the table so far, written
 * once a minute). `--keep`: folder in which the runs stay. Ctrl-C prints the table of what was read until then, exit code 130.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createJiti } from 'jiti';
import { growths, markdownOf, Results } from './soak/readings.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist/cli/main.js');
const probe = join(root, 'scripts/soak/probe.mjs');
/** an iteration of these takes milliseconds */
const short = ['warmup.policies=2', 'evaluation.episodes=1', 'evaluation.max_steps=20', 'recheck.episodes=10'];

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '2000' },
    'browser-seconds': { type: 'string', default: '3600' },
    out: { type: 'string' },
    keep: { type: 'string' },
  },
});
const [iterations, runs, browserSeconds] = [values.iterations, values.runs, values['browser-seconds']].map(Number);
if (![iterations, runs, browserSeconds].every((value) => Number.isInteger(value) && value >= 0)) {
  console.error('expected whole numbers behind --iterations, --runs and --browser-seconds');
  process.exit(2);
}

const out = values.out ?? mkdtempSync(join(tmpdir(), 'r2po-soak-results-'));
const results = new Results(out, {
  argv: process.argv.slice(2),
  node: process.version,
  begun: new Date().toISOString(),
});
const note = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
note(`results: ${out}`);

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stopping.abort());

/** Ends early when the test is interrupted. */
const wait = (seconds) =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stopping.signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    stopping.signal.addEventListener('abort', done);
    if (stopping.signal.aborted) done();
  });

function residentMebibytes(pid) {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return kibibytes === undefined ? null : Number(kibibytes) / 1024;
}

/** The end of what a stream says. */
function endOf(stream) {
  let text = '';
  stream.on('data', (part) => {
    text = (text + part).slice(-10_000);
  });
  return () => text;
}

const children = new Set();

/** Starts the program; `name`: of its rows. `onUsage`: gets what its probe says. */
function start(name, args, onUsage = () => {}) {
  const child = spawn(process.execPath, ['--expose-gc', '--import', probe, program, ...args], {
    // A group of its own: Ctrl-C goes to this script, which reads to the end.
    ...{ stdio: ['ignore', 'pipe', 'pipe', 'pipe'], detached: true },
  });
  children.add(child);
  const [printed, complaint] = [endOf(child.stdout), endOf(child.stderr)];
  createInterface({ input: child.stdio[3] }).on('line', (line) => {
    const usage = JSON.parse(line);
    results.add(`${name}: in use, MiB`, usage.heap / 2 ** 20);
    onUsage(usage);
  });
  const timer = setInterval(() => {
    try {
      const memory = residentMebibytes(child.pid);
      if (memory === null) return;
      results.add(`${name}: resident, MiB`, memory);
      results.add(`${name}: open files`, readdirSync(`/proc/${child.pid}/fd`).length);
    } catch {
      // It ended between two readings.
    }
  }, 1000);
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      clearInterval(timer);
      children.delete(child);
      resolve(code ?? signal);
    });
  });
  return { child, ended, printed, complaint };
}

async function must(what, { ended, complaint }) {
  const code = await ended;
  if (code === 0 || stopping.signal.aborted) return;
  throw new Error(`${what} ended with ${code}: ${complaint()}`);
}

/** Says how far something is and writes the results, once a minute until it is stopped. */
function report(line) {
  const timer = setInterval(() => {
    note(line());
    results.write('running');
  }, 60_000);
  return () => clearInterval(timer);
}

/** Of a run folder; 0 before its first iteration. */
function iterationsOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')).iterations;
  } catch {
    return 0;
  }
}

/** The page of the run, open for as long as the search goes on, and the time. */
async function watchPage(browser, address, isOver) {
  const page = await (await browser.newContext()).newPage();
  let complaints = 0;
  page.on('pageerror', (error) => {
    complaints += 1;
    note(`error of the page: ${error}`);
  });
  await page.goto(`${address.replace(/\/$/, '')}/#/run/long`);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  let before = null;
  while (!isOver()) {
    await wait(10);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    results.add('page in the browser: in use, MiB', usedSize / 2 ** 20);
    const { metrics } = await session.send('Performance.getMetrics');
    const of = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
    if (before !== null) {
      const busy = (of.TaskDuration - before.TaskDuration) / (of.Timestamp - before.Timestamp);
      results.add('page in the browser: busy, % of the time', 100 * busy);
    }
    before = of;
    results.add('page in the browser: errors so far', complaints);
  }
}

async function longSearch(folder) {
  const jiti = createJiti(import.meta.url);
  mkdirSync(folder, { recursive: true });
  const { openBrowser } = await jiti.import(join(root, 'test/support/browser.ts'));
  const run = join(folder, 'long');
  const used = [];
  const cpuRow = `search: processor time of an iteration, ms`;
  const search = start(
    `search of ${iterations} iterations`,
    [
      ...['run', 'cartpole/r2po', `iterations=${iterations}`, 'search.history=10', ...short, '--backend', 'cpu'],
      ...['--runs-dir', folder, '--name', 'long', '--quiet'],
    ],
    ({ cpu }) => {
      used.push({ of: 1000 * cpu, by: iterationsOf(run) });
      const [spent] = growths(used.slice(-2));
      if (spent !== undefined) results.add(cpuRow, spent);
    },
  );
  const served = [];
  const view = start('server of the page', ['view', folder, '--port', '0'], ({ cpu }) => {
    served.push({ of: 100 * cpu, by: performance.now() / 1000 });
    const [busy] = growths(served.slice(-2));
    if (busy !== undefined) results.add('server of the page: busy, % of the time', busy);
  });
  const begun = Date.now();
  const minutes = () => (Date.now() - begun) / 60_000;
  const stopReport = report(() => {
    const done = iterationsOf(run);
    return `search: ${done} of ${iterations} iterations, ${(done / minutes() / 60).toFixed(1)} a second, ${minutes().toFixed(0)} min`;
  });
  let [over, failed] = [false, false];
  search.ended.then((code) => {
    over = true;
    failed ||= code !== 0;
    results.write('running', { searchMinutes: minutes() });
  });
  // It goes on until it is ended here.
  view.ended.then(() => {
    failed = true;
  });
  const isOver = () => stopping.signal.aborted || failed || (over && Date.now() - begun >= browserSeconds * 1000);
  const browser = await openBrowser();
  try {
    for (let i = 0; i < 60 && !isOver() && !/http:\S+/.test(view.printed()); i++) await wait(1);
    const [address] = /http:\S+/.exec(view.printed()) ?? [];
    if (browser === null) throw new Error('expected the browser of @sparticuz/chromium; got none');
    if (address === undefined) throw new Error(`r2po view printed no address: ${view.complaint()}`);
    await watchPage(browser, address, isOver);
    if (stopping.signal.aborted) return;
    if (failed && !over) await must('the server of the page', view);
    await must('the search', search);
    results.write('running', { pageMinutes: minutes() });
  } finally {
    stopReport();
    for (const { child } of [search, view]) child.kill();
    await browser?.close();
  }
}

async function manyRuns(folder) {
  const begun = Date.now();
  mkdirSync(folder, { recursive: true });
  const sweep = start(`sweep of ${runs} runs`, [
    ...['sweep', 'cartpole/props', `seed=0..${runs - 1}`, 'iterations=3', ...short, '--backend', 'cpu'],
    ...['--runs-dir', folder, '--quiet'],
  ]);
  const stopReport = report(() => `sweep: ${readdirSync(folder).length} folders of ${runs} runs`);
  stopping.signal.addEventListener('abort', () => sweep.child.kill());
  await must('the sweep', sweep).finally(stopReport);
  results.write('running', { sweepMinutes: (Date.now() - begun) / 60_000 });
}

const home = values.keep ?? mkdtempSync(join(tmpdir(), 'r2po-soak-'));
mkdirSync(home, { recursive: true });
const failures = [];
let isDone = false;

// Whatever ends this process: the browser ends it, too, when it is interrupted.
process.on('exit', () => {
  for (const child of children) child.kill();
  const state = failures.length > 0 ? 'failed' : isDone ? 'done' : 'interrupted';
  results.write(state, { ended: new Date().toISOString(), failures });
  console.log(markdownOf(results.rows()));
  for (const failure of failures) console.error(failure);
  if (!isDone) console.error('interrupted: the table has what was read until then');
  // Those of a child that is still ending may come again; they are in the folder for temporary files.
  if (values.keep === undefined) rmSync(home, { recursive: true, force: true, maxRetries: 3, retryDelay: 300 });
  if (failures.length > 0) process.exitCode = 1;
});

const parts = [
  ...(iterations > 0 ? [() => longSearch(join(home, 'long'))] : []),
  ...(runs > 0 ? [() => manyRuns(join(home, 'sweep'))] : []),
];
for (const part of parts) {
  if (stopping.signal.aborted) break;
  // One that fails does not take the other one with it.
  await part().catch((error) => failures.push(String(error?.message ?? error)));
}
isDone = !stopping.signal.aborted;
process.exit(isDone ? 0 : 130);
