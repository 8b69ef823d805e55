/** Runs that are killed or that find the disk full: resumed, they must end where an unbroken run ends. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { program, readJson, resultOf, sizeOf, small } from './program.mjs';

const runArgs = (home, name, resume) => [
  'run',
  ...small,
  '--runs-dir',
  home,
  '--name',
  name,
  ...(resume ? ['--resume'] : []),
];

/** The result of an unbroken run, and how often it makes each kind of change to the file system. */
export async function unbroken(home) {
  const counts = join(home, 'counts.json');
  const { code, stderr } = await program(runArgs(home, 'whole', false), { folder: home, fault: `count:${counts}` });
  if (code !== 0) throw new Error(`the unbroken run ended with ${code}: ${stderr}`);
  return { folder: join(home, 'whole'), result: resultOf(join(home, 'whole')), counts: readJson(counts) };
}

/** Resumes to the end. Returns what is wrong; null: the result is that of the unbroken run. */
async function resumed(home, name, whole) {
  const { code, stderr, bug } = await program(runArgs(home, name, existsSync(join(home, name))));
  if (code !== 0 || bug) return `resuming ended with ${code}: ${stderr.trim()}`;
  return resultOf(join(home, name)) === whole.result ? null : 'another result than the unbroken run';
}

/** SIGKILL after a random time or a random growth of the record, and again while it resumes. */
export async function randomKill({ home, whole, random, index }) {
  const name = `random-${index}`;
  const record = join(home, name, 'events.jsonl');
  const line = sizeOf(join(whole.folder, 'events.jsonl')) / 30;
  for (let session = 0; session < 2; session++) {
    const before = sizeOf(record);
    const growth = random() < 0.5 ? random() * 12 * line : Number.POSITIVE_INFINITY;
    const deadline = Date.now() + (growth < Number.POSITIVE_INFINITY ? 10_000 : random() * 900);
    const until = () => Date.now() > deadline || sizeOf(record) > before + growth;
    await program(runArgs(home, name, existsSync(join(home, name))), { until });
  }
  return resumed(home, name, whole);
}

/** SIGKILL in place of one change to the file system, each kind of change in turn. */
export async function killAtWrite({ home, whole, random, index }) {
  const kinds = Object.keys(whole.counts);
  const kind = kinds[index % kinds.length];
  const at = 1 + Math.floor(random() * whole.counts[kind]);
  const name = `write-${index}`;
  await program(runArgs(home, name, false), { folder: home, fault: `kill:${kind}:${at}` });
  const problem = await resumed(home, name, whole);
  return problem && `${kind} number ${at}: ${problem}`;
}

/** The disk is full from a random write on: words, a failure, and nothing lost once there is room. */
export async function fullDisk({ home, whole, random, index }) {
  const name = `full-${index}`;
  const writes = ['write', 'writeFile', 'writeFileSync', 'openSync', 'appendFile', 'mkdirSync'];
  const most = writes.reduce((sum, kind) => sum + (whole.counts[kind] ?? 0), 0);
  const at = 1 + Math.floor(random() * most);
  const { code, stderr, bug } = await program(runArgs(home, name, false), { folder: home, fault: `full:${at}` });
  if (bug || code === null) return `write ${at}: ${stderr.trim()}`;
  if (code !== 0 && !/ENOSPC|no space|room|full/i.test(stderr))
    return `write ${at}: no word about the disk: ${stderr.trim()}`;
  const problem = await resumed(home, name, whole);
  return problem && `write ${at}: ${problem}`;
}
