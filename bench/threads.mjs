/**
 * Two threads of the wasm backend against one: whole `evaluate` calls alternating in one process. "wall" is the ratio of the
 * best wall-clock times; "work" is what it would be on idle cores, from the CPU time of each thread: other programs change it
 * little. "serial" is the share of the CPU time of a call on two threads that is spent on the calling thread.
 * Run after "npm run build", on Linux: node bench/threads.mjs [ENV ...] [--backend wasm|cpu] [--json FILE]
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { timedCall } from '../dist/bench/timing.js';
import { longPlayingWork } from '../dist/bench/work.js';
import { envs } from '../dist/envs/index.js';
import { findEnv } from '../dist/envs/registry.js';
import { openCpuBackend } from '../dist/rollout/cpu/node/backend.js';
import { openWasmBackend } from '../dist/rollout/wasm/node/backend.js';

const openers = { cpu: openCpuBackend, wasm: openWasmBackend };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'wasm' },
    /** CPU time of a call on one thread, about, s */
    seconds: { type: 'string', default: '0.5' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    one: { type: 'boolean', default: false },
  },
});

/** CPU time of each thread of this process, s: user and system, in ticks of 10 ms. */
function threadSeconds() {
  const seconds = new Map();
  for (const id of readdirSync('/proc/self/task')) {
    const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    seconds.set(id, (Number(fields[11]) + Number(fields[12])) / 100);
  }
  return seconds;
}

async function call(backend, work, episodes) {
  const before = threadSeconds();
  const { seconds: wall } = await timedCall(backend, work, episodes);
  const spent = [...threadSeconds()].map(([id, s]) => ({ id, seconds: s - (before.get(id) ?? 0) }));
  const main = spent.find(({ id }) => id === `${process.pid}`).seconds;
  return { wall, main, all: spent.reduce((sum, { seconds }) => sum + seconds, 0) };
}

async function measured(env) {
  const [one, two] = [1, 2].map((threads) => openers[values.backend]({ threads }));
  const work = await longPlayingWork(env, one);
  let episodes = 1024;
  for (let last = 0; last < Number(values.seconds) / 1.5; ) {
    last = (await call(one, work, episodes)).all;
    if (last < Number(values.seconds) / 1.5) episodes *= 2;
  }
  for (let i = 0; i < 2; i++) await call(two, work, episodes);
  const [single, double] = [[], []];
  for (let round = 0; round < Number(values.rounds); round++) {
    single.push(await call(one, work, episodes));
    double.push(await call(two, work, episodes));
  }
  await one.close();
  await two.close();
  const least = (calls, key) => Math.min(...calls.map((one) => one[key]));
  const sum = (calls, key) => calls.reduce((total, one) => total + one[key], 0);
  const [main, all] = [sum(double, 'main'), sum(double, 'all')];
  const work2 = sum(single, 'all') / (main + (all - main) / 2);
  const wall = least(single, 'wall') / least(double, 'wall');
  return { env: env.id, backend: values.backend, episodes, wall, work: work2, serial: main / all, load: loadavg()[0] };
}

if (values.one) {
  console.log(JSON.stringify(await measured(findEnv(positionals[0]))));
} else {
  const chosen = positionals.length > 0 ? positionals.map((name) => findEnv(name)) : envs;
  const environments = chosen.map((env) => {
    const given = ['--backend', values.backend, '--seconds', values.seconds, '--rounds', values.rounds];
    const text = execFileSync(process.execPath, [process.argv[1], env.id, '--one', ...given], { encoding: 'utf8' });
    const found = JSON.parse(text);
    const { wall, work, serial, load } = found;
    console.log(
      `${env.id.padEnd(28)} wall ${wall.toFixed(2)}  work ${work.toFixed(2)}  serial ${(100 * serial).toFixed(1)} %  load ${load.toFixed(1)}`,
    );
    return found;
  });
  const document = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0].model, environments };
  if (values.json) writeFileSync(values.json, `${JSON.stringify(document, null, 1)}\n`);
}
