/** Sweeps over many machines: the queue in a real Redis, its workers, and what they do when something breaks. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DeviceError, exitCodes, ModelError, R2poError, UsageError } from '../../src/base/errors.ts';
import { FileFault } from '../../src/base/machine-fault.ts';
import { Generator } from '../../src/base/rng/generator.ts';
import { runHash } from '../../src/runs/folder/identity.ts';
import { BusyError, LostLockError } from '../../src/runs/journal/lock.ts';
import type { SweepRun } from '../../src/sweep/expand.ts';
import { parseQueueAddress, withoutPasswords } from '../../src/sweep/queue/address.ts';
import { classifyFailure, longWait, reasonOf } from '../../src/sweep/queue/classify-failure.ts';
import { openRedis } from '../../src/sweep/queue/connect.ts';
import { jobIdOf, jobOf, readJob } from '../../src/sweep/queue/job.ts';
import { loadQueuePackages } from '../../src/sweep/queue/optional-packages.ts';
import { directoryStore } from '../../src/sweep/queue/published-runs.ts';
import { SweepQueue } from '../../src/sweep/queue/queue.ts';
import { isSharedFolderOf, markSharedFolder } from '../../src/sweep/queue/shared-folder.ts';
import { runCli } from '../support/cli.ts';
import {
  answerOf,
  asKilled,
  eventsOf,
  readJson,
  searchEvents,
  smallSettings,
  temporaryFolder,
  timeless,
} from '../support/experiment.ts';
import { startFakeServer } from '../support/fake-model-server.ts';
import { hasAdapter } from '../support/gpu.ts';
import { runHere } from '../support/in-process.ts';
import { llmConfig } from '../support/llm-config.ts';
import {
  enqueue,
  heartbeat,
  killWorkers,
  recorded,
  runsOf,
  startWorker,
  until,
  withQueue,
  work,
} from '../support/queue.ts';
import { describeRedis, freePort, startRedis, type TestRedis } from '../support/redis.ts';

Object.assign(process.env, heartbeat);

const roots: string[] = [];
function newFolder(): string {
  const folder = temporaryFolder();
  roots.push(folder);
  return folder;
}
afterEach(killWorkers);
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

describe('the address of a queue', () => {
  it.each([
    ['redis://h', 'redis://h', 'r2po', 'redis://h?r2po'],
    ['redis://h:6380/3', 'redis://h:6380/3', 'r2po', 'redis://h:6380/3?r2po'],
    ['redis://h/?maze', 'redis://h/', 'maze', 'redis://h?maze'],
    ['rediss://me:s%40cret@h:1/2?name=a.b', 'rediss://me:s%40cret@h:1/2', 'a.b', 'rediss://h:1/2?a.b'],
    ['redis://:s3cret@h', 'redis://:s3cret@h', 'r2po', 'redis://h?r2po'],
  ])('%s', (text, url, name, shown) => {
    expect(parseQueueAddress(text)).toEqual({ url, name, shown });
  });

  it.each([
    '',
    'h:6379',
    'http://h',
    'redis://',
    'redis:///1',
    'redis://h/x',
    'redis://h?a&b',
    'redis://h?a=b',
    'redis://h?a:b',
  ])('refuses %j', (text) => {
    expect(() => parseQueueAddress(text)).toThrow(UsageError);
  });

  it('never shows a password, in whatever text', () => {
    const part = fc.constantFrom('redis://', 'rediss://', 'h', ':', '@', '/', '?', '1', 'sEsAmE', '%', ' ');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = ['redis://u:sEsAmE@', ...parts].join('');
        let seen: string;
        try {
          const { shown, name } = parseQueueAddress(text);
          seen = name.includes('sEsAmE') || /@.*sEsAmE/.test(text) ? '' : shown;
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          seen = /@.*sEsAmE/.test(text) ? '' : (error as Error).message;
        }
        expect(seen).not.toContain('sEsAmE');
      }),
    );
    expect(
      withoutPasswords(['worker', '--queue', 'redis://u:sEsAmE@h:1/2?q', '--queue=rediss://:x@h', 'a=b@c']),
    ).toEqual(['worker', '--queue', 'redis://***@h:1/2?q', '--queue=rediss://***@h', 'a=b@c']);
  });
});

it('says what to install where the packages are missing', async () => {
  const missing = Object.assign(new Error("Cannot find package 'bullmq'"), { code: 'ERR_MODULE_NOT_FOUND' });
  await expect(loadQueuePackages(() => Promise.reject(missing))).rejects.toThrow(
    '[--queue] expected the packages bullmq and ioredis, got at most one of them; run: npm install bullmq@6 ioredis@6',
  );
  const other = new Error('something else');
  await expect(loadQueuePackages(() => Promise.reject(other))).rejects.toBe(other);
});

describe('a job', () => {
  it('is the run that it was made of', async () => {
    const { value: run } = (await runsOf('seed=4').next()) as IteratorYieldResult<SweepRun>;
    const { data, opts } = jobOf(run, 3);
    const read = await readJob(opts.jobId ?? '', JSON.parse(JSON.stringify(data)));
    expect(read).toMatchObject({ config: run.config, yaml: run.yaml, round: 3 });
  });

  it('has an id that the engine takes, also where a hash is all digits', () => {
    for (const hash of ['123456789012', '0', '1e5']) expect(Number(jobIdOf(hash))).toBeNaN();
  });
});

describe('what a failure means', () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const hinted = (cause: R2poError) =>
    new R2poError(cause.unit, `${cause.detail}; resume with: x`, { exitCode: cause.exitCode, cause });
  it.each([
    ['another owner', new BusyError('run folder', 'taken'), 'elsewhere'],
    ['a lost lock', new LostLockError('run folder', 'lost'), 'elsewhere'],
    ['a full disk', hinted(new R2poError('events.jsonl', 'cannot write', { cause: full })), 'sick'],
    ['a file that is too large', new UsageError('run folder', 'large', new FileFault('EFBIG', 'large')), 'final'],
    ['a lost device', hinted(new DeviceError('webgpu', 'lost')), 'broken'],
    ['no adapter', new R2poError('webgpu', 'none', { exitCode: exitCodes.noAdapter }), 'unfit'],
    ['a long wait', hinted(new ModelError('model', 'busy', { retryAfterSeconds: 400 })), 'limited'],
    ['a refused call', hinted(new ModelError('model', 'refused')), 'retry'],
    ['a budget', new R2poError('budget', 'used up', { exitCode: exitCodes.budget }), 'final'],
    ['wrong usage', new UsageError('config', 'wrong'), 'final'],
    ['a defect', new TypeError('x is not a function'), 'retry'],
  ])('%s', (_what, error, verdict) => {
    expect(classifyFailure(error)).toBe(verdict);
  });

  it('is told without the advice to somebody who had typed the run', () => {
    expect(reasonOf(hinted(new ModelError('model', 'refused')))).toBe('[model] refused');
    expect(longWait(hinted(new ModelError('model', 'busy', { retryAfterSeconds: 7 })))).toBe(7);
  });
});

/** A server that answers each command by its first word. */
async function serverSaying(
  answer: (command: string) => string | null,
): Promise<{ readonly port: number; readonly server: Server }> {
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const [, command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const text = answer(command!.toLowerCase());
        if (text !== null) socket.write(text);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { port, server };
}

describe('an unusable server', () => {
  const open = (url: string) => SweepQueue.open(url, () => {});

  it('refuses the connection', async () => {
    const port = await freePort();
    await expect(open(`redis://u:sesame@127.0.0.1:${port}`)).rejects.toThrow(
      `[--queue] expected a Redis server at redis://127.0.0.1:${port}?r2po, got no server there (connection refused); ` +
        'start redis-server, or correct the address',
    );
    const { code, stderr } = await runHere(['worker', '--queue', `redis://u:sesame@127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(stderr).toContain('connection refused');
    expect(stderr).not.toContain('sesame');
  });

  it('has a name that nobody knows', async () => {
    await expect(open('redis://no-such-host.invalid')).rejects.toThrow('got an unknown host name');
  });

  it('speaks another language', async () => {
    const { port, server } = await serverSaying(() => 'HTTP/1.1 400 Bad Request\r\n\r\n');
    await expect(open(`redis://127.0.0.1:${port}`)).rejects.toThrow('got a server other than Redis');
    server.close();
  });

  it('says nothing', async () => {
    const { port, server } = await serverSaying(() => null);
    const address = parseQueueAddress(`redis://127.0.0.1:${port}`);
    const packages = await loadQueuePackages();
    await expect(openRedis({ packages, address, warn: () => {}, timeoutMs: 60 })).rejects.toThrow(
      'got no answer for 0.06 s',
    );
    server.close();
  });
});

describeRedis('with Redis', () => {
  let redis: TestRedis;
  let count = 0;
  /** of a queue that nobody has used */
  const freshUrl = () => redis.url(`q${++count}`);
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.kill());

  /** The runs of a folder, each as far as it must not depend on who made it, by seed. */
  const results = (runsDir: string) =>
    readdirSync(runsDir)
      .filter((name) => !name.startsWith('.'))
      .map((name) => join(runsDir, name))
      .map((folder) => ({ summary: timeless(readJson(folder)), events: searchEvents(folder) }))
      .sort((a, b) => a.summary.seed - b.summary.seed);

  /** The runs of these arguments as `r2po run` makes them. */
  async function alone(seeds: readonly number[], ...more: string[]) {
    const runsDir = newFolder();
    for (const seed of seeds) {
      const { code, stderr } = await runHere([
        ...['run', 'cartpole/r2po', ...smallSettings, ...more, '--seed', String(seed), '--runs-dir', runsDir],
      ]);
      expect(code, stderr).toBe(0);
    }
    return { runsDir, results: results(runsDir) };
  }

  describe('of its own', () => {
    it('is refused without the password, with the wrong one, and never shows it', async () => {
      const guarded = await startRedis(['--requirepass', 'sesame']);
      const at = (userinfo: string) => `redis://${userinfo}127.0.0.1:${guarded.port}/0?own`;
      await expect(SweepQueue.open(at(''), () => {})).rejects.toThrow('got a server that requires a password');
      await expect(SweepQueue.open(at(':sesam@'), () => {})).rejects.toThrow('got a refused password');
      const args = ['sweep', 'cartpole/r2po', ...smallSettings, 'seed=1', '--runs-dir', newFolder()];
      const wrong = await runHere([...args, '--queue', at(':sesam@')]);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain(`redis://127.0.0.1:${guarded.port}/0?own, got a refused password`);
      const right = await runHere([...args, '--queue'], { env: { R2PO_QUEUE: at(':sesame@') } });
      expect(right.code, right.stderr).toBe(0);
      for (const { stdout, stderr } of [wrong, right]) expect(stdout + stderr).not.toContain('sesam');
      const runsDir = newFolder();
      const worked = await runCli(
        ['worker', '--queue', at(':sesame@'), '--runs-dir', runsDir, '--publish', newFolder(), '--until-empty'],
        { env: heartbeat },
      );
      expect(worked.code, worked.stderr).toBe(0);
      const [name] = readdirSync(runsDir);
      expect(readFileSync(join(runsDir, name!, 'run.json'), 'utf8')).toContain('redis://***@127.0.0.1');
      await guarded.kill();
    });

    it('says what a user may not do, that a server is full, or in a cluster', async () => {
      const limited = await startRedis();
      await withQueue(limited.url(), async ({ redis }) => {
        await redis.acl('SETUSER', 'r', 'on', '>s', '~team:*', '&*', '+@all', '-info');
      });
      const at = `redis://r:s@127.0.0.1:${limited.port}/0?own`;
      const warnings: string[] = [];
      const warn = (text: string) => warnings.push(text);
      await expect(SweepQueue.open(at, warn)).rejects.toThrow(/may not use the keys .* with --queue-prefix/);
      const runsDir = newFolder();
      const prefix = ['--queue', at, '--queue-prefix', 'team:bull'];
      const args = ['cartpole/r2po', ...smallSettings, '--runs-dir', runsDir];
      const added = await runHere(['sweep', ...args, 'seed=1', ...prefix]);
      expect(added.code, added.stderr).toBe(0);
      expect(added.stderr).toContain('may not use INFO');
      const worked = await runHere(['worker', ...prefix, '--runs-dir', runsDir, '--until-empty'], { env: heartbeat });
      expect(worked.code, worked.stderr).toBe(0);
      const waiting = await runHere(['sweep', ...args, 'seed=3', '--queue', limited.url()]);
      expect(waiting.code, waiting.stderr).toBe(0);
      await withQueue(limited.url(), async ({ redis }) => {
        await redis.config('SET', 'maxmemory', '1');
      });
      const own = ['--runs-dir', newFolder(), '--publish', newFolder(), '--until-empty'];
      const starved = await runHere(['worker', '--queue', limited.url(), ...own], { env: heartbeat });
      expect(starved.stderr).toMatch(/warning: .*got a server without memory left .*; the worker waits for [\d.]+ s/);
      expect(starved.stderr).toMatch(/error: \[--queue\] .*got a server without memory left .*raise maxmemory/);
      expect(starved.code).toBe(1);
      const full = await runHere(['sweep', ...args, 'seed=2', '--queue', limited.url()]);
      expect(full.code).toBe(1);
      expect(full.stderr).toMatch(/got a server without memory left .*raise maxmemory/);
      await limited.kill();
      const cluster = await startRedis(['--cluster-enabled', 'yes']);
      await expect(SweepQueue.open(cluster.url(), warn)).rejects.toThrow('got a node of a Redis Cluster');
      await cluster.kill();
    });

    it('that may drop jobs is warned of, and one whose clock is another', async () => {
      const lossy = await startRedis(['--maxmemory-policy', 'allkeys-lru']);
      const warnings: string[] = [];
      await withQueue(
        lossy.url(),
        async () => {},
        (text) => warnings.push(text),
      );
      expect(warnings).toEqual([
        `Redis at redis://127.0.0.1:${lossy.port}/0?tests has maxmemory-policy allkeys-lru: it may drop jobs when its ` +
          'memory is full; set it to noeviction',
      ]);
      const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 7_200_000);
      try {
        await withQueue(
          redis.url(),
          async () => {},
          (text) => warnings.push(text),
        );
      } finally {
        now.mockRestore();
      }
      expect(warnings[1]).toMatch(/^the clock of this machine is 7200 s behind that of Redis/);
      expect(warnings).toHaveLength(2);
      await lossy.kill();
    });

    it('that is too old, or has no such database, is refused', async () => {
      const info = '# Server\r\nredis_version:5.0.14\r\n';
      const { port, server } = await serverSaying((command) => {
        if (command === 'hello') return "-ERR unknown command 'HELLO'\r\n";
        return command === 'info' ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n';
      });
      await expect(SweepQueue.open(`redis://127.0.0.1:${port}`, () => {})).rejects.toThrow(
        /got version 5\.0\.14; at least 6\.2 is needed/,
      );
      server.close();
      await expect(SweepQueue.open(`redis://127.0.0.1:${redis.port}/99`, () => {})).rejects.toThrow(
        'got no database with that number',
      );
    });
  });

  describe('a sweep', () => {
    it('gives the runs that they would be one by one and in one process, byte for byte but for times', async () => {
      const seeds = [0, 1, 2, 3];
      const serial = await alone(seeds);
      const url = freshUrl();
      await enqueue(url, 'seed=0..3');
      const runsDir = newFolder();
      const workers = [1, 2].map(() => startWorker(url, ['--runs-dir', runsDir, '-j', '1', '--until-empty']));
      for (const worker of workers) expect(await worker.code, worker.stderr()).toBe(0);
      const inOne = newFolder();
      const swept = await runHere([
        ...['sweep', 'cartpole/r2po', ...smallSettings, 'seed=0..3', '--runs-dir', inOne, '--quiet'],
      ]);
      expect(swept.code, swept.stderr).toBe(0);
      expect(results(runsDir)).toEqual(serial.results);
      expect(results(inOne)).toEqual(serial.results);
      const texts = (dir: string) =>
        readdirSync(dir)
          .filter((name) => !name.startsWith('.'))
          .sort()
          .map((name) =>
            readFileSync(join(dir, name, 'summary.json'), 'utf8')
              .replace(/"(wall_s|seconds)": [\d.e-]+/g, '"$1": 0')
              // Lines of a journal have times.
              .replace(/"digest": "[^"]+"/, '"digest": ""'),
          );
      expect(texts(runsDir)).toEqual(texts(serial.runsDir));
      expect(texts(inOne)).toEqual(texts(serial.runsDir));
    });

    it('is in the queue once, however often it is given, and a finished run not at all', async () => {
      const url = freshUrl();
      expect(await enqueue(url, 'seed=0..2')).toEqual({ added: 3, again: 0, known: 0, finished: 0 });
      expect(await enqueue(url, 'seed=0..4')).toEqual({ added: 2, again: 0, known: 3, finished: 0 });
      const runsDir = newFolder();
      const cli = ['sweep', 'cartpole/r2po', ...smallSettings, '--queue', url, '--runs-dir', runsDir, '--json'];
      const both = await Promise.all([runCli([...cli, 'seed=0..5']), runCli([...cli, 'seed=0..5'])]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      await withQueue(url, async (queue) => expect((await queue.counts()).waiting).toBe(6));
      const worked = await work(url, runsDir);
      expect(worked).toMatchObject({ finished: 6, already: 0, failed: 0, left: 0 });
      const again = await runHere([...cli, 'seed=0..5']);
      expect(JSON.parse(again.stdout)).toMatchObject({ queued: 0, finished: 6 });
      // The files are the truth: a run whose folder was deleted is done again, whatever Redis remembers.
      const [gone] = readdirSync(runsDir).filter((name) => !name.startsWith('.'));
      rmSync(join(runsDir, gone!), { recursive: true });
      const repeated = await runHere([...cli, 'seed=0..5']);
      expect(JSON.parse(repeated.stdout)).toMatchObject({ queued: 1, again: 1, finished: 5 });
      expect((await work(url, runsDir)).ends).toMatchObject([{ outcome: 'finished', folder: join(runsDir, gone!) }]);
    });

    it('has not failed if its files were restored since', async () => {
      const url = freshUrl();
      const runsDir = newFolder();
      const cli = [
        'sweep',
        'cartpole/r2po',
        ...smallSettings,
        'seed=4',
        '--queue',
        url,
        '--runs-dir',
        runsDir,
        '--json',
      ];
      await runHere(cli);
      await work(url, runsDir);
      const record = join(runsDir, readdirSync(runsDir).find((name) => !name.startsWith('.'))!, 'events.jsonl');
      const whole = readFileSync(record, 'utf8');
      writeFileSync(record, whole.slice(0, whole.indexOf('\n') + 1));
      expect(JSON.parse((await runHere(cli)).stdout)).toMatchObject({ queued: 1, again: 1 });
      expect(await work(url, runsDir)).toMatchObject({ finished: 0, failed: 1 });
      writeFileSync(record, whole);
      expect(JSON.parse((await runHere(cli)).stdout)).toMatchObject({ queued: 0, finished: 1 });
      await withQueue(url, async (queue) => expect(await queue.status()).toMatchObject({ failed: [] }));
    });

    it('waits for its workers where that is wanted, and ends as a sweep in one process does', async () => {
      const url = freshUrl();
      const runsDir = newFolder();
      const args = ['sweep', 'cartpole/r2po', ...smallSettings, 'seed=6,7', '--queue', url, '--runs-dir', runsDir];
      const waiting = runHere([...args, '--wait']);
      const worker = startWorker(url, ['--runs-dir', runsDir]);
      const { code, stdout, stderr } = await waiting;
      worker.child.kill('SIGTERM');
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/CartPole-v1 +r2po +offline +2 /);
      expect(await worker.code, worker.stderr()).toBe(exitCodes.terminated);
      expect(worker.stderr()).toContain('interrupted (SIGTERM)');
    });

    it('can be looked at and cancelled: what waits is dropped, what runs stops, the files stay', async () => {
      const url = freshUrl();
      const runsDir = newFolder();
      await enqueue(url, 'seed=0..4', 'iterations=20000');
      const worker = startWorker(url, ['--runs-dir', runsDir, '-j', '2']);
      await until('two running runs', async () => {
        const { stdout } = await runHere(['sweep', '--status', '--queue', url, '--json']);
        const { active } = JSON.parse(stdout) as { active: { progress: { iteration: number } | null }[] };
        return active.length === 2 && active.every(({ progress }) => (progress?.iteration ?? 0) > 0);
      });
      const shown = await runHere(['sweep', '--status', '--queue', url]);
      expect(shown.stdout).toMatch(/3 waiting, 0 delayed, 2 running, 0 finished, 0 failed, 1 worker/);
      expect(shown.stdout).toMatch(/CartPole-v1 +r2po +offline +\d +\d+\/20000 /);
      const cancelled = await runHere(['sweep', '--cancel', '--queue', url]);
      expect(cancelled.stdout).toBe('3 queued runs removed, 2 running ones stopped; their files are kept\n');
      await until('both stopped', () => (worker.stderr().match(/the sweep was cancelled/g)?.length ?? 0) >= 2);
      const folders = readdirSync(runsDir).filter((name) => !name.startsWith('.'));
      expect(folders).toHaveLength(2);
      for (const name of folders) expect(eventsOf(join(runsDir, name)).at(-1)).toMatchObject({ type: 'run_stopped' });
      // Repeating the command resumes it, at the remaining worker.
      await enqueue(url, 'seed=0..4', 'iterations=20000');
      await until('runs again', async () => withQueue(url, async (queue) => (await queue.counts()).active === 2));
      worker.child.kill('SIGTERM');
      expect(await worker.code, worker.stderr()).toBe(exitCodes.terminated);
      await withQueue(url, async (queue) =>
        expect(await queue.counts()).toMatchObject({ waiting: 5, active: 0, failed: 0 }),
      );
    });
  });

  describe('a worker', () => {
    // By hand: R2PO_KILLS=20
    const kills = Number(process.env.R2PO_KILLS ?? 2);

    it(
      'that is killed loses nothing: another one resumes from its journal',
      async () => {
        const whole = await alone([5], 'iterations=30');
        const size = recorded(whole.runsDir);
        const rng = Generator.from(77);
        for (let kill = 0; kill < kills; kill++) {
          const url = freshUrl();
          const runsDir = newFolder();
          await enqueue(url, 'seed=5', 'iterations=30');
          const first = startWorker(url, ['--runs-dir', runsDir, '-j', '1']);
          const growth = rng.uniform(0.02, 0.9) * size;
          await until('a record', () => recorded(runsDir) > growth);
          first.child.kill('SIGKILL');
          await first.code;
          const [folder] = readdirSync(runsDir).filter((name) => !name.startsWith('.'));
          const left = readFileSync(join(runsDir, folder!, 'events.jsonl'), 'utf8')
            .split('\n')
            .slice(0, -1);
          const second = await work(url, runsDir);
          expect(second, first.stderr()).toMatchObject({ finished: 1, failed: 0, left: 0 });
          expect(results(runsDir)).toEqual(whole.results);
          // What was on record was not done a second time.
          const record = readFileSync(join(runsDir, folder!, 'events.jsonl'), 'utf8').split('\n');
          expect(record.slice(0, left.length)).toEqual(left);
        }
      },
      Math.max(60_000, kills * 15_000),
    );

    it('that is told to stop saves its runs and gives them back, at no attempt', async () => {
      const whole = await alone([3], 'iterations=30');
      const url = freshUrl();
      const runsDir = newFolder();
      await enqueue(url, 'seed=3', 'iterations=30');
      const worker = startWorker(url, ['--runs-dir', runsDir]);
      await until('a record', () => recorded(runsDir) > 60_000);
      worker.child.kill('SIGTERM');
      expect(await worker.code, worker.stderr()).toBe(exitCodes.terminated);
      const [name] = readdirSync(runsDir).filter((found) => !found.startsWith('.'));
      expect(eventsOf(join(runsDir, name!)).at(-1)).toMatchObject({
        type: 'run_stopped',
        exit_code: exitCodes.terminated,
      });
      await withQueue(url, async (queue) => {
        expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0, failed: 0 });
        const keys = await queue.redis.keys(`*:${queue.address.name}:*`);
        const [key] = keys.filter((found) => /:run-[0-9a-f]+$/.test(found));
        expect(await queue.redis.hget(key!, 'atm')).toBeNull();
      });
      expect(await work(url, runsDir)).toMatchObject({ finished: 1 });
      expect(results(runsDir)).toEqual(whole.results);
    });

    it('outlives a restart of Redis, and so do the runs that wait', async () => {
      const durable = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
      const runsDir = newFolder();
      await enqueue(durable.url(), 'seed=0..2', 'iterations=30');
      const notes: string[] = [];
      const working = work(durable.url(), runsDir, { jobs: 1, warn: (text) => notes.push(text) });
      await until('a record', () => recorded(runsDir) > 3000);
      await durable.kill();
      await until('word of it', () => recorded(runsDir) > 6000);
      await durable.start();
      const worked = await working;
      expect(worked.ends.filter(({ outcome }) => outcome === 'finished')).toHaveLength(3);
      expect(results(runsDir)).toEqual((await alone([0, 1, 2], 'iterations=30')).results);
      expect(worked.notes.join('\n')).toMatch(/is lost; reconnecting[\s\S]*is back/);
      await durable.kill();
    });

    it('leaves a run alone that another one has, and finds it finished later', async () => {
      const runsDir = newFolder();
      // The same run in two queues: what happens when Redis loses its memory and the sweep is given again.
      const urls = [freshUrl(), freshUrl()];
      for (const url of urls) await enqueue(url, 'seed=8', 'iterations=30');
      const workers = urls.map((url) => startWorker(url, ['--runs-dir', runsDir, '--until-empty']));
      for (const worker of workers) expect(await worker.code, worker.stderr()).toBe(0);
      const told = workers.map((worker) => worker.stderr()).join('\n');
      expect(told).toMatch(/returned to the queue: .*expected ".*" to be free|already finished/);
      expect(results(runsDir)).toEqual((await alone([8], 'iterations=30')).results);
      const [name] = readdirSync(runsDir).filter((found) => !found.startsWith('.'));
      expect(eventsOf(join(runsDir, name!)).filter(({ type }) => type === 'run_finished')).toHaveLength(1);
    });

    it('refuses a folder other than the shared one', async () => {
      const url = freshUrl();
      const [shared, other] = [newFolder(), newFolder()];
      const args = ['sweep', 'cartpole/r2po', ...smallSettings, 'seed=1', '--queue', url, '--runs-dir'];
      expect(await runHere([...args, shared])).toMatchObject({ code: 0 });
      const refused = await runHere(['worker', '--queue', url, '--runs-dir', other, '--until-empty']);
      expect(refused.code).toBe(exitCodes.usage);
      expect(refused.stderr).toContain('[--runs-dir] expected the shared folder of queue');
      expect(refused.stderr).toContain('--publish');
      expect(readdirSync(other)).toEqual([]);
      await withQueue(url, async (queue) => {
        expect(await isSharedFolderOf(queue, shared)).toBe(true);
        await markSharedFolder(queue, shared);
        await expect(markSharedFolder(queue, other)).rejects.toThrow(UsageError);
        // Redis forgets, the folder does not.
        await queue.redis.del(queue.key('place'));
        await markSharedFolder(queue, shared);
        await expect(markSharedFolder(queue, other)).rejects.toThrow(UsageError);
      });
    });

    it.runIf(existsSync('/proc/self'))('takes no run where it cannot write', async () => {
      const url = freshUrl();
      await enqueue(url, 'seed=1,2');
      for (const [option, folders] of [
        ['--runs-dir', ['--runs-dir', '/proc/nope', '--publish', newFolder()]],
        ['--publish', ['--runs-dir', newFolder(), '--publish', '/proc/nope']],
      ] as const) {
        const refused = await runHere(['worker', '--queue', url, ...folders, '--until-empty']);
        expect(refused.code).toBe(exitCodes.usage);
        expect(refused.stderr).toContain(`[${option}] expected a writable folder, got "/proc/nope"`);
      }
      await withQueue(url, async (queue) => expect(await queue.counts()).toMatchObject({ waiting: 2, failed: 0 }));
    });

    it('with a disk of its own copies its runs to the others, also those that it did not finish', async () => {
      const whole = await alone([3], 'iterations=30');
      const url = freshUrl();
      const [first, second, published] = [newFolder(), newFolder(), newFolder()];
      await enqueue(url, 'seed=3', 'iterations=30');
      const worker = startWorker(url, ['--runs-dir', first, '--publish', published]);
      await until('a record', () => recorded(first) > 60_000);
      worker.child.kill('SIGTERM');
      expect(await worker.code, worker.stderr()).toBe(exitCodes.terminated);
      const done = recorded(published);
      expect(done).toBeGreaterThan(60_000);
      const store = directoryStore(published);
      expect(await work(url, second, { store })).toMatchObject({ finished: 1 });
      expect(results(published)).toEqual(whole.results);
      const [name] = readdirSync(published);
      expect(eventsOf(join(published, name!)).filter(({ type }) => type === 'run_stopped')).toHaveLength(1);
      expect(readdirSync(join(published, name!)).filter((file) => /lock|tmp/.test(file))).toEqual([]);
      // A third one has nothing to do, and whoever comes second changes nothing.
      const before = readFileSync(join(published, name!, 'events.jsonl'), 'utf8');
      const third = newFolder();
      const again = freshUrl();
      await enqueue(again, 'seed=3', 'iterations=30');
      expect(await work(again, third, { store })).toMatchObject({ finished: 0, already: 1 });
      expect(existsSync(join(third, name!))).toBe(false);
      const late = newFolder();
      await enqueue(freshUrl(), 'seed=3', 'iterations=30');
      expect(await work(redis.url(`q${count}`), late)).toMatchObject({ finished: 1 });
      await store.publish(name!, join(late, name!));
      expect(readFileSync(join(published, name!, 'events.jsonl'), 'utf8')).toBe(before);
    });

    it('with a local disk also publishes active runs', async () => {
      const url = freshUrl();
      const [own, published] = [newFolder(), newFolder()];
      const store = directoryStore(published);
      const copied: number[] = [];
      const server = await startFakeServer({
        delay: 60,
        reply: (_request, index) => answerOf(Array(10).fill(index % 7)),
      });
      await enqueue(url, 'seed=2', 'iterations=10', `model=${server.url}#fake-1`);
      const counting = {
        ...store,
        publish: async (name: string, folder: string) => {
          await store.publish(name, folder);
          copied.push(recorded(published));
        },
      };
      process.env.R2PO_HEARTBEAT_S = '0.05';
      try {
        expect(await work(url, own, { store: counting })).toMatchObject({ finished: 1, failed: 0 });
      } finally {
        Object.assign(process.env, heartbeat);
        await server.close();
      }
      expect(copied.length).toBeGreaterThan(1);
      expect(copied).toEqual([...copied].sort((a, b) => a - b));
      expect(results(published)).toEqual(results(own));
    });

    it('takes over what a machine had that gives no sign of life', async () => {
      const whole = await alone([7]);
      const url = freshUrl();
      const runsDir = newFolder();
      await enqueue(url, 'seed=7');
      const [name] = readdirSync(whole.runsDir);
      const folder = join(runsDir, name!);
      cpSync(join(whole.runsDir, name!), folder, { recursive: true });
      const record = join(folder, 'events.jsonl');
      writeFileSync(record, `${readFileSync(record, 'utf8').split('\n').slice(0, 11).join('\n')}\n{"type":"evalu`);
      asKilled(folder);
      const lock = {
        pid: 1,
        birth: '7',
        host: 'elsewhere',
        place: 'there',
        token: 'x',
        period: 100,
        beat: '0000000041',
      };
      writeFileSync(join(folder, 'run.lock'), JSON.stringify(lock));
      const worked = await work(url, runsDir);
      expect(worked).toMatchObject({ finished: 1, returned: 0 });
      expect(worked.notes.join('\n')).toContain('is locked by process 1 on elsewhere; waiting up to 0.3 s');
      expect(results(runsDir)).toEqual(whole.results);
    });

    it('ends with a job of another version with the reason, at the first attempt', async () => {
      const url = freshUrl();
      await withQueue(url, async (queue) => {
        const { value: run } = (await runsOf('seed=4').next()) as IteratorYieldResult<SweepRun>;
        const { Queue } = queue.packages;
        const engine = new Queue(queue.address.name, { connection: queue.redis, skipVersionCheck: true });
        const add = (id: string, data: object) => engine.add('run', data, { jobId: id, attempts: 3 });
        const right = { format: 1, r2po: '9.9.9', round: 0, config: run.config };
        await add('a2', { ...right, config: { ...run.config, novelty: 1 } });
        await add('a3', right);
        await add('a4', { anything: true });
        await add(jobIdOf(run.id), right);
      });
      const runsDir = newFolder();
      const { ends } = await work(url, runsDir);
      const reasons = new Map(ends.map(({ id, outcome, reason }) => [id, `${outcome}: ${reason}`]));
      expect(reasons.get('a2')).toMatch(/failed: .*a configuration that it does not accept \(.*unknown key "novelty"/);
      expect(reasons.get('a3')).toContain('got a3, which is run-');
      expect(reasons.get('a4')).toContain('it was written by another program');
      expect([...reasons.values()].filter((text) => text.startsWith('finished'))).toHaveLength(1);
      expect(ends).toHaveLength(4);
      const { stdout } = await runHere(['sweep', '--status', '--queue', url]);
      expect(stdout).toMatch(/1 finished, 3 failed/);
      expect(stdout).toContain('repeat the sweep command with this version');
    });

    it('leaves the jobs of another format to their own workers', async () => {
      const url = freshUrl();
      await withQueue(url, async (queue) => {
        const { Queue } = queue.packages;
        const engine = new Queue(queue.address.name, { connection: queue.redis, skipVersionCheck: true });
        for (let i = 0; i < 20; i++) await engine.add('run', { format: 2, r2po: '9.9.9' }, { jobId: `b${i}` });
      });
      await expect(work(url, newFolder())).rejects.toThrow(
        /got format 2 where 1 is known; it was written by version 9\.9\.9 of r2po.* start the worker with that version/,
      );
      await withQueue(url, async (queue) =>
        expect(await queue.counts()).toMatchObject({ waiting: 20, active: 0, failed: 0, delayed: 0 }),
      );
    });

    it('returns a job that names a module or an endpoint of its own, and loads nothing of it', async () => {
      const folder = newFolder();
      const marker = join(folder, 'code-has-run');
      const module = join(folder, 'evil.mjs');
      writeFileSync(
        module,
        `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(marker)}, '');\n`,
      );
      const url = freshUrl();
      await withQueue(url, async (queue) => {
        const { value: run } = (await runsOf('seed=4').next()) as IteratorYieldResult<SweepRun>;
        const { Queue } = queue.packages;
        const engine = new Queue(queue.address.name, { connection: queue.redis, skipVersionCheck: true });
        const add = (config: SweepRun['config'], changes: object = {}) =>
          engine.add('run', { ...jobOf({ ...run, config }, 0).data, ...changes }, { jobId: jobIdOf(runHash(config)) });
        await add({ ...run.config, env: module });
        await add({ ...run.config, env: module, seed: 5 }, { round: -1 });
        await add({
          ...run.config,
          model: 'http://127.0.0.1:9/v1#m',
          llm: { ...llmConfig(run.config).llm, headers: { a: '$HOME' } },
        });
      });
      const { ends, left } = await work(url, newFolder());
      const reasons = ends.map(({ outcome, reason }) => `${outcome}: ${reason}`).sort();
      expect(reasons[0]).toContain('cancelled');
      expect(reasons[1]).toMatch(/^returned: .*add --trust-env .*evil\.mjs|^returned: .*--trust-endpoint/);
      expect(reasons.join('\n')).toContain(`add --trust-env ${module}`);
      expect(reasons.join('\n')).toContain('start the worker with --trust-endpoint http://127.0.0.1:9/v1');
      expect(left).toBe(2);
      expect(existsSync(marker)).toBe(false);
    });

    it.skipIf(process.platform === 'win32')(
      'whose disk is full gives its runs back and ends; another one does them',
      async () => {
        const whole = await alone([0, 1], 'iterations=20');
        const url = freshUrl();
        await enqueue(url, 'seed=0,1', 'iterations=20');
        const runsDir = newFolder();
        const limit = Math.floor(recorded(whole.runsDir) / 4 / 1024);
        const sick = startWorker(url, ['--runs-dir', runsDir, '-j', '2'], {}, `ulimit -f ${limit};`);
        expect(await sick.code, sick.stderr()).toBe(1);
        expect(sick.stderr()).toMatch(
          /error: \[worker\] .*cannot write to .*no run can continue here, other workers take over/,
        );
        await withQueue(url, async (queue) => {
          expect(await queue.counts()).toMatchObject({ waiting: 2, delayed: 0, active: 0, failed: 0 });
        });
        expect(await work(url, runsDir)).toMatchObject({ finished: 2, failed: 0 });
        expect(results(runsDir)).toEqual(whole.results);
      },
    );

    it.skipIf(!hasAdapter)('without a GPU leaves to one with a GPU what only that can play', async () => {
      const url = freshUrl();
      await enqueue(url, 'seed=0,1', 'iterations=2');
      await enqueue(url, 'seed=0,1', 'iterations=2', 'evaluation.episodes=6', 'evaluation.backend=webgpu');
      const runsDir = newFolder();
      const cpu = startWorker(url, ['--runs-dir', runsDir, '--backend', 'cpu', '--until-empty']);
      expect(await cpu.code, cpu.stderr()).toBe(exitCodes.someRunsFailed);
      expect(cpu.stderr()).toContain('the run requires backend webgpu, and this worker accepts only cpu');
      expect(cpu.stderr()).toContain('2 runs wait for another worker');
      const status = await runHere(['sweep', '--status', '--queue', url]);
      // A delay may be over.
      const [, waiting, delayed] =
        /(\d+) waiting, (\d+) delayed, 0 running, 2 finished, 0 failed/.exec(status.stdout) ?? [];
      expect(Number(waiting) + Number(delayed), status.stdout).toBe(2);
      expect(status.stdout.match(/the run requires backend webgpu/g)).toHaveLength(2);
      await withQueue(url, async (queue) => {
        const engine = new queue.packages.Queue(queue.address.name, {
          connection: queue.redis,
          skipVersionCheck: true,
        });
        await engine.promoteJobs();
      });
      const later = await runHere(['sweep', '--status', '--queue', url]);
      expect(later.stdout).toContain('2 waiting, 0 delayed, 0 running, 2 finished, 0 failed');
      expect(later.stdout.match(/the run requires backend webgpu/g)).toHaveLength(2);
      const gpu = startWorker(url, ['--runs-dir', runsDir, '--backend', 'webgpu', '--until-empty']);
      const beside = startWorker(url, ['--runs-dir', runsDir, '--backend', 'cpu', '--until-empty']);
      expect(await gpu.code, gpu.stderr()).toBe(0);
      await beside.code;
      const backends = readdirSync(runsDir)
        .filter((name) => !name.startsWith('.'))
        .map((name) => readJson(join(runsDir, name)))
        .map(({ status: state, backend }) => `${state} ${backend}`);
      expect(backends.sort()).toEqual(['finished cpu', 'finished cpu', 'finished webgpu', 'finished webgpu']);
    });

    it('begins nothing while an endpoint asks for a long pause, and counts no attempt', async () => {
      const server = await startFakeServer({
        reply: () => ({ status: 429, body: 'slow down', headers: { 'retry-after': '400' } }),
      });
      const url = freshUrl();
      await enqueue(url, 'seed=0..3', `model=${server.url}#fake-1`);
      const controller = new AbortController();
      const ended: string[] = [];
      const working = work(url, newFolder(), {
        jobs: 1,
        untilEmpty: false,
        signal: controller.signal,
        onEnd: ({ outcome }) => ended.push(outcome),
      });
      await until('the answer', () => ended.length > 0);
      await withQueue(url, async (queue) => {
        await until('the job back', async () => (await queue.counts()).waiting === 4);
        const [key] = await queue.redis.keys(`*${queue.address.name}:limiter`);
        expect(await queue.redis.pttl(key!)).toBeGreaterThan(390_000);
        expect(await queue.counts()).toMatchObject({ waiting: 4, active: 0, failed: 0, delayed: 0 });
      });
      controller.abort();
      expect((await working).notes.join('\n')).toContain('starting no run for 400 s');
      expect(ended).toEqual(['returned']);
      await server.close();
    });

    it('tries a failed run again, and says in the end why it gave up', async () => {
      const server = await startFakeServer({ reply: () => ({ status: 401, body: { error: { message: 'bad key' } } }) });
      const url = freshUrl();
      await enqueue(url, 'seed=0', `model=${server.url}#fake-1`);
      const worked = await work(url, newFolder());
      expect(worked.ends.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
      await withQueue(url, async (queue) => {
        const { failed } = await queue.status();
        expect(failed).toMatchObject([{ env: 'CartPole-v1', seed: 0, reason: expect.stringContaining('401') }]);
        expect(failed[0]!.reason).not.toContain('resume with');
      });
      // Given again it has new attempts.
      expect(await enqueue(url, 'seed=0', `model=${server.url}#fake-1`)).toMatchObject({ added: 1, again: 1 });
      await server.close();
    });
  });
});
