/**
 * Steps per second of user CPU time on one thread, by environment and backend: whole `evaluate` calls with seeding and
 * statistics, the backends alternating in one process. CPU time, because other processes on the machine change it less
 * than wall-clock time. Run after "npm run build": node bench/one-thread.mjs [ENV ...] [--backends cpu] [--json FILE]
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { timedCall } from '../dist/bench/timing.js';
import { longPlayingWork } from '../dist/bench/work.js';
import { envs } from '../dist/envs/index.js';
import { findEnv } from '../dist/envs/registry.js';
import { openCpuBackend } from '../dist/rollout/cpu/node/backend.js';
import { openWasmBackend } from '../dist/rollout/wasm/node/backend.js';

const openers = {
  cpu: () => openCpuBackend({ threads: 1 }),
  wasm: () => openWasmBackend({ threads: 1 }),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backends: { type: 'string', default: Object.keys(openers).join(',') },
    /** user CPU time of a call, about, s */
    seconds: { type: 'string', default: '0.25' },
    rounds: { type: 'string', default: '7' },
    json: { type: 'string' },
    one: { type: 'boolean', default: false },
  },
});
const names = values.backends.split(',');

async function measured(env) {
  const opened = [];
  for (const name of names) opened.push({ name, backend: await openers[name](), rates: [], episodes: 64 });
  const work = await longPlayingWork(env, opened[0].backend);
  const call = async (one) => {
    const { user } = process.cpuUsage();
    const { result } = await timedCall(one.backend, work, one.episodes);
    const seconds = (process.cpuUsage().user - user) / 1e6;
    return { seconds, steps: result.summaries[0].steps };
  };
  // Warm, and as long as asked for. A call that compiles takes longer, so that only the shortest of three says how long one
  // takes: short episodes would stay far too few.
  const long = Number(values.seconds) / 1.5;
  for (const one of opened) {
    for (let spent = 0; spent < 0.5; ) spent += (await call(one)).seconds;
    for (;;) {
      const calls = [await call(one), await call(one), await call(one)];
      const shortest = Math.min(...calls.map(({ seconds }) => seconds));
      if (shortest >= long) break;
      one.episodes *= shortest < long / 8 ? 4 : 2;
    }
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const one of opened) {
      const { steps, seconds } = await call(one);
      one.rates.push(steps / seconds);
    }
  }
  const rows = opened.map(({ name, rates, episodes }) => {
    rates.sort((a, b) => a - b);
    const [slowest, fastest] = [rates[0], rates[rates.length - 1]];
    return { backend: name, episodes, stepsPerSecond: rates[rates.length >> 1], slowest, fastest };
  });
  for (const { backend } of opened) await backend.close();
  return { env: env.id, policy: work.policy.kind, load: loadavg()[0], rows };
}

if (values.one) {
  console.log(JSON.stringify(await measured(findEnv(positionals[0]))));
} else {
  const chosen = positionals.length > 0 ? positionals.map((name) => findEnv(name)) : envs;
  const environments = chosen.map((env) => {
    const given = ['--backends', values.backends, '--seconds', values.seconds, '--rounds', values.rounds];
    const text = execFileSync(process.execPath, [process.argv[1], env.id, '--one', ...given], { encoding: 'utf8' });
    const found = JSON.parse(text);
    const first = found.rows[0].stepsPerSecond;
    const line = found.rows.map(
      (row) => `${row.backend} ${row.stepsPerSecond.toExponential(2)} (${(row.stepsPerSecond / first).toFixed(2)}x)`,
    );
    console.log(`${env.id.padEnd(28)} ${line.join('  ')}  load ${found.load.toFixed(1)}`);
    return found;
  });
  const document = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0].model, environments };
  if (values.json) writeFileSync(values.json, `${JSON.stringify(document, null, 1)}\n`);
}
