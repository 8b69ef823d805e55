/** Sweeps through a queue, inside the test process or as a user starts them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expandSweep, type SweepRun, splitArguments } from '../../src/sweep/expand.ts';
import type { RunEnd } from '../../src/sweep/queue/job-attempt.ts';
import { type Enqueued, SweepQueue } from '../../src/sweep/queue/queue.ts';
import { type QueueWorkerOptions, type WorkerCounts, workOn } from '../../src/sweep/queue/worker.ts';
import { mainFile } from './cli.ts';
import { smallSettings } from './experiment.ts';

/** Short, so that a worker that is gone is missed soon; for child processes as well. */
export const heartbeat = { R2PO_HEARTBEAT_S: '0.2' } as const;

/** A small sweep's arguments, with changes. */
function smallSweep(...changes: string[]): string[] {
  const keyOf = (text: string): string => text.split('=')[0]!;
  const changed = changes.map(keyOf);
  return ['cartpole/r2po', ...smallSettings.filter((text) => !changed.includes(keyOf(text))), ...changes];
}

export async function* runsOf(...changes: string[]): AsyncGenerator<SweepRun> {
  yield* expandSweep({ ...splitArguments(smallSweep(...changes)), flags: {}, shard: null });
}

/** Does something with a queue and closes it. */
export async function withQueue<T>(
  url: string,
  action: (queue: SweepQueue) => Promise<T>,
  warn: (text: string) => void = () => {},
): Promise<T> {
  const queue = await SweepQueue.open(url, warn);
  try {
    return await action(queue);
  } finally {
    await queue.close();
  }
}

export function enqueue(url: string, ...args: string[]): Promise<Enqueued> {
  return withQueue(url, (queue) => queue.enqueue(runsOf(...args), null));
}

export interface Worked extends WorkerCounts {
  readonly ends: readonly RunEnd[];
  readonly notes: readonly string[];
}

/** A worker inside this process, until nothing is left to do. */
export function work(url: string, runsDir: string, changes: Partial<QueueWorkerOptions> = {}): Promise<Worked> {
  const ends: RunEnd[] = [];
  const notes: string[] = [];
  const note = (text: string): void => {
    notes.push(text);
  };
  return withQueue(
    url,
    async (queue) => {
      const counts = await workOn({
        queue,
        runsDir,
        store: null,
        jobs: 2,
        backend: null,
        untilEmpty: true,
        argv: ['worker'],
        signal: new AbortController().signal,
        note,
        warn: note,
        onEnd: (end) => ends.push(end),
        ...changes,
      });
      return { ...counts, ends, notes };
    },
    note,
  );
}

export interface StartedWorker {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly code: Promise<number | null>;
}

const running = new Set<ChildProcess>();

/** For `afterEach`: stops the workers of a failed test. */
export function killWorkers(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** `r2po worker` as a process of its own. */
export function startWorker(
  url: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  shell = '',
): StartedWorker {
  const command = [process.execPath, mainFile, 'worker', '--queue', url, ...args];
  const child = spawn('bash', ['-c', `${shell} exec "$0" "$@"`, ...command], {
    env: { ...process.env, ...heartbeat, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    child,
    stderr: () => stderr,
    code: new Promise((resolve) =>
      child.on('close', (code) => {
        running.delete(child);
        resolve(code);
      }),
    ),
  };
}

/** Waits for something that another process does. Throws when it does not. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`expected ${what} within ${seconds} s`);
    await delay(5);
  }
}

/** Bytes of the records of all runs in a folder. */
export function recorded(runsDir: string): number {
  try {
    const names = readdirSync(runsDir).filter((name) => !name.startsWith('.'));
    const sizes = names.map(
      (name) => statSync(join(runsDir, name, 'events.jsonl'), { throwIfNoEntry: false })?.size ?? 0,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
