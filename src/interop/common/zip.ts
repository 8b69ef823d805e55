/**
 * Reads zip archives (PKWARE's APPNOTE 6.3, with zip64): NumPy's `.npz`, models of Stable-Baselines3 and of PyTorch.
 * Archives are untrusted: sizes are limited before anything is unpacked, and checksums are compared.
 */
import { inflateRawSync } from 'node:zlib';
import { Damaged } from '../reference/files.ts';

/** Largest sum of unpacked parts, bytes. */
const maxUnpacked = 2 ** 29;
const maxParts = 10_000;
const endSignature = 0x06054b50;
const endSize = 22;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const unknown32 = 0xffffffff;
const stored = 0;
const deflated = 8;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

interface Part {
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number;
}

/** The parts of an archive by name; their content is unpacked when it is asked for. */
export class ZipArchive {
  readonly #bytes: Buffer;
  readonly #parts: ReadonlyMap<string, Part>;

  /** Throws `Damaged`. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    try {
      this.#parts = partsOf(bytes);
    } catch (error) {
      if (error instanceof Damaged) throw error;
      throw new Damaged('a zip archive', 'offsets outside of the file');
    }
  }

  get names(): string[] {
    return [...this.#parts.keys()];
  }

  has(name: string): boolean {
    return this.#parts.has(name);
  }

  /** Throws `Damaged`, also when there is no such part. */
  read(name: string): Buffer {
    const part = this.#parts.get(name);
    if (!part) throw new Damaged(`a part "${name}"`, `the parts ${this.names.slice(0, 10).join(', ')}`);
    const bytes = this.#bytes;
    if (part.at + 30 > bytes.length || bytes.readUInt32LE(part.at) !== localSignature) {
      throw new Damaged(`the part "${name}" where the directory says`, 'other bytes');
    }
    const from = part.at + 30 + bytes.readUInt16LE(part.at + 26) + bytes.readUInt16LE(part.at + 28);
    const packed = bytes.subarray(from, from + part.packed);
    const content = unpacked(packed, part, name);
    if (content.length !== part.size || crc32(content) !== part.crc) {
      throw new Damaged(`the part "${name}" with the checksum of the directory`, 'other content');
    }
    return content;
  }
}

function unpacked(packed: Buffer, { method, size }: Part, name: string): Buffer {
  if (method === stored) return packed;
  if (method !== deflated) throw new Damaged(`"${name}" stored or deflated`, `compression method ${method}`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch {
    throw new Damaged(`"${name}" as deflated data`, 'other bytes');
  }
}

/** Offset of the directory and number of its entries. */
function directoryOf(bytes: Buffer): { readonly at: number; readonly count: number } {
  for (let end = bytes.length - endSize; end >= Math.max(0, bytes.length - endSize - 0xffff); end--) {
    if (bytes.readUInt32LE(end) !== endSignature) continue;
    const locator = end - 20;
    if (locator >= 0 && bytes.readUInt32LE(locator) === locator64Signature) {
      const end64 = Number(bytes.readBigUInt64LE(locator + 8));
      if (bytes.readUInt32LE(end64) === end64Signature) {
        return { at: Number(bytes.readBigUInt64LE(end64 + 48)), count: Number(bytes.readBigUInt64LE(end64 + 32)) };
      }
    }
    return { at: bytes.readUInt32LE(end + 16), count: bytes.readUInt16LE(end + 10) };
  }
  throw new Damaged('a zip archive', 'no directory of its parts');
}

function partsOf(bytes: Buffer): Map<string, Part> {
  const directory = directoryOf(bytes);
  if (directory.count > maxParts) throw new Damaged(`at most ${maxParts} parts`, String(directory.count));
  const parts = new Map<string, Part>();
  let { at } = directory;
  let total = 0;
  for (let i = 0; i < directory.count; i++) {
    if (bytes.readUInt32LE(at) !== centralSignature) throw new Damaged('a zip archive', 'a damaged directory');
    if (bytes.readUInt16LE(at + 8) & 1) throw new Damaged('parts without a password', 'an encrypted one');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const nameEnd = at + 46 + nameLength!;
    const name = bytes.toString('utf8', at + 46, nameEnd);
    const sizes = sizesOf(bytes, at, bytes.subarray(nameEnd, nameEnd + extraLength!));
    total += sizes.size;
    if (total > maxUnpacked) throw new Damaged(`at most ${maxUnpacked} bytes unpacked`, 'more of them');
    parts.set(name, { method: bytes.readUInt16LE(at + 10), crc: bytes.readUInt32LE(at + 16), ...sizes });
    at = nameEnd + extraLength! + commentLength!;
  }
  return parts;
}

/** Sizes and offset of a part; where they do not fit 32 bits, from the zip64 field. */
function sizesOf(bytes: Buffer, at: number, extra: Buffer): Pick<Part, 'packed' | 'size' | 'at'> {
  const short = {
    size: bytes.readUInt32LE(at + 24),
    packed: bytes.readUInt32LE(at + 20),
    at: bytes.readUInt32LE(at + 42),
  };
  const long = { ...short };
  for (let e = 0; e + 4 <= extra.length; e += 4 + extra.readUInt16LE(e + 2)) {
    if (extra.readUInt16LE(e) !== 1) continue;
    let from = e + 4;
    for (const key of ['size', 'packed', 'at'] as const) {
      if (short[key] !== unknown32) continue;
      long[key] = Number(extra.readBigUInt64LE(from));
      from += 8;
    }
  }
  return long;
}
