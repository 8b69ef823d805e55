/** Checks a model file before loading: it exists, it is a GGUF file, and it fits into memory. */
import { closeSync, readdirSync, readSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { nearest, UsageError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { openRegular } from '../../base/node/read-file.ts';
import { excerpt } from '../providers/failure.ts';

const gib = 2 ** 30;
/** magic and version, bytes */
const headLength = 8;
const magic = 'GGUF';
/** GGUF versions; 2 is the first with 64-bit sizes */
const knownVersions = [2, 3];

export interface GgufFile {
  /** absolute */
  readonly path: string;
  /** total size of all parts, bytes */
  readonly size: number;
}

export function gigabytes(bytes: number): string {
  return `${(bytes / gib).toFixed(bytes < gib ? 2 : 1)} GiB`;
}

function missing(unit: string, path: string): UsageError {
  let near: string | null = null;
  try {
    const models = readdirSync(dirname(path)).filter((name) => /\.gguf$/i.test(name));
    near = nearest(basename(path), models) ?? (models.length === 1 ? models[0]! : null);
  } catch {
    // The folder does not exist either; the message is clear without a guess.
  }
  const guess = near === null ? '' : `; did you mean "${excerpt(near, 200)}"?`;
  return new UsageError(unit, `expected a GGUF file, got no file at "${path}"${guess || '; correct the path'}`);
}

function readHead(path: string): Buffer {
  const file = openRegular(path);
  try {
    const head = Buffer.alloc(headLength);
    return head.subarray(0, readSync(file, head, 0, headLength, 0));
  } finally {
    closeSync(file);
  }
}

/** Describes a file without the GGUF magic. */
function described(head: Buffer): string {
  if (head.length === 0) return 'an empty file';
  const text = head.toString('latin1');
  if (text.startsWith('version ')) return 'a Git LFS pointer; fetch the file itself ("git lfs pull")';
  if (text.startsWith('PK')) return 'a zip archive (or a PyTorch file); unpack it, or convert it to GGUF';
  if (/^\s*<(!|h)/i.test(text)) return 'an HTML page; download the file itself';
  if (/^(ggml|ggmf|ggjt|lmgg|fmgg|tjgg)/.test(text)) return 'a GGML file older than GGUF; convert it to GGUF';
  if (
    head.length === headLength &&
    head.readUInt16LE(6) === 0 &&
    text.includes('{') === false &&
    head.readUInt32LE(4) === 0
  ) {
    return 'probably a safetensors file; convert it to GGUF';
  }
  return 'another format; name a model in the GGUF format';
}

/** All parts of a model split like `name-00001-of-00003.gguf`. */
function partsOf(unit: string, path: string): string[] {
  const split = /-(\d{5})-of-(\d{5})\.gguf$/i.exec(path);
  if (split === null) return [path];
  if (split[1] !== '00001') {
    throw new UsageError(
      unit,
      `expected the first part of a split model, got part ${Number(split[1])}; name part 00001`,
    );
  }
  return Array.from({ length: Number(split[2]) }, (_, i) =>
    path.replace(/-\d{5}-of-/, `-${String(i + 1).padStart(5, '0')}-of-`),
  );
}

/** Throws a usage error for a missing file, a folder, an unreadable file, and a file in another format. */
export function checkGgufFile(unit: string, given: string): GgufFile {
  const path = resolve(given);
  let size = 0;
  for (const part of partsOf(unit, path)) {
    const stat = statSync(part, { throwIfNoEntry: false });
    if (stat === undefined) throw missing(unit, part);
    if (!stat.isFile()) {
      const found = stat.isDirectory() ? 'folder' : 'pipe or device';
      throw new UsageError(unit, `expected a GGUF file, got the ${found} "${part}"; name a file`);
    }
    size += stat.size;
    let head: Buffer;
    try {
      head = readHead(part);
    } catch (error) {
      throw new UsageError(unit, `expected a readable file, got ${faultWords(error)}; change its permissions`);
    }
    if (head.toString('latin1', 0, 4) !== magic) {
      throw new UsageError(unit, `expected a GGUF file, got "${part}", which is ${described(head)}`);
    }
    const version = head.length === headLength ? head.readUInt32LE(4) : 0;
    if (!knownVersions.includes(version)) {
      throw new UsageError(
        unit,
        `expected version ${knownVersions.join(' or ')} of GGUF, got ${head.length < headLength ? 'a truncated file' : version} in "${part}"; ` +
          'download the file again',
      );
    }
  }
  return { path, size };
}

/** Memory available to this process within its container's limit, bytes. */
export function freeMemory(): number {
  return process.availableMemory();
}

/** Throws a usage error when the weights exceed the available memory. */
export function checkWeights(unit: string, file: GgufFile, free: number): void {
  if (file.size <= free) return;
  throw new UsageError(
    unit,
    `expected a model that fits into ${gigabytes(free)} of free memory, got ${gigabytes(file.size)} in "${file.path}"; ` +
      'use a smaller model or a stronger quantization',
  );
}

/** Throws a usage error for more threads than the machine has. */
export function checkThreads(unit: string, threads: number): void {
  const max = availableParallelism();
  if (threads <= max) return;
  throw new UsageError(unit, `expected threads=1 ... ${max}, which this machine has, got ${threads}; lower it`);
}
