/** Listens for who steers a run. Requests are untrusted: their size, their form and the time they take are limited. */
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { errorCode, exitCodes, R2poError, UsageError, unknownName } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { controlRequest, type LiveRun, maxLineBytes, type RunAnswer, type RunRequest, runRequest } from './messages.ts';
import { draftSocket, makeSocketFolder, pipePath, socketName } from './places.ts';

/** ms that a client has to send its request, and to take the answer */
const clientMs = 5000;
/** at a time */
const maxClients = 32;

/** Does what is asked, and says how the run is then. Throws an `R2poError` for what cannot be done. */
export type Handle = (request: RunRequest) => Promise<LiveRun>;

export interface ControlServer {
  close(): void;
}

const actions = ['state', ...controlRequest.options.map((one) => one.shape.action.value)];

/** The request in a line. Throws a usage error. */
function parseRequest(line: string): RunRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new UsageError('control', 'expected a line of JSON, got something else');
  }
  const parsed = runRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const { action } = (value ?? {}) as { readonly action?: unknown };
  if (typeof action !== 'string') throw new UsageError('control', 'expected an object with "action", got none');
  if (!actions.includes(action)) throw new UsageError('control', unknownName('action', action.slice(0, 40), actions));
  const [issue] = controlRequest.safeParse(value).error?.issues ?? [];
  throw new UsageError(
    'control',
    `"${issue?.path.join('.') || action}": ${issue?.message ?? 'nothing beside "action"'}`,
  );
}

async function answerTo(line: string, handle: Handle): Promise<RunAnswer> {
  try {
    return { ok: true, run: await handle(parseRequest(line)) };
  } catch (error) {
    const known = error instanceof R2poError ? error : null;
    return { ok: false, error: known?.detail ?? String(error), exit_code: known?.exitCode ?? exitCodes.failed };
  }
}

/** One request and its answer. */
function serve(socket: Socket, handle: Handle): void {
  const parts: Buffer[] = [];
  let size = 0;
  let done = false;
  const answer = (text: RunAnswer): void => {
    if (socket.destroyed) return;
    socket.end(`${JSON.stringify(text)}\n`, () => socket.destroySoon());
  };
  const deadline = setTimeout(() => socket.destroy(), clientMs);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(deadline));
  socket.on('end', () => {
    if (!done) socket.destroy();
  });
  socket.on('data', (part: Buffer) => {
    // What follows the request is not read: one connection is one request.
    if (done) return;
    size += part.length;
    parts.push(part);
    const stop = part.indexOf(0x0a);
    if (stop < 0 && size <= maxLineBytes) return;
    done = true;
    // The run may wait for its disk; the client has its own patience.
    clearTimeout(deadline);
    const line = Buffer.concat(parts).subarray(0, size - (stop < 0 ? 0 : part.length - stop));
    if (stop < 0 || line.length > maxLineBytes) {
      const error = `expected a request of at most ${maxLineBytes} bytes, got more`;
      answer({ ok: false, error, exit_code: exitCodes.usage });
      setTimeout(() => socket.destroy(), 100).unref();
      return;
    }
    void answerTo(line.toString('utf8'), handle).then((text) => {
      answer(text);
      setTimeout(() => socket.destroy(), clientMs).unref();
    });
  });
}

/** Puts a socket where it is looked for; that of a killed process of the same run is replaced. */
function place(draft: string, path: string): number {
  chmodSync(draft, 0o600);
  renameSync(draft, path);
  return lstatSync(path).ino;
}

/** The socket of another process that has the run by now stays. */
function remove(path: string, socket: number): void {
  try {
    if (lstatSync(path).ino === socket) rmSync(path, { force: true });
  } catch (error) {
    if (errorCode(error) === null) throw error;
  }
}

/** Listens for a run until it is closed; `problem`: why nobody can steer it. The caller has the lock of the run folder. */
export async function listenForControl(
  folder: string,
  handle: Handle,
): Promise<ControlServer | { readonly problem: string }> {
  const name = socketName(folder);
  const isPipe = process.platform === 'win32';
  const found = isPipe ? { folder: '' } : makeSocketFolder();
  if ('problem' in found) return found;
  const draft = isPipe ? pipePath(name) : draftSocket(found.folder);
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    serve(socket, handle);
  });
  server.maxConnections = maxClients;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(draft, resolve);
    });
    const path = join(found.folder, name);
    const socket = isPipe ? null : place(draft, path);
    // A client that fails must not end the run.
    server.on('error', () => {});
    return {
      close() {
        if (socket !== null) remove(path, socket);
        server.close();
        for (const client of clients) client.destroySoon();
      },
    };
  } catch (error) {
    server.close();
    if (errorCode(error) === null) throw error;
    return { problem: `"${isPipe ? draft : found.folder}": ${faultWords(error)}` };
  }
}
