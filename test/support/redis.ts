/** A Redis of its own for a test, on a free port and in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe } from 'vitest';
import { temporaryFolder } from './experiment.ts';

export const describeRedis = describe.skipIf(!process.env.R2PO_TEST_REDIS);

export interface TestRedis {
  readonly port: number;
  /** of a queue of that name */
  url(name?: string): string;
  /** Ends the server without warning. */
  kill(): Promise<void>;
  /** Starts it again, with what it had written down. */
  start(): Promise<void>;
}

/** A port that nobody has now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** `settings` as on the command line of redis-server: `--requirepass sesame` */
export async function startRedis(settings: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  const folder = temporaryFolder();
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const usual = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    const started = spawn('redis-server', [...usual, ...settings], { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      started.stdout.setEncoding('utf8').on('data', (more: string) => {
        text += more;
        if (text.includes('Ready to accept connections')) resolve();
      });
      started.on('error', reject);
      started.on('exit', () => reject(new Error(`redis-server ended:\n${text}`)));
    });
  };
  const kill = async (): Promise<void> => {
    const running = child;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await Promise.race([ended, delay(5000)]);
  };
  await start();
  return { port, url: (name = 'tests') => `redis://127.0.0.1:${port}/0?${name}`, kill, start };
}
