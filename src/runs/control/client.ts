/** Asks the process of a run: what it does, and to pause, to go on, to stop, or to have another budget. */
import { lstatSync, renameSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { errorCode, exitCodes, R2poError, UsageError } from '../../base/errors.ts';
import { byNaturalOrder } from '../../base/node/walk.ts';
import { type ControlBody, controlRequest, type LiveRun, maxLineBytes, type RunAnswer, runAnswer } from './messages.ts';
import { notListening } from './not-listening.ts';
import { draftSocket, everySocket, socketPaths } from './places.ts';

/** ms until a process that does not answer is given up: it may be in a long computation. */
const patienceMs = 10_000;

/** The answer of the process at a socket; null: nobody listens there. Throws an `R2poError` where it does not answer. */
function askSocket(path: string, request: object, timeoutMs = patienceMs): Promise<RunAnswer | null> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let text = '';
    const fail = (what: string, cause?: unknown): void => {
      socket.destroy();
      reject(new R2poError('control', `expected an answer of the process of the run, got ${what}`, { cause }));
    };
    const timer = setTimeout(() => fail(`none within ${timeoutMs / 1000} s; it is busy, try again`), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (part: string) => {
      text += part;
      if (text.length > maxLineBytes) fail(`more than ${maxLineBytes} bytes`);
    });
    socket.on('error', (error) => {
      const code = errorCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK') resolve(null);
      else fail(`"${error.message}"; try again`, error);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      const answer = answerOf(text);
      if (answer === null) fail('none: it ended meanwhile; see "r2po ctl list"');
      else resolve(answer);
    });
  });
}

function answerOf(text: string): RunAnswer | null {
  if (!text.endsWith('\n')) return null;
  try {
    return runAnswer.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Which socket a path is; null: there is none, or it is a pipe, which ends with its process. */
function socketAt(path: string): number | null {
  if (process.platform === 'win32') return null;
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** Removes the socket of a process that is gone, unless another process has put its own there meanwhile. */
function clearStale(path: string, socket: number): void {
  const aside = draftSocket(dirname(path));
  try {
    renameSync(path, aside);
    if (socketAt(aside) === socket) rmSync(aside, { force: true });
    else renameSync(aside, path);
  } catch (error) {
    // Another process cleared it, or the folder is read-only.
    if (errorCode(error) === null) throw error;
  }
}

/** The same as `askSocket`; the socket of a process that was killed is removed. */
async function askAt(path: string, request: object, timeoutMs?: number): Promise<RunAnswer | null> {
  const socket = socketAt(path);
  const answer = await askSocket(path, request, timeoutMs);
  if (answer === null && socket !== null) clearStale(path, socket);
  return answer;
}

function liveOf(answer: RunAnswer): LiveRun {
  if (answer.ok) return answer.run;
  const exitCode = Object.values(exitCodes).find((code) => code === answer.exit_code);
  throw new R2poError('control', answer.error, { exitCode: exitCode ?? exitCodes.failed });
}

/**
 * Does something with a run that goes on, and returns how it is then. The run may be that of another process of this user
 * on this machine. Throws a usage error where nothing like that can be done: the folder is no run, the run is finished or has
 * stopped, no process listens for it, or a limit is below what is used; an `R2poError` where its process does not answer.
 */
export async function controlRun(folder: string, body: ControlBody): Promise<LiveRun> {
  const parsed = controlRequest.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError('control', `"${issue!.path.join('.') || 'action'}": ${issue!.message}`);
  }
  for (const path of socketPaths(folder)) {
    const answer = await askAt(path, parsed.data);
    if (answer !== null) return liveOf(answer);
  }
  throw notListening(folder);
}

/** How a run is, as its process says; null: no process listens for it. */
export async function stateOfRun(folder: string): Promise<LiveRun | null> {
  for (const path of socketPaths(folder)) {
    const answer = await askAt(path, { action: 'state' });
    if (answer !== null) return liveOf(answer);
  }
  return null;
}

export interface LiveRuns {
  /** in the order of their folders */
  readonly runs: readonly LiveRun[];
  /** processes that did not answer */
  readonly silent: number;
}

/** ms that a process has to answer in a list. */
const listPatienceMs = 3000;

/** All runs of this user on this machine that go on. Sockets of processes that were killed are removed. */
export async function listLiveRuns(): Promise<LiveRuns> {
  const asked = await Promise.allSettled(everySocket().map((path) => askAt(path, { action: 'state' }, listPatienceMs)));
  const answers = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const runs = answers.flatMap((answer) => (answer?.ok ? [answer.run] : []));
  return {
    runs: runs.toSorted((a, b) => byNaturalOrder(a.folder, b.folder)),
    silent: asked.length - answers.length,
  };
}
