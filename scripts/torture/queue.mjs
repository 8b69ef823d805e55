/** A worker that is killed, again and again: others finish its runs. Needs `redis-server`. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { program, resultOf, small } from './program.mjs';

export const hasRedis = () => spawnSync('redis-server', ['--version']).status === 0;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

let running = null;

/** Of this process; it keeps nothing on disk. */
export async function redis() {
  if (running) return running;
  const port = await freePort();
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--loglevel',
    'warning',
  ];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  running = { url: (name) => `redis://127.0.0.1:${port}/0?${name}`, stop: () => server.kill('SIGKILL') };
  await new Promise((resolve) => setTimeout(resolve, 500));
  return running;
}

export const stopRedis = () => running?.stop();

/** A run in the queue; its worker is killed after a random time, and another one takes over. */
export async function killedWorker({ home, whole, random, index }) {
  const { url } = await redis();
  const runs = mkdtempSync(join(home, 'queue-'));
  const queue = ['--queue', url(`torture${index}`)];
  const env = { R2PO_HEARTBEAT_S: '0.1' };
  const [config, ...settings] = small.filter((arg) => !['--seed', '5', '--quiet'].includes(arg));
  const added = await program(['sweep', config, ...settings, 'seed=5', '--runs-dir', runs, ...queue], { env });
  if (added.code !== 0) return `sweep ended with ${added.code}: ${added.stderr.trim()}`;
  const deadline = Date.now() + 300 + random() * 1500;
  const work = ['worker', ...queue, '--runs-dir', runs, '--until-empty'];
  await program(work, { env, until: () => Date.now() > deadline });
  const { code, stderr, bug } = await program(work, { env });
  if (code !== 0 || bug) return `the second worker ended with ${code}: ${stderr.trim()}`;
  const [name] = readdirSync(runs).filter((one) => !one.startsWith('.'));
  return resultOf(join(runs, name)) === whole.result ? null : 'another result than the unbroken run';
}
