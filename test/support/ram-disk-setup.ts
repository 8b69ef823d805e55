/**
 * Temporary files of the tests in memory, where a RAM disk has room for them: runs wait for the disk after each event, which
 * takes a third of the time of all tests. TMPDIR, where it is set, stays.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

const disk = '/dev/shm';
const prefix = 'r2po-tests-';
/** The files of all tests take a few hundred MiB. */
const wantedBytes = 2 * 2 ** 30;

/** Tests run programs from there, too. */
function hasRoom(): boolean {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    const options = mounts.map((line) => line.split(' ')).find(([, place]) => place === disk)?.[3];
    const { bavail, bsize } = statfsSync(disk);
    return (
      options !== undefined &&
      !options.split(',').includes('noexec') &&
      bavail * bsize >= wantedBytes &&
      freemem() >= 2 * wantedBytes
    );
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What test runs left that were killed. */
function removeLeftovers(): void {
  for (const name of readdirSync(disk)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (pid > 0 && !isAlive(pid)) rmSync(join(disk, name), { recursive: true, force: true });
  }
}

export default function setup(): (() => void) | undefined {
  // Each of the projects of vitest.config.ts calls it.
  if (process.env.TMPDIR !== undefined || !hasRoom()) return undefined;
  removeLeftovers();
  const folder = mkdtempSync(join(disk, `${prefix}${process.pid}-`));
  process.env.TMPDIR = folder;
  return () => {
    delete process.env.TMPDIR;
    rmSync(folder, { recursive: true, force: true });
  };
}
