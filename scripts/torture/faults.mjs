/**
 * Loaded into the program before its own modules (`node --import`): makes its file system fail. `TORTURE_FAULT` is
 * `count:FILE` (writes how often each kind of change was made, at the end), `kill:KIND:N` (SIGKILL in place of the N-th
 * change of a kind) or `full:N` (from the N-th write on, the disk is full). Only changes below `TORTURE_FOLDER` count.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [what, first, second] = (process.env.TORTURE_FAULT ?? '').split(':');
const folder = process.env.TORTURE_FOLDER ?? '/nowhere';
const counts = {};
let writes = 0;

const needRoom = ['write', 'writeSync', 'writeFileSync', 'mkdirSync', 'openSync', 'open', 'appendFile', 'writeFile'];
const full = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', errno: -28 });

/** Whether a file is opened to be changed. */
function isForWriting(flags = 'r') {
  return typeof flags === 'number'
    ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
    : /[wa+]/.test(flags);
}

function isCounted([target, flags], isOpening) {
  if (typeof target === 'number') return target > 2;
  return String(target).includes(folder) && (!isOpening || isForWriting(flags));
}

/** Kills the process, or returns the error that the call ends with; null: it is made. */
function fault(kind, args, isOpening) {
  if (!isCounted(args, isOpening)) return null;
  counts[kind] = (counts[kind] ?? 0) + 1;
  if (what === 'kill' && kind === first && counts[kind] === Number(second)) process.kill(process.pid, 'SIGKILL');
  if (what === 'full' && needRoom.includes(kind)) {
    writes += 1;
    if (writes >= Number(first)) return full();
  }
  return null;
}

function patch(object, name, make, label = name) {
  const original = object[name];
  object[name] = make(original, (args) => fault(label, args, name === 'open' || name === 'openSync'));
}

const sync = (original, check) =>
  function (...args) {
    const error = check(args);
    if (error) throw error;
    return original.apply(this, args);
  };
const withCallback = (original, check) =>
  function (...args) {
    const error = check(args);
    if (error) process.nextTick(args.at(-1), error);
    else original.apply(this, args);
  };
const promised = (original, check) =>
  async function (...args) {
    const error = check(args);
    if (error) throw error;
    return original.apply(this, args);
  };

const syncNames = [
  'openSync',
  'writeSync',
  'writeFileSync',
  'renameSync',
  'ftruncateSync',
  'fsyncSync',
  'mkdirSync',
  'rmSync',
];
for (const name of [...syncNames, 'linkSync', 'unlinkSync', 'copyFileSync', 'closeSync']) patch(fs, name, sync);
for (const name of ['write', 'fdatasync']) patch(fs, name, withCallback);
for (const name of ['open', 'rename', 'appendFile', 'writeFile', 'rm']) patch(fs.promises, name, promised);
syncBuiltinESMExports();

if (what === 'count') process.on('exit', () => fs.writeFileSync(first, JSON.stringify(counts)));
