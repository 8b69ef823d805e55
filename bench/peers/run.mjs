/**
 * CartPole with one policy on other people's ways of doing it, on this machine's CPU, as ratios to our cpu backend on one
 * thread. What is not installed is named and left out. `node bench/peers/run.mjs [episodes]` after `npm run build`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { policy as params, run as runBare } from '../bare-cartpole.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const dist = new URL('../../dist/', import.meta.url);
const { findEnv } = await import(new URL('envs/index.js', dist));
const { buildPolicy } = await import(new URL('policies/index.js', dist));
const { openCpuBackend } = await import(new URL('rollout/cpu/backend.js', dist));

const episodes = Number(process.argv[2] ?? 4096);
const steps = 500;
const repeats = 5;
const env = findEnv('CartPole-v1');
const policy = buildPolicy('linear', env);
const backend = openCpuBackend({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'r2po-peers-'));

/** One thread for all: NumPy's products would otherwise take what they find. */
const oneThread = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
const ask = (program, args) => JSON.parse(execFileSync(program, args, { encoding: 'utf8', env: oneThread }));
const weights = params.map(String);

/** Each gives { steps, seconds, meanReturn }, or throws when it cannot be run here. */
const peers = [
  {
    name: 'our cpu backend, one thread',
    prepare() {},
    async run() {
      const job = { env, policy, candidates: [Float64Array.from(params)], episodes, seed: 0, maxSteps: null };
      const played = await backend.play(job);
      return { ...played, meanReturn: played.returns.reduce((sum, r) => sum + r, 0) / episodes };
    },
  },
  { name: 'JavaScript loop, written out by hand', prepare() {}, run: async () => runBare(episodes, steps) },
  {
    name: 'C loop, cc -O3, one thread',
    prepare: () => execFileSync('cc', ['-O3', '-march=native', '-o', join(folder, 'c'), here('cartpole.c'), '-lm']),
    run: async () => ask(join(folder, 'c'), [episodes, steps, ...weights].map(String)),
  },
  {
    name: 'NumPy, batched',
    prepare: () => execFileSync('python3', ['-c', 'import numpy'], { stdio: 'ignore' }),
    run: async () => ask('python3', [here('cartpole_numpy.py'), episodes, steps, ...weights].map(String)),
  },
];

const found = [];
for (const peer of peers) {
  try {
    peer.prepare();
    await peer.run();
    found.push({ peer, speeds: [], meanReturn: 0 });
  } catch (error) {
    console.log(`${peer.name}: left out (${String(error.message).split('\n')[0]})`);
  }
}
// In turns, so that a busy moment of the machine meets all of them.
for (let r = 0; r < repeats; r++) {
  for (const entry of found) {
    const { steps: played, seconds, meanReturn } = await entry.peer.run();
    entry.speeds.push(played / seconds);
    entry.meanReturn = meanReturn;
  }
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const own = median(found[0].speeds);
for (const { peer, speeds, meanReturn } of found) {
  const speed = median(speeds);
  console.log(
    `${peer.name.padEnd(38)} ${speed.toExponential(2)} steps/s  x ${(speed / own).toFixed(2)}  mean return ${meanReturn.toFixed(1)}`,
  );
}
await backend.close();
rmSync(folder, { recursive: true });
