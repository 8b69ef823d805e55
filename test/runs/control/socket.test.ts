/** The socket of a run: who can use it, what it takes, and what stays of it. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { controlRun, listLiveRuns, stateOfRun } from '../../../src/runs/control/client.ts';
import type { LiveRun, RunRequest } from '../../../src/runs/control/messages.ts';
import { everySocket, makeSocketFolder, socketFolders, socketPaths } from '../../../src/runs/control/places.ts';
import { type ControlServer, listenForControl } from '../../../src/runs/control/server.ts';
import { temporaryFolder } from '../../support/experiment.ts';

const root = temporaryFolder();
const before = { runtime: process.env.XDG_RUNTIME_DIR, tmp: process.env.TMPDIR };
const runtime = join(root, 'runtime');
const run = join(root, 'runs', 'a');
const servers: ControlServer[] = [];

beforeEach(() => {
  mkdirSync(runtime, { mode: 0o700 });
  mkdirSync(run, { recursive: true });
  process.env.XDG_RUNTIME_DIR = runtime;
  process.env.TMPDIR = root;
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(runtime, { recursive: true });
});
afterAll(() => {
  for (const [name, value] of Object.entries({ XDG_RUNTIME_DIR: before.runtime, TMPDIR: before.tmp })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(root, { recursive: true });
});

const live = (message: string, folder = run): LiveRun => ({
  ...{ folder, pid: 1, state: 'running', message, step: null, iteration: 2, iterations: 5, used: {}, limits: {} },
});
const requests: RunRequest[] = [];

async function listen(folder = run, message = 'done') {
  requests.length = 0;
  const server = await listenForControl(folder, async (request) => {
    requests.push(request);
    return live(message, folder);
  });
  if ('close' in server) servers.push(server);
  return server;
}

/** What a client gets that sends these bytes. */
function send(bytes: string | Buffer, end = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPaths(run)[0]!);
    let text = '';
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    if (end) socket.end(bytes);
    else socket.write(bytes);
  });
}

describe('a request', () => {
  it('of any text gets an answer that says what is wrong, and the next one is served', async () => {
    await listen();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((a) => JSON.stringify({ action: a })),
        ),
        async (text) => {
          const answer = JSON.parse(await send(`${text.replaceAll('\n', ' ')}\n`)) as { ok: boolean; error: string };
          expect(answer).toMatchObject({ ok: false, exit_code: 2, error: expect.any(String) });
        },
      ),
      { numRuns: 40 },
    );
    expect(requests).toEqual([]);
    expect(JSON.parse(await send('{"action":"paus"}\n'))).toMatchObject({
      error: expect.stringContaining('did you mean "pause"?'),
    });
    expect(await controlRun(run, { action: 'pause' })).toMatchObject({ message: 'done' });
  });

  it('of 10 MB is refused and not kept, with and without line breaks', async () => {
    await listen();
    for (const part of ['x', `${'y'.repeat(20_000)}\n`]) {
      const answer = await send(part.repeat(Math.ceil(10_000_000 / part.length)));
      // A client that still writes may lose it.
      if (answer !== '')
        expect(JSON.parse(answer)).toMatchObject({ error: expect.stringContaining('at most 16384 bytes') });
    }
    expect(await stateOfRun(run)).toMatchObject({ message: 'done' });
  });

  it('may come in pieces, and from a client that has ended its side', async () => {
    await listen();
    expect(JSON.parse(await send('{"action":"state"}\n', true))).toMatchObject({ ok: true });
    expect(await send('{"action":', true)).toBe('');
  });

  it('of a client that never reads or never sends does not hold up others, or the end of the run', async () => {
    await listen();
    const silent = connect(socketPaths(run)[0]!);
    const deaf = connect(socketPaths(run)[0]!);
    deaf.pause();
    deaf.write('{"action":"state"}\n');
    expect(await stateOfRun(run)).not.toBeNull();
    const ended = new Promise((done) => silent.on('close', done).on('error', () => {}));
    silent.resume();
    servers.pop()!.close();
    await ended;
    deaf.destroy();
    expect(await stateOfRun(run)).toBeNull();
  });

  it('whose answer is no answer, or comes from nobody, is an error of the client', async () => {
    const made = makeSocketFolder();
    expect(made).toEqual({ folder: join(runtime, 'r2po') });
    const server = createServer((socket) => socket.end('{"ok":true}\n'));
    await new Promise<void>((done) => server.listen(socketPaths(run)[0], done));
    await expect(controlRun(run, { action: 'stop' })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('expected an answer of the process of the run'),
    });
    const listed = await listLiveRuns();
    expect(listed.runs.filter(({ folder }) => folder === run)).toEqual([]);
    expect(listed.silent).toBeGreaterThanOrEqual(1);
    server.close();
  });
});

describe('the socket', () => {
  it('is for its user only, and its name does not grow with the path of the run', async () => {
    const deep = join(root, ...Array.from({ length: 12 }, () => 'long-name-of-a-folder'));
    mkdirSync(deep, { recursive: true });
    const link = join(root, 'link');
    symlinkSync(deep, link);
    expect(await listen(deep)).toHaveProperty('close');
    const [path] = everySocket();
    expect(path!.length).toBe(join(runtime, 'r2po', `${'0'.repeat(32)}.sock`).length);
    expect(lstatSync(path!).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(runtime, 'r2po')).mode & 0o777).toBe(0o700);
    expect(await stateOfRun(link)).toMatchObject({ folder: deep });
  });

  it('of a killed process is removed by a client, and replaced by the next process of the run', async () => {
    await listen();
    const [path] = socketPaths(run);
    // Closing by hand would remove it: a second name stays.
    const stale = join(runtime, 'r2po', `${'a'.repeat(32)}.sock`);
    const other = createServer();
    await new Promise<void>((done) => other.listen(join(root, 'other.sock'), done));
    const { renameSync } = await import('node:fs');
    renameSync(join(root, 'other.sock'), stale);
    await new Promise((done) => other.close(done));
    expect(existsSync(stale)).toBe(true);
    expect((await listLiveRuns()).runs.filter(({ folder }) => folder === run)).toHaveLength(1);
    expect(readdirSync(join(runtime, 'r2po'))).toEqual([path!.split('/').at(-1)]);
    const [first] = servers;
    await listen(run, 'second');
    first!.close();
    expect(await stateOfRun(run)).toMatchObject({ message: 'second' });
  });

  it('is not made in a folder that others can enter or that is a link, nor looked for there', async () => {
    const own = join(runtime, 'r2po');
    const fallback = join(root, `r2po-${process.getuid!()}`);
    mkdirSync(own, { mode: 0o755 });
    chmodSync(own, 0o755);
    expect(makeSocketFolder()).toEqual({ folder: fallback });
    rmSync(own, { recursive: true });
    symlinkSync(fallback, own);
    expect(socketFolders()).not.toContain(own);
    expect(makeSocketFolder()).toEqual({ folder: fallback });
    rmSync(own);
    chmodSync(runtime, 0o777);
    expect(makeSocketFolder()).toEqual({ folder: fallback });
    chmodSync(runtime, 0o700);
    rmSync(fallback, { recursive: true });
  });

  it('that cannot be made is a reason in words, and what fails inside is no end of the run', async () => {
    writeFileSync(join(runtime, 'r2po'), '');
    const server = await listenForControl(run, async () => {
      throw new UsageError('control', 'expected less, got more');
    });
    if ('close' in server) servers.push(server);
    await expect(controlRun(run, { action: 'pause' })).rejects.toMatchObject({
      exitCode: 2,
      message: '[control] expected less, got more',
    });
  });
});
