/** Runs the built program, and compares what it leaves. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const faults = new URL('./faults.mjs', import.meta.url).href;

/** A generator of numbers in [0, 1) by its seed (mulberry32), so that a table can be made again. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * `fault`: see faults.mjs. `until`: asked every millisecond; true kills the program. Returns code, signal and output; `bug`
 * where the program took a fault for one of its own.
 */
export function program(args, { folder = '', fault = null, until = null, env = {} } = {}) {
  return new Promise((resolve) => {
    const preload = fault === null ? [] : ['--import', faults];
    const child = spawn(process.execPath, [...preload, main, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...env, ...(fault && { TORTURE_FAULT: fault, TORTURE_FOLDER: folder }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        output[name] += text;
      });
    }
    const timer = until && setInterval(() => until() && child.kill('SIGKILL'), 1);
    // A program that hangs has lost.
    const limit = setTimeout(() => child.kill('SIGTERM'), 120_000);
    child.on('close', (code, signal) => {
      clearInterval(timer);
      clearTimeout(limit);
      resolve({ code, signal, ...output, bug: /a bug in r2po|defect/.test(output.stderr) });
    });
  });
}

export const small = [
  'cartpole/r2po',
  ...['iterations=4', 'warmup.policies=3', 'evaluation.episodes=4', 'recheck.episodes=10', 'evaluation.backend=cpu'],
  ...['--seed', '5', '--quiet'],
];

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
export const sizeOf = (path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** All that a run did and found, without times and sessions: equal for runs that were broken off and resumed. */
export function resultOf(folder) {
  const { record: _r, wall_s: _w, ...summary } = readJson(join(folder, 'summary.json'));
  const { seconds: _s, ...llm } = summary.llm;
  const process = ['run_started', 'run_stopped', 'run_finished'];
  const events = readFileSync(join(folder, 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => !process.includes(type))
    .map(({ time: _t, seq: _q, prev: _p, journal: _j, reply, request, ...event }) => ({
      ...event,
      reply: reply?.text,
      request: request?.messages.map(({ digest }) => digest),
    }));
  const trajectories = readdirSync(join(folder, 'trajectories'));
  const text = (name) => readFileSync(join(folder, name), 'utf8');
  return JSON.stringify([
    { ...summary, llm },
    events,
    text('best.json'),
    trajectories.map((name) => [name, text(join('trajectories', name))]),
  ]);
}

/** Every file below a folder, with its bytes. */
export function contentOf(folder) {
  if (!existsSync(folder)) return '';
  const names = readdirSync(folder, { recursive: true }).sort();
  return JSON.stringify(
    names.map((name) => [
      name,
      statSync(join(folder, name)).isFile() ? readFileSync(join(folder, name), 'latin1') : '',
    ]),
  );
}
