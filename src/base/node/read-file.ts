/** Reading files that somebody named: never waits for a pipe, never reads a device without an end, never fills the memory. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { FileFault } from '../machine-fault.ts';

/** A configuration or policy is much smaller; a larger file is a mistake. */
export const maxTextBytes = 64 * 1024 * 1024;

const kinds = [
  ['isFIFO', 'a pipe'],
  ['isSocket', 'a socket'],
  ['isCharacterDevice', 'a device'],
  ['isBlockDevice', 'a disk'],
] as const;

function requireRegular(stats: Stats): void {
  if (stats.isFile()) return;
  // Reading it reports EISDIR, in the words of the system.
  if (stats.isDirectory()) return;
  const [, kind] = kinds.find(([is]) => stats[is]()) ?? ['', 'something else'];
  throw new FileFault('ENOTREG', `it is ${kind}, no regular file`);
}

/** Opens a regular file for reading. Throws a `FileFault` for a pipe or a device, else the error of the file system. */
export function openRegular(path: string | URL): number {
  requireRegular(statSync(path));
  // What the path names may have changed meanwhile: opening a pipe must not wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    requireRegular(fstatSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The content of a regular file of at most `maxBytes`. Throws the errors of `openRegular`, and a `FileFault` when it is larger. */
export function readRegular(path: string | URL, maxBytes = maxTextBytes): Buffer {
  const fd = openRegular(path);
  try {
    const { size } = fstatSync(fd);
    const refuse = (bytes: string): never => {
      throw new FileFault('EFBIG', `expected at most ${maxBytes} bytes, got ${bytes}`);
    };
    if (size > maxBytes) refuse(String(size));
    // Files of /proc have a size of 0.
    let data = Buffer.alloc(Math.max(size, 4095) + 1);
    let length = 0;
    for (;;) {
      const read = readSync(fd, data, length, data.length - length, null);
      if (read === 0) return data.subarray(0, length);
      length += read;
      if (length > maxBytes) refuse('more');
      // One call less: files are read by the thousands.
      if (length === size) return data.subarray(0, length);
      if (length === data.length) data = Buffer.concat([data, Buffer.alloc(data.length)]);
    }
  } finally {
    closeSync(fd);
  }
}

/** The same as text. */
export function readRegularText(path: string | URL, maxBytes = maxTextBytes): string {
  return readRegular(path, maxBytes).toString('utf8');
}
